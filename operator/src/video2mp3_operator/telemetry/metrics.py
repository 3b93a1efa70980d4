"""The operator's metrics, for Prometheus. Names and meanings are API: alerts and dashboards are built on them."""

from collections import Counter as Tally
from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import Counter, Gauge, GCCollector, Histogram, PlatformCollector
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from video2mp3_contracts.api.reasons import Phase, Reason
from video2mp3_contracts.runtime.metrics import new_registry

_PREFIX: Final = "video2mp3_operator_"
FAULTS: Final = (
    Reason.SERVICE_UNAVAILABLE,
    Reason.OUT_OF_MEMORY,
    Reason.OUT_OF_DISK,
    Reason.INVALID_JOB,
    Reason.LOST,
    Reason.STOPPED,
    Reason.DISRUPTED,
    Reason.NODE_UNSUITABLE,
    Reason.WORKER_CRASHED,
    Reason.RETRIES_EXHAUSTED,
    Reason.START_TIMEOUT,
    Reason.RUN_TIMEOUT,
    Reason.QUEUE_TIMEOUT,
    Reason.STALLED,
)
"""Reasons of failure that lie with the installation rather than with the video: they are alerted on."""

KINDS: Final = ("conversion", "job", "pod", "ledger entry", "source")
"""Of objects that may turn out to be unreadable."""


class Metrics:
    """Counters and histograms that the loop writes."""

    def __init__(self) -> None:
        self.registry = new_registry()
        for collector in (PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.reconcile_seconds = self._histogram("reconcile_seconds", "One reconcile, from observing to the status.")
        self.reconcile_errors = self._counter("reconcile_errors", "Reconciles that ended in an error.", "error")
        self.api_requests = self._counter("kubernetes_requests", "Requests to the API server.", "method", "code")
        self.jobs_created = self._counter("jobs_created", "Worker Jobs created.")
        self.finished = self._counter("conversions_finished", "Conversions that got their verdict.", "phase", "reason")
        # A series that appears with its first event cannot be alerted on: its rate misses that event.
        for reason in FAULTS:
            self.finished.labels(Phase.FAILED, reason)
        self.abandoned = self._counter(
            "deletions_abandoned", "Conversions let go without their files being removed, since the store was away."
        )
        self.orphans_removed = self._counter("orphans_removed", "Things removed that were nobody's any more.", "kind")
        self.skipped = self._counter("objects_skipped", "Objects that could not be read and were passed over.", "kind")
        for kind in KINDS:
            self.skipped.labels(kind)
        self.events_dropped = self._counter("events_dropped", "Events that could not be posted.")
        self.loop_failures = self._counter("loop_failures", "Background loops that failed and were begun anew.", "loop")
        self.sweep_halted = Gauge(
            f"{_PREFIX}orphan_sweep_halted",
            "1 while nothing of a kind is removed as nobody's, until somebody has looked.",
            ["kind", "reason"],
            registry=self.registry,
        )
        self.resync_repairs = self._counter("resync_repairs", "Changes that a full list showed and no watch had told.")
        self.run_seconds = self._histogram(
            "run_seconds", "From the first attempt's start to the verdict.", (1, 5, 15, 60, 300, 900, 3600, 14400)
        )
        self.attempts = self._counter("attempts", "Attempts that ended, as the status tells it.", "reason")
        self.attempts_without_landlock = self._counter(
            "attempts_without_landlock", "Attempts that ended, on nodes whose kernel has no Landlock."
        )
        self.realtime_factor = self._histogram(
            "realtime_factor",
            "Seconds of media converted in a second, over the attempt that made the mp3.",
            (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500),
        )
        self.start_seconds = self._histogram(
            "start_seconds", "From a Conversion's creation to its Job's.", (0.1, 0.5, 1, 5, 15, 60, 300, 3600)
        )

    def skip(self, kind: str) -> None:
        """An object could not be read."""
        self.skipped.labels(kind).inc()

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(_PREFIX + name, meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, buckets: Iterable[float] = Histogram.DEFAULT_BUCKETS) -> Histogram:
        return Histogram(_PREFIX + name, meaning, buckets=tuple(buckets), registry=self.registry)


Values = dict[str, tuple[str, Callable[[], float]]]
"""What gauges mean and where their values come from, by name."""


class Gauges(Collector):
    """What is true at the moment of the scrape, asked for only then.

    Of what all operators see alike only the one that `leads` tells: it would count twice.
    """

    def __init__(
        self, gauges: Values, leaders: Values, phases: Callable[[], Iterable[str]], leads: Callable[[], bool]
    ) -> None:
        self._gauges = gauges
        self._leaders = leaders
        self._phases = phases
        self._leads = leads

    def collect(self) -> Iterable[Metric]:
        """Answer all gauges."""
        leads = self._leads()
        for name, (meaning, value) in (self._gauges | (self._leaders if leads else {})).items():
            yield GaugeMetricFamily(_PREFIX + name, meaning, value=value())
        if leads:
            yield self._by_phase()

    def _by_phase(self) -> GaugeMetricFamily:
        phases = GaugeMetricFamily(_PREFIX + "conversions", "Conversions by phase.", labels=["phase"])
        for phase, count in (dict.fromkeys(Phase, 0) | Tally(self._phases())).items():
            phases.add_metric([phase], count)
        return phases
