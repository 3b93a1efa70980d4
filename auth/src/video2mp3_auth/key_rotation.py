"""Changes to the set of signing keys: the first one, the next one, the encryption of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from cryptography.fernet import MultiFernet

from video2mp3_auth.errors import AlreadyStored
from video2mp3_auth.key_schedule import KeyPolicy, activation_time, next_generation, schedule
from video2mp3_auth.signing_keys import new_key, reencrypted
from video2mp3_auth.stores import KeyStore, StoredKey

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Rotation:
    """What a rotation came to."""

    key: StoredKey
    """The key that signs next (or signs now, if it is the first)."""

    added: bool
    """False if that key was waiting already: rotating twice in a row is one rotation."""


def rotate(store: KeyStore, fernet: MultiFernet, policy: KeyPolicy, now: datetime) -> Rotation:
    """Encrypt all keys with the first encryption key, and add the next key unless one is waiting."""
    keys = store.all()
    for key in keys:
        store.set_encrypted_private_key(key.kid, reencrypted(fernet, key))
    pending = schedule(keys, now, policy).pending if keys else None
    if pending is not None:
        return Rotation(pending, added=False)
    added = _add_key(store, keys, fernet, policy, now)
    return Rotation(max(store.all(), key=lambda key: key.generation), added=added)


def ensure_first_key(store: KeyStore, fernet: MultiFernet, policy: KeyPolicy, now: datetime) -> Sequence[StoredKey]:
    """All keys, at least one: the first replica that finds none makes it."""
    keys = store.all()
    if keys:
        return keys
    _add_key(store, keys, fernet, policy, now)
    return store.all()


def _add_key(store: KeyStore, keys: Sequence[StoredKey], fernet: MultiFernet, policy: KeyPolicy, now: datetime) -> bool:
    key = new_key(fernet, next_generation(keys), now, activation_time(keys, now, policy))
    try:
        store.add(key)
    except AlreadyStored:
        # Another process added the same generation between our look and now; its key is as good.
        return False
    _log.info("signing_key_added", kid=key.kid, generation=key.generation, activates_at=key.activates_at.isoformat())
    return True
