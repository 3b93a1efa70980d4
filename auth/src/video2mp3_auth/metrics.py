"""What is measured, beside what every HTTP service measures."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from video2mp3_auth.errors import (
    AuthError,
    KeysUnreadable,
    LoginRejected,
    MalformedCredentials,
    MissingCredentials,
    Overloaded,
    StoreUnavailable,
    Throttled,
)
from video2mp3_auth.key_ring import KeyRing

SUCCEEDED: Final = "succeeded"
# Why a login is rejected is not told apart: whoever reads the metrics could find out which accounts exist.
_OUTCOMES: Final[dict[type[AuthError], str]] = {
    MissingCredentials: "malformed",
    MalformedCredentials: "malformed",
    LoginRejected: "rejected",
    Throttled: "throttled",
    Overloaded: "overloaded",
    StoreUnavailable: "unavailable",
    KeysUnreadable: "unavailable",
}


class AuthMetrics:
    """The service's own metrics."""

    def __init__(self, registry: CollectorRegistry, ring: KeyRing) -> None:
        self._logins = Counter("video2mp3_auth_logins", "Logins by their outcome.", ["outcome"], registry=registry)
        for outcome in (SUCCEEDED, *_OUTCOMES.values()):
            self._logins.labels(outcome)
        self.login_seconds = Histogram(
            "video2mp3_auth_login_seconds", "Time of logins that the limit by address let in.", registry=registry
        )
        age = Gauge(
            "video2mp3_auth_signing_key_age_seconds",
            "How long the key that signs has done so; NaN before any key was read.",
            registry=registry,
        )
        age.set_function(lambda: _seconds(ring))

    def count_login(self) -> None:
        """Count a login that ended well."""
        self._logins.labels(SUCCEEDED).inc()

    def count_failed_login(self, error: AuthError) -> None:
        """Count a login that ended with an error."""
        self._logins.labels(_OUTCOMES[type(error)]).inc()


def _seconds(ring: KeyRing) -> float:
    age = ring.signing_key_age()
    return float("nan") if age is None else age.total_seconds()
