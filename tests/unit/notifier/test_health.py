"""What the probes answer."""

from prometheus_client import CollectorRegistry, Counter

from video2mp3_notifier.health import Health, answer

REGISTRY = CollectorRegistry()


def test_the_loop_must_have_run_lately() -> None:
    time = [100.0]
    health = Health(clock=lambda: time[0])
    time[0] += 29
    assert answer("/healthz", health, REGISTRY)[0] == 200
    time[0] += 2
    assert answer("/healthz", health, REGISTRY)[0] == 503
    health.beat()
    assert answer("/healthz", health, REGISTRY)[0] == 200


def test_it_is_ready_while_it_consumes() -> None:
    health = Health()
    assert answer("/readyz", health, REGISTRY) == (503, "text/plain; charset=utf-8", b"not connected to the broker\n")
    health.consuming = True
    assert answer("/readyz", health, REGISTRY)[0] == 200


def test_metrics_are_served_and_nothing_else() -> None:
    registry = CollectorRegistry()
    Counter("letters", "Letters.", registry=registry).inc()
    assert b"letters_total 1.0" in answer("/metrics", Health(), registry)[2]
    assert answer("/", Health(), registry)[0] == 404
