"""Asking a cluster some of whose parts are away: again and again, until it answers or the time is up."""

import subprocess
import time
from collections.abc import Callable
from typing import Final, TypeVar

import pymongo.errors
import requests

OUTAGES: Final = (
    AssertionError,  # kubectl's, by `Release`
    OSError,
    subprocess.SubprocessError,
    requests.RequestException,
    pymongo.errors.PyMongoError,
)
_POLL_SECONDS: Final = 0.5
_T = TypeVar("_T")


class TooLongError(Exception):
    """The time is up."""


def persistently(ask: Callable[[], _T], *, seconds: float, what: str) -> _T:
    """The first answer that is none of an outage's errors. Raises TooLongError with the last of those."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except OUTAGES as error:
            if time.monotonic() > deadline:
                raise TooLongError(f"not within {seconds:g} s: {what}: {error}") from error
        time.sleep(_POLL_SECONDS)


def until_nothing(ask: Callable[[], str], *, seconds: float) -> str:
    """Ask until the answer is ""; an outage is an answer as well. The last answer."""
    deadline = time.monotonic() + seconds
    while said := _asked(ask):
        if time.monotonic() > deadline:
            break
        time.sleep(_POLL_SECONDS)
    return said


def _asked(ask: Callable[[], str]) -> str:
    try:
        return ask()
    except OUTAGES as error:
        return str(error).strip() or type(error).__name__
