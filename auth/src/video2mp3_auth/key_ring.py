"""The signing keys as this process knows them: read from the store, kept for a while, and kept while it is away."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from cryptography.fernet import MultiFernet
from cryptography.hazmat.primitives.asymmetric import ec

from video2mp3_auth.errors import StoreUnavailable
from video2mp3_auth.key_rotation import ensure_first_key
from video2mp3_auth.key_schedule import KeyPolicy, KeySchedule, schedule
from video2mp3_auth.signing_keys import private_key_of
from video2mp3_auth.stores import KeyStore, StoredKey

Clock = Callable[[], datetime]
"""Answers the time with its zone (UTC)."""

_RETRY = timedelta(seconds=5)
_LONGEST_WAIT_SECONDS = 5.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class _Loaded:
    keys: Sequence[StoredKey]
    private_keys: dict[str, ec.EllipticCurvePrivateKey]
    stale_at: datetime


class KeyRing:
    """Answers which key signs and which are published, from at most `refresh` old knowledge.

    All methods raise StoreUnavailable until the keys were read once, and KeysUnreadable if they cannot be decrypted.
    """

    def __init__(
        self, store: KeyStore, fernet: MultiFernet, policy: KeyPolicy, refresh: timedelta, clock: Clock
    ) -> None:
        self._store = store
        self._fernet = fernet
        self._policy = policy
        self._refresh = refresh
        self._clock = clock
        self._loaded: _Loaded | None = None
        self._loading = threading.Lock()

    def signing(self) -> tuple[str, ec.EllipticCurvePrivateKey]:
        """The kid and the key that sign now."""
        loaded = self._current()
        kid = self._schedule(loaded).signing.kid
        return kid, loaded.private_keys[kid]

    def published(self) -> dict[str, ec.EllipticCurvePublicKey]:
        """The keys that tokens may be signed with now or soon, by kid."""
        loaded = self._current()
        return {key.kid: loaded.private_keys[key.kid].public_key() for key in self._schedule(loaded).published}

    def signing_key_age(self) -> timedelta | None:
        """How long the key that signs has done so; None if no key was read yet. Asks nobody."""
        if self._loaded is None:
            return None
        return self._clock() - self._schedule(self._loaded).signing.activates_at

    def _schedule(self, loaded: _Loaded) -> KeySchedule:
        return schedule(loaded.keys, self._clock(), self._policy)

    def _current(self) -> _Loaded:
        loaded = self._loaded
        if loaded is not None and (self._clock() < loaded.stale_at or self._loading.locked()):
            return loaded
        if not self._loading.acquire(timeout=_LONGEST_WAIT_SECONDS):
            raise StoreUnavailable("The signing keys are still being read.")
        try:
            return self._reload(self._loaded)
        finally:
            self._loading.release()

    def _reload(self, known: _Loaded | None) -> _Loaded:
        now = self._clock()
        if known is not None and now < known.stale_at:
            return known
        try:
            keys = self._read(now)
        except StoreUnavailable as error:
            if known is None:
                raise
            # Keys change only in the store: while it is away, what we know is still true.
            _log.warning("signing_keys_not_refreshed", error=str(error))
            self._loaded = _Loaded(known.keys, known.private_keys, now + _RETRY)
            return self._loaded
        known_keys = known.private_keys if known else {}
        private_keys = {key.kid: known_keys.get(key.kid) or private_key_of(self._fernet, key) for key in keys}
        self._loaded = _Loaded(keys, private_keys, now + self._refresh)
        return self._loaded

    def _read(self, now: datetime) -> Sequence[StoredKey]:
        keys = ensure_first_key(self._store, self._fernet, self._policy, now)
        removable = schedule(keys, now, self._policy).removable
        self._tidy_up(removable)
        return [key for key in keys if key not in removable]

    def _tidy_up(self, removable: Sequence[StoredKey]) -> None:
        """Forget old keys in the store, if it lets us: one that only reads, during a failover, still serves logins."""
        try:
            for key in removable:
                self._store.remove(key.kid)
                _log.info("signing_key_removed", kid=key.kid, generation=key.generation)
        except StoreUnavailable as error:
            _log.warning("signing_keys_not_removed", error=str(error))
