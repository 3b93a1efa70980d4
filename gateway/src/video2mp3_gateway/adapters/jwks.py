"""The public keys that tokens are verified with: fetched from the auth service, cached, and refreshed.

PyJWT brings a client of its own for this, but it forgets its keys when they expire while the auth service is away, and
asks again and again while it is. Here known keys stay until a fetch replaces them, and fetches have a minimum
distance, so that tokens with invented key ids cannot be turned into load on the auth service.
"""

import threading
import time
from collections.abc import Callable
from typing import Any, Final

import jwt
import structlog

from video2mp3_gateway.ports.systems import DependencyUnavailable

ALGORITHM: Final = "ES256"
MIN_SECONDS_BETWEEN_FETCHES: Final = 5.0
"""Also how long a key may stay unknown after it was first used, if the set was fetched just before."""

FRESH_SECONDS: Final = 300.0
"""A set older than this is fetched again when it is used, so that withdrawn keys stop to count."""

_log = structlog.get_logger(__name__)


class KeySet:
    """The auth service's signing keys by their `kid`."""

    def __init__(self, fetch: Callable[[], Any], clock: Callable[[], float] = time.monotonic) -> None:
        """`fetch` gives the JWK Set (RFC 7517) as decoded JSON, or raises DependencyUnavailable."""
        self._fetch = fetch
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._stale_at = self._next_fetch_at = float("-inf")
        self._fetching = threading.Lock()

    def key(self, kid: str) -> jwt.PyJWK | None:
        """The key of this id. Raises DependencyUnavailable while no key at all is known."""
        known = kid in self._keys
        if not known or self._clock() >= self._stale_at:
            self._refresh(wait=not known)
        if not self._keys:
            raise DependencyUnavailable("auth", "its keys were never fetched")
        return self._keys.get(kid)

    def ensure(self) -> None:
        """Fetch the keys if none is known. Raises DependencyUnavailable while none is."""
        if not self._keys:
            self.key("")

    def _refresh(self, *, wait: bool) -> None:
        """Fetch, unless that was tried just now. One thread fetches; the others use what is known, or wait for it."""
        if not self._fetching.acquire(blocking=wait):
            return
        try:
            if self._clock() >= self._next_fetch_at:
                self._next_fetch_at = self._clock() + MIN_SECONDS_BETWEEN_FETCHES
                self._keys = _signing_keys(self._fetch())
                self._stale_at = self._clock() + FRESH_SECONDS
        except DependencyUnavailable as error:
            _log.warning("keys_not_fetched", error=str(error), known=len(self._keys))
        finally:
            self._fetching.release()


def _signing_keys(document: Any) -> dict[str, jwt.PyJWK]:
    try:
        keys = jwt.PyJWKSet.from_dict(document).keys
    except (jwt.PyJWTError, AttributeError, TypeError) as error:
        raise DependencyUnavailable("auth", f"its key set cannot be read: {error}") from error
    return {
        key.key_id: key
        for key in keys
        if key.key_id and key.algorithm_name == ALGORITHM and key.public_key_use in ("sig", None)
    }
