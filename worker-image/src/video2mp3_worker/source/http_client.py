"""⑥ The public internet by HTTP. The only module here that knows urllib3; imported only where a source is an address.

A host's name is resolved, each of its addresses is looked at, and the socket connects to the very address that was
looked at: what the name resolves to a moment later does not matter. No proxy, cookie or password of the environment's
is used. All that may block runs in a thread of its own, so that a request to stop is heard within a moment.
"""

import logging
import socket
import ssl
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import Final

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.ports.systems import BrokenOffError
from video2mp3_worker.source.addresses import is_public
from video2mp3_worker.source.background import Background
from video2mp3_worker.source.redirects import Location

ANSWER_SECONDS: Final = 60.0
"""To resolve, connect and get an answer's head."""

STALL_SECONDS: Final = 30.0
"""Without a byte of an answer."""

_CONNECT_SECONDS: Final = 10.0
_SILENCE_SECONDS: Final = 300.0
_MOST_ADDRESSES: Final = 8
"""Of a host that are tried, one after the other."""

_BLOCK_BYTES: Final = 256 * 1024
_BLOCKS_AHEAD: Final = 8
_TLS: Final = ssl.TLSVersion.TLSv1_2
_NO_SUCH_NAME: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})

Resolve = Callable[[str, int], list[str]]
"""The IP addresses of a host, as text. Raises OSError."""

# Its warnings quote whole addresses, and an address may hold what opens the file to anybody.
logging.getLogger("urllib3").setLevel(logging.CRITICAL)


def resolved(host: str, port: int) -> list[str]:
    """The addresses of a host as the system knows them, best first."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class HttpWeb:
    """HTTP/1.1, with TLS whose certificates are verified."""

    resolve: Resolve = resolved
    answer_seconds: float = ANSWER_SECONDS
    stall_seconds: float = STALL_SECONDS

    @contextmanager
    def ask(self, url: str, headers: Mapping[str, str], watch: Callable[[], None]) -> Iterator["HttpAnswer"]:
        """GET an address, following nothing. Raises Refused and BrokenOffError."""
        exchange = _Exchange(Location(url), headers, self.resolve)
        answer = HttpAnswer(exchange, Background(exchange.run(), _BLOCKS_AHEAD), watch, self.stall_seconds)
        try:
            answer.begin(self.answer_seconds)
            yield answer
        finally:
            answer.close()


class HttpAnswer:
    """An answer on its way."""

    status: int
    headers: Mapping[str, str]

    def __init__(
        self,
        exchange: "_Exchange",
        incoming: "Background[_Head | bytes]",
        watch: Callable[[], None],
        stall_seconds: float,
    ) -> None:
        self._exchange = exchange
        self._incoming = incoming
        self._watch = watch
        self._stall_seconds = stall_seconds

    def begin(self, seconds: float) -> None:
        """Wait for the head."""
        head = self._take(seconds)
        assert isinstance(head, _Head)  # noqa: S101 - the first thing that an exchange brings
        self.status, self.headers = head.status, head.headers

    def blocks(self) -> Iterator[bytes]:
        """The content as it is sent. Raises BrokenOffError where it ends early."""
        while isinstance(block := self._take(self._stall_seconds), bytes):
            yield block

    def close(self) -> None:
        """Hang up."""
        self._incoming.close()
        self._exchange.hang_up()

    def _take(self, seconds: float) -> "_Head | bytes | None":
        try:
            return self._incoming.take(self._watch, seconds)
        except TimeoutError as error:
            raise BrokenOffError(f"{self._exchange.location.host} sent nothing for {seconds:.0f} seconds.") from error


@dataclass(frozen=True)
class _Head:
    status: int
    headers: Mapping[str, str]


class _Exchange:
    """One request and its answer; all of it may block."""

    def __init__(self, location: Location, headers: Mapping[str, str], resolve: Resolve) -> None:
        self.location = location
        self._headers = headers
        self._resolve = resolve
        self._socket: socket.socket | None = None

    def run(self) -> Generator[_Head | bytes, None, None]:
        """First the head, then the content in blocks of any size."""
        with self._in_words(), closing(self._connected()) as connection:
            self._socket = connection.sock
            # Whoever takes the answer knows how long to wait for what, and hangs up; this is a net under it.
            connection.timeout = _SILENCE_SECONDS
            connection.request(
                "GET",
                self.location.target,
                headers={**self._headers, "Host": self.location.authority},
                preload_content=False,
                decode_content=False,
            )
            response = connection.getresponse()
            yield _Head(response.status, response.headers)
            while block := response.read1(_BLOCK_BYTES):
                yield block

    def hang_up(self) -> None:
        """Wake the thread that waits for the server."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _connected(self) -> HTTPConnection:
        """A connection to the first public address that takes one."""
        addresses = [address for address in self._addresses() if is_public(address)]
        if not addresses:
            raise Refused(Reason.SOURCE_NOT_ALLOWED, f"{self.location.host} has no address in the public internet.")
        for address in addresses[:_MOST_ADDRESSES]:
            connection = self._connection(address)
            try:
                connection.connect()
            except ssl.SSLCertVerificationError:
                raise
            except (OSError, HTTPError):
                connection.close()
            else:
                return connection
        raise BrokenOffError(f"No connection to {self.location.host} could be made.")

    def _addresses(self) -> list[str]:
        try:
            return self._resolve(self.location.host, self.location.port)
        except (OSError, UnicodeError) as error:
            if isinstance(error, UnicodeError) or error.errno in _NO_SUCH_NAME:
                raise Refused(Reason.SOURCE_NOT_FOUND, f"There is no host named {self.location.host}.") from error
            raise BrokenOffError(f"The name {self.location.host} could not be resolved.") from error

    def _connection(self, address: str) -> HTTPConnection:
        """Not yet connected. The address stands where urllib3 expects a name, so nothing is resolved again."""
        if not self.location.secure:
            return HTTPConnection(address, self.location.port, timeout=_CONNECT_SECONDS)
        return HTTPSConnection(
            address,
            self.location.port,
            timeout=_CONNECT_SECONDS,
            server_hostname=self.location.host,
            ssl_minimum_version=_TLS,
        )

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        host = self.location.host
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            sentence = f"{host} cannot prove who it is: {error.verify_message}."
            raise Refused(Reason.SOURCE_REFUSED, sentence) from error
        except (OSError, HTTPError, HTTPException) as error:
            raise BrokenOffError(f"The connection to {host} broke ({type(error).__name__}).") from error
