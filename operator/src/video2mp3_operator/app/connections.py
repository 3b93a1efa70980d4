"""④ The one place that chooses implementations: the real outside, behind the ports."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from kubernetes.aio.client import Configuration

from video2mp3_operator.adapters.kubernetes import KubernetesApi
from video2mp3_operator.adapters.kubernetes_sets import KubernetesSets
from video2mp3_operator.adapters.mongodb import MongoStore
from video2mp3_operator.adapters.rabbitmq import RabbitPublisher
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.ports.systems import (
    ClassesApi,
    Clock,
    ConversionsApi,
    EventsApi,
    Files,
    HeartbeatApi,
    JobsApi,
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
    store: MongoStore
    ports: Ports = field(init=False)

    async def close(self) -> None:
        """Close all connections."""
        await self.kubernetes.close()
        await self.store.close()


def connect(settings: Settings, configuration: Configuration, metrics: Metrics) -> Connections:
    """The real outside. Nothing is contacted yet."""
    kubernetes = KubernetesApi(
        configuration,
        settings.kubernetes_timeout_seconds,
        lambda method, code: metrics.api_requests.labels(method, code).inc(),
        parallel=2 * settings.reconcile_concurrency,
    )
    store = MongoStore(
        settings.mongodb_uri.get_secret_value(),
        settings.mongodb_timeout_seconds,
        utc_now,
        settings.installation,
        metrics.skip,
    )
    connections = Connections(kubernetes, store)
    connections.ports = Ports(
        conversions=kubernetes,
        jobs=kubernetes,
        lister=kubernetes,
        classes=kubernetes,
        sets=KubernetesSets(kubernetes),
        events=kubernetes,
        heartbeat=kubernetes,
        ledger=store,
        files=store,
        store=store,
        publisher=RabbitPublisher(settings.rabbitmq_uri.get_secret_value()),
        clock=utc_now,
        elapsed=time.monotonic,
    )
    return connections
