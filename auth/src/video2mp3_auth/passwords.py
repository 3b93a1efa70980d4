"""Password hashes: the port, argon2id behind it, and what a new password must be."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Final, Protocol

import argon2
from argon2.exceptions import InvalidHashError, VerificationError

from video2mp3_auth.credentials import LONGEST_PASSWORD_BYTES, has_control_characters, normalise_password
from video2mp3_auth.errors import Overloaded, UnusableInput

SHORTEST_PASSWORD: Final = 8
"""Characters, NIST SP 800-63B's minimum."""

_GENERATED_BYTES = 18
_LONGEST_WAIT_SECONDS = 5.0


class PasswordHasher(Protocol):
    """Hashes and checks passwords. All methods but `needs_rehash` raise Overloaded."""

    def hash(self, password: str) -> str:
        """A new salted hash."""

    def matches(self, password_hash: str, password: str) -> bool:
        """Whether the password is the one; an unreadable hash matches nothing."""

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""


class Argon2Hasher:
    """argon2id, one lane, with a limit on how many run at once: each takes `memory_kib` of memory."""

    def __init__(self, memory_kib: int, time_cost: int, concurrency: int) -> None:
        self._argon2 = argon2.PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._free = BoundedSemaphore(concurrency)

    def hash(self, password: str) -> str:
        """A new salted hash."""
        with self._place():
            return self._argon2.hash(password)

    def matches(self, password_hash: str, password: str) -> bool:
        """Whether the password is the one."""
        with self._place():
            try:
                return self._argon2.verify(password_hash, password)
            except (VerificationError, InvalidHashError):
                return False

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters."""
        return self._argon2.check_needs_rehash(password_hash)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._free.acquire(timeout=_LONGEST_WAIT_SECONDS):
            raise Overloaded("Too many logins at once. Try again in a few seconds.")
        try:
            yield
        finally:
            self._free.release()


def usable_password(text: str) -> str:
    """The normalised form of a new password; raise UnusableInput if it may not be one."""
    password = normalise_password(text)
    if len(password) < SHORTEST_PASSWORD:
        raise UnusableInput(f"A password has at least {SHORTEST_PASSWORD} characters.")
    if len(password.encode()) > LONGEST_PASSWORD_BYTES:
        raise UnusableInput(f"A password has at most {LONGEST_PASSWORD_BYTES} bytes.")
    if has_control_characters(password):
        raise UnusableInput("A password has no control characters: they cannot be sent with HTTP Basic.")
    return password


def generate_password() -> str:
    """A random password of 144 bits, safe to paste anywhere."""
    return secrets.token_urlsafe(_GENERATED_BYTES)
