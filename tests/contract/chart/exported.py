"""What each service really exports: the sample names of its registry, with their labels."""

from collections.abc import Iterator

from flask import Flask
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from tests.unit.auth.builders import Service
from tests.unit.gateway.builders import Gateway
from tests.unit.operator.fakes import World
from tests.unit.operator.harness import an_operator
from video2mp3_contracts.runtime.web import REGISTRY
from video2mp3_notifier.metrics import NotifierMetrics

Samples = dict[str, frozenset[str]]
"""Labels by the sample's name, as in `{"video2mp3_http_request_seconds_bucket": {"le", "route", …}}`."""

TARGET_LABELS = frozenset({"namespace", "job", "pod", "service", "instance", "endpoint", "container"})
"""What Prometheus adds to every series that a ServiceMonitor leads to."""


def registries() -> dict[str, CollectorRegistry]:
    """What each service's /metrics is answered from."""
    return {
        "gateway": _registry(Gateway().app),
        "auth": _registry(Service().app),
        "operator": an_operator(World()).metrics.registry,
        "notifier": NotifierMetrics().registry,
    }


def exported() -> dict[str, Samples]:
    """All samples by component."""
    found = {component: dict(_samples(registry)) | _SCRAPED for component, registry in registries().items()}
    return found | dict.fromkeys(STORES, _VOLUMES)


STORES = ("mysql", "mongodb", "rabbitmq")
_VOLUMES: Samples = dict.fromkeys(
    ("kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes"),
    frozenset({"persistentvolumeclaim"}),
)
"""What the kubelet tells of the volumes of the stores."""

_SCRAPED: Samples = {"up": frozenset()}
"""Prometheus' own."""


def _registry(app: Flask) -> CollectorRegistry:
    """The one that /metrics is answered from."""
    registry: CollectorRegistry = app.extensions[REGISTRY]
    return registry


_SUFFIXES = {
    "counter": {"_total": ()},
    "gauge": {"": ()},
    "histogram": {"_bucket": ("le",), "_count": (), "_sum": ()},
}


def _samples(registry: CollectorRegistry) -> Iterator[tuple[str, frozenset[str]]]:
    # A metric with labels has no sample before its first event, so the registry's collectors are asked.
    for collector in registry._collector_to_names:
        if isinstance(collector, MetricWrapperBase):
            for suffix, more in _SUFFIXES[collector._type].items():
                yield f"{collector._name}{suffix}", frozenset({*collector._labelnames, *more})
            continue
        for family in collector.collect():
            # The operator's phases: the only family with labels whose samples come and go.
            labels = frozenset(getattr(family, "_labelnames", ()))
            for suffix in _SUFFIXES.get(family.type, {}):
                yield f"{family.name}{suffix}", labels
