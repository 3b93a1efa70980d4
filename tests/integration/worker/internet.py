"""A small internet in a network namespace: any address may be served there, names are what the test says they are.

The servers are threads of the test, only their sockets belong to the namespace. A program that is started by `inside`
reaches them and nothing else.
"""

import contextlib
import ctypes
import ipaddress
import json
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

_SECONDS = 10.0
_CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)
_TYPES = {1: 4, 28: 6}
"""Of DNS records, by number: A and AAAA, and the IP version that they tell."""


class Internet:
    """The namespace, and the one name server in it."""

    def __init__(self, folder: Path) -> None:
        self.names: dict[str, list[list[str]]] = {}
        """What a name leads to: the addresses of the first answer, of the second, and so on; the last one stays."""
        self.questions: Counter[str] = Counter()
        """How often each name was asked for, for IPv4."""
        resolver = folder / "resolv.conf"
        resolver.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:2\n")
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(_SECONDS)
        with theirs:
            program = [sys.executable, "-I", str(Path(__file__).with_name("namespace.py"))]
            self._holder = subprocess.Popen(
                ["unshare", "--net", "--mount", *program, str(theirs.fileno()), str(resolver)],
                pass_fds=[theirs.fileno()],
            )
        self._sockets: list[socket.socket] = []
        self._let_in: set[int] = set()

    def __enter__(self) -> Self:
        questions = self.listen("127.0.0.1", 53, "SOCK_DGRAM")
        threading.Thread(target=self._answer, args=(questions,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        for each in self._sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        self._control.close()
        self._holder.send_signal(signal.SIGKILL)
        self._holder.wait(_SECONDS)

    def listen(self, host: str, port: int, kind: str = "SOCK_STREAM") -> socket.socket:
        """A socket bound to an address of the namespace."""
        self._control.send(json.dumps({"host": host, "port": port, "kind": kind}).encode())
        _, (descriptor,), *_ = socket.recv_fds(self._control, 1, 1)
        self._sockets.append(socket.socket(fileno=descriptor))
        return self._sockets[-1]

    def inside(self, command: Sequence[str]) -> list[str]:
        """The command that runs a command there."""
        here = f"/proc/{self._holder.pid}/ns"
        return ["nsenter", f"--net={here}/net", f"--mount={here}/mnt", *command]

    @contextlib.contextmanager
    def visited(self) -> Iterator[None]:
        """Within, the calling thread is there, and so are the threads that it starts."""
        with Path("/proc/thread-self/ns/net").open() as home, Path(f"/proc/{self._holder.pid}/ns/net").open() as there:
            _set_network(there.fileno())
            try:
                yield
            finally:
                _set_network(home.fileno())

    def let_in(self, port: int) -> None:
        """Make a port of the test's own loopback address reachable on that of the namespace."""
        if port in self._let_in:
            return
        self._let_in.add(port)
        threading.Thread(target=_relay, args=(self.listen("127.0.0.1", port), port), daemon=True).start()

    def _answer(self, questions: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                question, sender = questions.recvfrom(512)
                if not question:
                    return  # shut down
                questions.sendto(self._records(question), sender)

    def _records(self, question: bytes) -> bytes:
        """The answer to one DNS question (RFC 1035, section 4)."""
        labels, position = [], 12
        while length := question[position]:
            labels.append(question[position + 1 : position + 1 + length].decode())
            position += length + 1
        name = ".".join(labels).lower()
        (kind,) = struct.unpack("!H", question[position + 1 : position + 3])
        asked = question[12 : position + 5]
        if name not in self.names:
            return question[:2] + struct.pack("!HHHHH", 0x8183, 1, 0, 0, 0) + asked
        addresses = [ipaddress.ip_address(text) for text in self._turn(name, kind)]
        packed = [address.packed for address in addresses if address.version == _TYPES.get(kind)]
        records = [struct.pack("!HHHIH", 0xC00C, kind, 1, 0, len(each)) + each for each in packed]
        return question[:2] + struct.pack("!HHHHH", 0x8180, 1, len(records), 0, 0) + asked + b"".join(records)

    def _turn(self, name: str, kind: int = 1) -> list[str]:
        answers = self.names[name]
        turn = min(self.questions[name], len(answers) - 1)
        # A resolver asks for both kinds at once; the address that counts in these tests is one of IPv4.
        if kind == 1:
            self.questions[name] += 1
        return answers[turn]

    def resolve(self, host: str, _port: int) -> list[str]:
        """The addresses of a host, for who does not ask the name server."""
        with contextlib.suppress(ValueError):
            return [str(ipaddress.ip_address(host))]
        if host not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return self._turn(host)


def _set_network(descriptor: int) -> None:
    if _libc.setns(descriptor, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def _relay(listening: socket.socket, port: int) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listening.accept()
            threading.Thread(target=_join, args=(client, port), daemon=True).start()


def _join(client: socket.socket, port: int) -> None:
    with client, socket.create_connection(("127.0.0.1", port), timeout=_SECONDS) as server:
        server.settimeout(None)
        back = threading.Thread(target=_pump, args=(server, client), daemon=True)
        back.start()
        _pump(client, server)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65_536):
            sink.sendall(piece)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
