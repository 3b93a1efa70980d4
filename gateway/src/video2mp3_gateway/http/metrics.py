"""What the gateway counts about itself, besides what all services do (contracts, `runtime.web`)."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from video2mp3_contracts.runtime.problem import Problem
from video2mp3_gateway.ports.systems import CacheState, DependencyUnavailable

_UPLOAD_SECONDS = (0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14400)


class GatewayMetrics:
    """The gateway's own metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.logins = Counter(
            "video2mp3_gateway_logins", "Logins passed on, by the answer's status.", ["status"], registry=registry
        )
        self.uploads = Counter(
            "video2mp3_gateway_uploads",
            "Uploads of which a body was asked for, by how they ended.",
            ["outcome"],
            registry=registry,
        )
        self.upload_bytes = Counter("video2mp3_gateway_upload_bytes", "Bytes of videos stored.", registry=registry)
        self.upload_seconds = Histogram(
            "video2mp3_gateway_upload_seconds",
            "Time from the body's first byte to the created Conversion.",
            registry=registry,
            buckets=_UPLOAD_SECONDS,
        )
        self.downloads = Counter(
            "video2mp3_gateway_downloads", "Downloads begun, by how they ended.", ["outcome"], registry=registry
        )
        self.download_bytes = Counter("video2mp3_gateway_download_bytes", "Bytes of mp3s sent.", registry=registry)
        self._running = Gauge(
            "video2mp3_gateway_transfers_running", "Transfers running now.", ["kind"], registry=registry
        )
        self._cached = Gauge(
            "video2mp3_gateway_conversions_cached", "Conversions that lists are made from.", registry=registry
        )
        self._silent = Gauge(
            "video2mp3_gateway_conversions_event_age_seconds",
            "Time since the watch of the Conversions last told anything or was opened.",
            registry=registry,
        )

    @contextmanager
    def upload(self) -> Iterator[None]:
        """Count an upload by how it ends, and time one that ends well."""
        began, outcome = time.monotonic(), "error"
        try:
            yield
            outcome = "accepted"
            self.upload_seconds.observe(time.monotonic() - began)
        except Problem as problem:
            outcome = problem.code
            raise
        except DependencyUnavailable:
            outcome = "service-unavailable"
            raise
        finally:
            self.uploads.labels(outcome).inc()

    def watch_running(self, kind: str, count: Callable[[], int]) -> None:
        """Show a number of running transfers."""
        self._running.labels(kind).set_function(count)

    def watch_cache(self, state: Callable[[], CacheState]) -> None:
        """Show what lists are made from."""
        self._cached.set_function(lambda: state().conversions)
        self._silent.set_function(lambda: state().silent_seconds)
