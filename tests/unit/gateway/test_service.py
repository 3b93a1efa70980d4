"""What the gateway is beside its calls: health, limits, draining, the page."""

import pytest
from flask.testing import FlaskClient

from tests.unit.gateway.builders import ALICE, BOB, Gateway, problem
from tests.unit.gateway.fakes import FakeClock
from video2mp3_gateway.capacity import DRAIN_SECONDS, GRACEFUL_SECONDS, MAX_DOWNLOADS, MAX_UPLOADS, THREADS
from video2mp3_gateway.drain import Drain
from video2mp3_gateway.slots import NoSlot, Slots


@pytest.mark.parametrize("port", ["tokens", "sources", "conversions"])
def test_it_is_ready_once_everything_was_reached(port: str) -> None:
    gateway = Gateway()
    getattr(gateway, port).switch.off("ping")
    answer = gateway.client.get("/readyz")
    assert (answer.status_code, problem(answer)["code"]) == (503, "service-unavailable")
    getattr(gateway, port).switch.off("ping", times=0)
    assert gateway.client.get("/readyz").status_code == 200


def test_it_stays_ready_to_say_what_is_away() -> None:
    gateway = Gateway()
    assert gateway.client.get("/readyz").status_code == 200
    for system in (gateway.tokens, gateway.sources, gateway.conversions):
        system.switch.off("ping")
    assert gateway.client.get("/readyz").status_code == 200


def test_it_lives_whatever_is_away() -> None:
    gateway = Gateway()
    gateway.sources.switch.off("ping")
    assert gateway.client.get("/healthz").status_code == 200


def test_an_unknown_path_is_a_problem_too() -> None:
    answer = Gateway().client.get("/nothing")
    assert (answer.status_code, problem(answer)["code"]) == (404, "not-found")


def test_one_account_does_not_take_every_place() -> None:
    slots = Slots(total=3, per_account=2)
    with slots.hold(ALICE), slots.hold(ALICE):
        with pytest.raises(NoSlot) as own, slots.hold(ALICE):
            pass
        with slots.hold(BOB), pytest.raises(NoSlot) as all_taken, slots.hold("carol@example.com"):
            pass
        assert (own.value.own, all_taken.value.own) == (True, False)
    assert slots.taken == 0


def test_a_place_is_given_back_after_an_error() -> None:
    slots = Slots(total=1, per_account=1)
    with pytest.raises(ZeroDivisionError), slots.hold(ALICE):
        raise ZeroDivisionError
    with slots.hold(ALICE):
        assert slots.taken == 1


def test_threads_are_left_for_everything_else() -> None:
    assert THREADS - MAX_UPLOADS - MAX_DOWNLOADS >= 4
    assert DRAIN_SECONDS < GRACEFUL_SECONDS


def test_the_last_moment_comes_after_a_while() -> None:
    clock = FakeClock()
    drain = Drain(clock)
    clock.now = 1000
    assert not drain.over
    drain.begin()
    clock.now += DRAIN_SECONDS - 1
    drain.begin()
    assert not drain.over
    clock.now += 1
    assert drain.over


@pytest.fixture
def browser() -> FlaskClient:
    return Gateway().client
