"""Addresses of sources: what may stand in one, and which hosts an installation fetches from. Pure.

The operator asks before it makes a Job, the worker asks again for each address that it is redirected to. What a name
resolves to is looked at by the worker alone, at the moment it connects.
"""

import re
from collections.abc import Iterable
from typing import Final

PORTS: Final = (80, 443)
"""Of TCP, that sources are fetched from: what the workers' network policy opens."""

URL_PATTERN: Final = (
    r"^https?://([A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?|\[[0-9A-Fa-f:.]+\])"
    rf"(:({'|'.join(map(str, PORTS))}))?([/?#][^\x00-\x20\x7f]*)?$"
)
"""For the API server (RE2) as for Python. A user name or a password has no place in it: the resource, the Job and the
log are read by many."""

URL_COMPLAINT: Final = (
    "source.url must be http or https, with a host name or an IP address in plain ASCII, port 80, 443 or none, and "
    "without a user name, a password or spaces"
)

ANY_HOST: Final = "*"
HOST_PATTERN: Final = r"^(\*|(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*)$"
"""An entry of the list of allowed hosts: `media.example.com`, `*.example.com` or `*`."""


def host_of(url: str) -> str:
    """The host in an address that matches URL_PATTERN: in lower case, without brackets and without a last point."""
    found = re.fullmatch(URL_PATTERN, url)
    if found is None:
        raise ValueError(URL_COMPLAINT)
    return found[1].strip("[]").rstrip(".").lower()


def is_allowed(host: str, allowed: Iterable[str]) -> bool:
    """Whether sources are fetched from a host.

    `*.example.com` stands for every name below example.com, but not for itself; `*` for every host, by name or by
    address.
    """
    return any(
        pattern == ANY_HOST or host == pattern or (pattern.startswith("*.") and host.endswith(pattern[1:]))
        for pattern in allowed
    )


def refusal(host: str, allowed: Iterable[str]) -> str:
    """Why sources are not fetched from a host, as a sentence that says what would change it; "" where they are."""
    patterns = tuple(allowed)
    if is_allowed(host, patterns):
        return ""
    if not patterns:
        return "This installation fetches no sources from URLs; worker.urlSources.allowedHosts would name the hosts."
    return f"This installation does not fetch from {host}: worker.urlSources.allowedHosts does not name it."
