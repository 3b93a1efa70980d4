"""A mail server that answers by a script, also with half an answer."""

import contextlib
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from threading import Thread

_PATIENCE_SECONDS = 10
_CAPABLE = b"250-there\r\n250-STARTTLS\r\n250-AUTH PLAIN\r\n250 SMTPUTF8\r\n"
_ANSWERS = {
    "greeting": b"220 there\r\n",
    "EHLO": _CAPABLE,
    "EHLO over TLS": _CAPABLE,
    "STAR": b"220 go on\r\n",
    "AUTH": b"235 known\r\n",
    "DATA": b"354 go on\r\n",
}


@dataclass
class ScriptedServer:
    """One connection's worth of a mail server."""

    tls: ssl.SSLContext
    answers: Mapping[str, bytes] = field(default_factory=dict)
    """By a command's first four letters, `.` for the email's end, `EHLO over TLS` for the second one.

    An answer without a line break is all that comes.
    """

    tls_first: bool = False
    hangs_up: bool = False
    """After half an answer; otherwise it waits until the other side does."""

    asked: list[str] = field(default_factory=list)
    """The commands, by their first four letters."""

    port: int = 0

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Take one connection, and wait at the end until it is over."""
        with socket.create_server(("localhost", 0)) as listener:
            listener.settimeout(_PATIENCE_SECONDS)
            self.port = listener.getsockname()[1]
            thread = Thread(target=self._serve, args=(listener,), daemon=True)
            thread.start()
            yield
            thread.join()

    def _serve(self, listener: socket.socket) -> None:
        connection, _address = listener.accept()
        connection.settimeout(_PATIENCE_SECONDS)
        with contextlib.suppress(OSError):
            if self.tls_first:
                self._secured(connection)
            elif self._answer(connection, "greeting"):
                self._converse(connection)
        connection.close()

    def _secured(self, connection: socket.socket) -> None:
        with self.tls.wrap_socket(connection, server_side=True) as secured:
            if not self.tls_first or self._answer(secured, "greeting"):
                self._converse(secured)

    def _converse(self, connection: socket.socket) -> None:
        while command := _line(connection)[:4].upper().decode():
            over_tls = command == "EHLO" in self.asked
            self.asked.append(command)
            if not self._answer(connection, "EHLO over TLS" if over_tls else command):
                return
            if command == "STAR":
                self._secured(connection)
                return
            if command == "DATA":
                while _line(connection) != b".\r\n":
                    pass
                self.asked.append(".")
                if not self._answer(connection, "."):
                    return

    def _answer(self, connection: socket.socket, to: str) -> bool:
        """Answer; whether it goes on."""
        answer = {**_ANSWERS, **self.answers}.get(to, b"250 there\r\n")
        connection.sendall(answer)
        if answer.endswith(b"\n"):
            return True
        if not self.hangs_up:
            connection.recv(1)
        return False


def _line(connection: socket.socket) -> bytes:
    line = b""
    while not line.endswith(b"\n") and (octet := connection.recv(1)):
        line += octet
    return line
