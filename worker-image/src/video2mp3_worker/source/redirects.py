"""⑥ The way to a source on the web: its address, and those it redirects to. Pure.

Nothing here shows more of an address than its host: path and query may hold what opens the file to anybody.
"""

import ipaddress
import string
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urldefrag, urljoin, urlsplit

from video2mp3_contracts.api import source_urls
from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.ports.errors import Refused

MOST_REDIRECTS: Final = 5

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Location:
    """One address on the way."""

    url: str
    """Without a fragment, in plain ASCII."""

    @property
    def secure(self) -> bool:
        """Whether it is https."""
        return self.url.startswith("https:")

    @property
    def host(self) -> str:
        """Name or IP address, in lower case."""
        return source_urls.host_of(self.url)

    @property
    def port(self) -> int:
        """Of TCP."""
        parts = urlsplit(self.url)
        return parts.port or _DEFAULT_PORTS[parts.scheme]

    @property
    def authority(self) -> str:
        """What the Host header says: the port only where it is not the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = self.port == _DEFAULT_PORTS[urlsplit(self.url).scheme]
        return host if usual else f"{host}:{self.port}"

    @property
    def target(self) -> str:
        """Path and query, as they stand in the request."""
        parts = urlsplit(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def first(url: str, allowed: Sequence[str]) -> Location:
    """That of `source.url`. Raises Refused where sources are not fetched from its host."""
    try:
        return _checked(quote(url, safe=string.punctuation), allowed)
    except ValueError as error:
        raise Refused(Reason.BAD_REQUEST, "source.url is not an address that can be fetched from.") from error


def following(here: Location, header: str, allowed: Sequence[str]) -> Location:
    """Where an answer's Location leads, which may be relative. Raises Refused where it may not be followed.

    Header fields reach us in Latin-1, one character for each byte.
    """
    try:
        there = urljoin(here.url, quote(header.strip(), safe=string.punctuation, encoding="iso-8859-1"))
        return _checked(there, allowed, secure=here.secure)
    except Refused as error:
        raise Refused(error.reason, f"{here.host} redirects elsewhere. {error.message}") from error
    except ValueError as error:
        sentence = f"{here.host} redirects to an address that is not http or https on port 80 or 443."
        raise Refused(Reason.SOURCE_NOT_ALLOWED, sentence) from error


def _checked(url: str, allowed: Sequence[str], *, secure: bool = False) -> Location:
    """An address, looked at. Raises ValueError where it is none."""
    there = Location(urldefrag(url).url)
    if ":" in there.host:
        ipaddress.IPv6Address(there.host)
    refusal = source_urls.refusal(there.host, allowed)
    if secure and not there.secure:
        refusal = f"From https, an address without encryption is not followed: {there.host}."
    if refusal:
        raise Refused(Reason.SOURCE_NOT_ALLOWED, refusal)
    return there
