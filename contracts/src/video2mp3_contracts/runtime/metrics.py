"""What the metrics of all services have in common: a registry with the process's own, and what was built."""

from importlib.metadata import version

from prometheus_client import CollectorRegistry, Gauge, ProcessCollector, disable_created_metrics


def new_registry() -> CollectorRegistry:
    """A registry for one service's metrics; every name of ours begins with `video2mp3_`."""
    # In the text format each counter's birth would be a gauge of its own, which nobody asks for.
    disable_created_metrics()
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    build = Gauge("video2mp3_build_info", "1, by the version that runs.", ["version"], registry=registry)
    build.labels(version("video2mp3-contracts")).set(1)
    return registry
