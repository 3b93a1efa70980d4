"""④ Settings and ports in, a wired operator out."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress
from typing import Any, Final

import structlog

from video2mp3_contracts.api import names
from video2mp3_operator.app.connections import Ports
from video2mp3_operator.app.gauges import gauges_of
from video2mp3_operator.app.supervision import supervise
from video2mp3_operator.app.work_queue import Backoff, WorkQueue
from video2mp3_operator.cache.classes import ClassCache
from video2mp3_operator.cache.dataloader import DataLoader
from video2mp3_operator.cache.sets import SetCache
from video2mp3_operator.cache.store import Cache
from video2mp3_operator.gc.collector import Collector
from video2mp3_operator.leadership.election import Election
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.policy.stall import StallWatch
from video2mp3_operator.policy.stopwatches import Stopwatches
from video2mp3_operator.ports.errors import ConflictError, GoneError, OutsideError, RefusedError, UnavailableError
from video2mp3_operator.reconciler.deletion_effects import DeletionEffects
from video2mp3_operator.reconciler.effects import Effects
from video2mp3_operator.reconciler.file_effects import FileEffects
from video2mp3_operator.reconciler.job_effects import JobEffects
from video2mp3_operator.reconciler.observer import Observer
from video2mp3_operator.reconciler.outbox import Outbox
from video2mp3_operator.reconciler.reconcile import Reconciler
from video2mp3_operator.scheduling.admission_queue import AdmissionQueue
from video2mp3_operator.scheduling.ordering import Caps
from video2mp3_operator.sets.listing import SetListing
from video2mp3_operator.sets.reconciler import SetReconciler
from video2mp3_operator.sweep.admission import Admission
from video2mp3_operator.sweep.classes import ClassPolling
from video2mp3_operator.sweep.ledger_polling import LedgerPolling
from video2mp3_operator.sweep.resync import Resync
from video2mp3_operator.telemetry.events import EventRecorder
from video2mp3_operator.telemetry.health import HealthServer
from video2mp3_operator.telemetry.heartbeat import Heartbeats, heartbeat_name
from video2mp3_operator.telemetry.metrics import Metrics

_log = structlog.get_logger(__name__)

_SET_SECONDS: Final = 0.5
_CONFLICT: Final = Backoff(0.02, 5)
_OUTSIDE: Final = Backoff(1, 60)
_REFUSED: Final = Backoff(5, 300)
_BUG: Final = Backoff(5, 600)


class Operator:
    """Everything that lives as long as the process."""

    def __init__(self, settings: Settings, ports: Ports, metrics: Metrics, election: Election | None = None) -> None:
        """Without an election it leads."""
        self.classes = ClassCache()
        caps = Caps(
            settings.max_running,
            settings.max_running_per_namespace,
            settings.max_running_per_owner,
            self.classes.quotas,
        )
        self.settings = settings
        self.metrics = metrics
        self.election = election
        self.clock = ports.clock
        self.cache = Cache(settings.instance, settings.worker_namespace)
        self.queue: WorkQueue[Key] = WorkQueue(
            self._reconcile, self._backoff, settings.reconcile_concurrency, self._is_urgent
        )
        self.admission_queue = AdmissionQueue(self.cache, caps, self.queue.add)
        self.outbox = Outbox(ports.publisher, ports.ledger, ports.clock, settings.outbox_seconds)
        self.events = EventRecorder(ports.events, self.metrics.events_dropped.inc)
        self.heartbeat = self._heartbeat(ports)
        self.stalls = StallWatch(settings.sweep_seconds)
        self.reconciler = self._reconciler(ports)
        self.sets = SetCache()
        self.set_queue: WorkQueue[Key] = WorkQueue(self._reconcile_set, self._backoff, settings.set_concurrency)
        self.set_reconciler = SetReconciler(
            ports.clock, ports.elapsed, self.sets, self.cache, ports.sets, self.queue.add
        )
        self.set_listing = SetListing(settings, self.sets, ports.sets, metrics, self.set_queue.add)
        self.resync = Resync(settings, self.cache, ports.lister, metrics, self.queue.add)
        self.class_polling = ClassPolling(
            settings, self.classes, self.cache, ports.lister, ports.classes, metrics, self.queue.add
        )
        self.polling = self._polling(ports)
        self.admission = Admission(self.cache, self.admission_queue, self.queue.add, lambda: self.queue.idle)
        self.collector = Collector(
            settings,
            ports.clock,
            self.cache,
            ports.ledger,
            ports.files,
            ports.store,
            metrics,
            lambda: self.heartbeat.uid,
        )
        self.health = HealthServer(self._unhealthy, self._unready, metrics.registry)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        metrics.registry.register(gauges_of(self))

    @property
    def leads(self) -> bool:
        """Whether it is this one that works."""
        return self.election is None or self.election.fence.is_open

    def _reconciler(self, ports: Ports) -> Reconciler:
        jobs = JobEffects(self.settings, self.cache, self.admission_queue, ports.jobs, self.metrics)
        files = FileEffects(self.cache, ports.ledger, ports.files)
        deletion = DeletionEffects(self.settings, self.cache, ports.conversions, jobs, files, self.outbox, self.metrics)
        effects = Effects(
            self.cache, self.admission_queue, ports.conversions, jobs, ports.ledger, files, self.outbox, deletion
        )
        observer = Observer(
            settings=self.settings,
            clock=ports.clock,
            cache=self.cache,
            classes=self.classes,
            jobs=ports.jobs,
            entries=DataLoader(ports.ledger.entries),
            sources=DataLoader(ports.files.sources),
            retained=DataLoader(ports.ledger.retained),
            lost=DataLoader(ports.ledger.lost),
            stalls=self.stalls,
            stopwatches=Stopwatches(ports.elapsed),
        )
        return Reconciler(
            settings=self.settings,
            clock=ports.clock,
            cache=self.cache,
            admission_queue=self.admission_queue,
            conversions=ports.conversions,
            jobs=ports.jobs,
            observer=observer,
            effects=effects,
            events=self.events,
            metrics=self.metrics,
        )

    def _heartbeat(self, ports: Ports) -> Heartbeats:
        return Heartbeats(
            ports.heartbeat,
            ports.clock,
            ports.elapsed,
            self.settings.heartbeat_namespaces,
            heartbeat_name(self.settings.instance),
            self.settings.heartbeat_seconds,
        )

    def _polling(self, ports: Ports) -> LedgerPolling:
        return LedgerPolling(
            settings=self.settings,
            clock=ports.clock,
            cache=self.cache,
            ledger=ports.ledger,
            outbox=self.outbox,
            wake=self.queue.add,
            awaiting=self.reconciler.effects.awaiting,
            stalls=self.stalls,
        )

    # --- life ---

    async def prime(self) -> None:
        """See everything once, so that nothing is decided on half a cache. Raises UnavailableError, RefusedError."""
        if self.election is None:
            # Before any Conversion is seen: one that was seen without a class stays without.
            await self.class_polling.make()
        await self.class_polling.once()
        await self.resync.prime()

    def start(self) -> None:
        """Begin: at once, or when it has been elected."""
        self._supervise({"heartbeat": self.heartbeat.run})
        if self.election is None:
            self._lead()
        else:
            self._keep("election", self._stand_by(self.election))

    async def _stand_by(self, election: Election) -> None:
        """Do nothing until it leads, then take over; what no watch told is seen first."""
        await election.win()
        holding = asyncio.ensure_future(election.hold())
        try:
            with suppress(UnavailableError):
                await self.class_polling.make()
                await self.class_polling.once()
            await self.resync.once()
            self._lead()
            await holding
        finally:
            holding.cancel()

    def _lead(self) -> None:
        """Start all that works in the background."""
        self._supervise(
            {
                "reconcile": self.queue.run,
                "admission": self.admission.admit,
                "places": self.admission.update_positions,
                "ledger": self.polling.run,
                "classes": self.class_polling.run,
                "resync": self.resync.run,
                "sets": self.set_queue.run,
                "set listing": self.set_listing.run,
                "outbox": self.outbox.run,
                "events": self.events.run,
                "orphans": self.collector.run,
            }
        )

    def _supervise(self, loops: dict[str, Callable[[], Awaitable[None]]]) -> None:
        for name, loop in loops.items():
            self.metrics.loop_failures.labels(name)
            self._keep(name, supervise(name, loop, self._count_failure))

    def _keep(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        self._tasks[name] = asyncio.create_task(work, name=name)
        self._tasks[name].add_done_callback(_tell_of_end)

    def _count_failure(self, loop: str) -> None:
        self.metrics.loop_failures.labels(loop).inc()

    async def stop(self) -> None:
        """End it; what was under way is taken up by whoever comes next."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        if self.election is not None:
            await self.election.resign()
        await self.health.close()

    async def _reconcile(self, key: Key) -> float | None:
        with self.metrics.reconcile_seconds.time():
            return await self.reconciler.reconcile(key)

    async def _reconcile_set(self, key: Key) -> float | None:
        try:
            return await self.set_reconciler.reconcile(key)
        except GoneError:
            self.sets.forget(key)
            return None

    def wake_set_of(self, document: Mapping[str, Any]) -> None:
        """A Conversion has changed: if it is of a set, that is due a moment later, and with all that change by then."""
        for owner in document["metadata"].get("ownerReferences") or ():
            if owner["kind"] == names.SET_KIND:
                self.set_queue.add_after(Key(document["metadata"]["namespace"], owner["name"]), _SET_SECONDS)

    def _is_urgent(self, key: Key) -> bool:
        """Whether others wait for the place that it has, or could have."""
        document = self.cache.conversion(key)
        return document is not None and (
            self.cache.runs(key) or self.admission_queue.holds(document["metadata"]["uid"])
        )

    def _backoff(self, key: Key, error: BaseException) -> Backoff:
        self.metrics.reconcile_errors.labels(type(error).__name__).inc()
        fields = {"namespace": key.namespace, "conversion": key.name, "error": str(error)}
        if isinstance(error, ConflictError):
            _log.debug("reconcile_conflict", **fields)
            return _CONFLICT
        if isinstance(error, OutsideError):
            _log.warning("reconcile_waits", kind=type(error).__name__, **fields)
            return _REFUSED if isinstance(error, RefusedError) else _OUTSIDE
        _log.error("reconcile_failed", exc_info=error, **fields)
        return _BUG

    # --- health ---

    def _unhealthy(self) -> str:
        dead = [name for name, task in self._tasks.items() if task.done()]
        if dead:
            return f"ended: {', '.join(dead)}"
        age = self.heartbeat.age()
        return "" if age <= self.settings.heartbeat_limit_seconds else f"no heartbeat came back for {age:.0f} s"

    def _unready(self) -> str:
        if not self._tasks:
            return "starting"
        return self._unhealthy() or ("" if self.heartbeat.heard else "no heartbeat has come back yet")


def _tell_of_end(task: asyncio.Task[None]) -> None:
    """What keeps a loop going never ends by itself: when it does, /healthz has the process restarted."""
    if not task.cancelled():
        _log.error("background_task_ended", task=task.get_name(), exc_info=task.exception())
