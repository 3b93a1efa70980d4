"""④ The one place that chooses implementations: the real outside, behind the ports."""

import copy
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final
from uuid import uuid4

from kubernetes.aio.client import Configuration

from video2mp3_operator.adapters.kubernetes import KubernetesApi
from video2mp3_operator.adapters.kubernetes_leases import KubernetesLeases
from video2mp3_operator.adapters.kubernetes_sets import KubernetesSets
from video2mp3_operator.adapters.mongodb import MongoStore
from video2mp3_operator.adapters.rabbitmq import RabbitPublisher
from video2mp3_operator.leadership.election import Election, Terms
from video2mp3_operator.leadership.fence import Fence, fenced
from video2mp3_operator.leadership.record import leader_name
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.ports.systems import (
    ClassesApi,
    Clock,
    ConversionsApi,
    EventsApi,
    Files,
    HeartbeatApi,
    JobsApi,
    LeasesApi,
    Ledger,
    Lister,
    Publisher,
    SetsApi,
    Stopwatch,
    Store,
)
from video2mp3_operator.telemetry.metrics import Metrics


def utc_now() -> datetime:
    """The clock of the real world."""
    return datetime.now(UTC)


_LEASE_REQUESTS: Final = 2
"""At a time, on connections of their own: a renewal waits for no other request."""

_STOPWATCH: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
"""Linux' boot time also counts what a machine slept through."""


def stopwatch() -> float:
    """The seconds of the real world, that nobody sets."""
    return time.clock_gettime(_STOPWATCH)


@dataclass(frozen=True)
class Ports:
    """The outside: the real one, or the tests'."""

    conversions: ConversionsApi
    jobs: JobsApi
    lister: Lister
    classes: ClassesApi
    sets: SetsApi
    events: EventsApi
    heartbeat: HeartbeatApi
    leases: LeasesApi
    ledger: Ledger
    files: Files
    store: Store
    publisher: Publisher
    clock: Clock
    elapsed: Stopwatch


@dataclass
class Connections:
    """The real outside, to be closed at the end."""

    kubernetes: KubernetesApi
    leases: KubernetesApi
    store: MongoStore
    ports: Ports = field(init=False)

    async def close(self) -> None:
        """Close all connections."""
        await self.kubernetes.close()
        await self.leases.close()
        await self.store.close()


def connect(settings: Settings, configuration: Configuration, metrics: Metrics) -> Connections:
    """The real outside. Nothing is contacted yet."""
    kubernetes = _kubernetes(settings, configuration, metrics, 2 * settings.reconcile_concurrency)
    leases = _kubernetes(settings, configuration, metrics, _LEASE_REQUESTS)
    store = MongoStore(
        settings.mongodb_uri.get_secret_value(),
        settings.mongodb_timeout_seconds,
        utc_now,
        settings.installation,
        metrics.skip,
    )
    connections = Connections(kubernetes, leases, store)
    connections.ports = Ports(
        conversions=kubernetes,
        jobs=kubernetes,
        lister=kubernetes,
        classes=kubernetes,
        sets=KubernetesSets(kubernetes),
        events=kubernetes,
        heartbeat=kubernetes,
        leases=KubernetesLeases(leases),
        ledger=store,
        files=store,
        store=store,
        publisher=RabbitPublisher(settings.rabbitmq_uri.get_secret_value()),
        clock=utc_now,
        elapsed=stopwatch,
    )
    return connections


def _kubernetes(settings: Settings, configuration: Configuration, metrics: Metrics, parallel: int) -> KubernetesApi:
    return KubernetesApi(
        copy.deepcopy(configuration),
        settings.kubernetes_timeout_seconds,
        lambda method, code: metrics.api_requests.labels(method, code).inc(),
        parallel,
    )


def stand_for_election(settings: Settings, ports: Ports, lost: Callable[[str], None]) -> tuple[Ports, Election]:
    """The outside behind a fence that only a leader passes, and the election that opens it.

    All calls but lists are kept back, reads too: whoever adds one need not remember that it writes. A standby beats, so
    that it is known to hear; who has led and lost does not even do that.
    """
    fence = Fence(ports.elapsed, settings.lease_deadline_seconds)
    terms = Terms(settings.lease_seconds, settings.lease_deadline_seconds, settings.lease_renew_seconds)
    election = Election(
        leases=ports.leases,
        clock=ports.clock,
        elapsed=ports.elapsed,
        fence=fence,
        terms=terms,
        namespace=settings.namespace,
        name=leader_name(settings.instance),
        identity=f"{socket.gethostname()}_{uuid4()}",
        lost=lost,
    )
    return _behind(fence, ports), election


def _behind(fence: Fence, ports: Ports) -> Ports:
    return replace(
        ports,
        conversions=fenced(ports.conversions, fence.admit_leader),
        jobs=fenced(ports.jobs, fence.admit_leader),
        classes=fenced(ports.classes, fence.admit_leader),
        sets=fenced(ports.sets, fence.admit_leader),
        events=fenced(ports.events, fence.admit_leader),
        heartbeat=fenced(ports.heartbeat, fence.admit_standby),
        ledger=fenced(ports.ledger, fence.admit_leader),
        files=fenced(ports.files, fence.admit_leader),
        store=fenced(ports.store, fence.admit_leader),
        publisher=fenced(ports.publisher, fence.admit_leader),
    )
