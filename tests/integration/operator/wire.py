"""The wire between the operator and everything outside: lets all through, notes each write, and breaks on demand.

The API server's side is a TLS proxy that knows requests, so that a write can be told from a watch; MongoDB's and
RabbitMQ's sides follow the two protocols as far as they must to tell when a write begins and when its answer is there
(MongoDB: OP_MSG; AMQP 0-9-1: Basic.Publish and Basic.Ack).
"""

import asyncio
import socket
import ssl
import struct
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Final, NamedTuple, Self, TypeVar
from urllib.parse import SplitResult, urlsplit

import aiohttp
import bson
from aiohttp import web
from yarl import URL

from tests.integration.operator.operator_process import Addresses
from tests.servers import KubernetesServer, MongoDBServer, RabbitMQServer
from tests.servers.process import HOST, await_condition, free_port

_CALL_SECONDS: Final = 20
_AUTOMATIC: Final = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
_HOP_BY_HOP: Final = {"Connection", "Content-Length", "Host", "Keep-Alive", "Transfer-Encoding", "Date", "Server"}
_T = TypeVar("_T")


class Write(NamedTuple):
    """One write that had its effect."""

    system: str
    """kubernetes, mongodb or rabbitmq."""

    what: str
    """A method and path, a command and collection, or "publish"."""

    status: int = 200
    """What the API server answered."""


class _BrokenError(Exception):
    """The wire was cut while this was on it."""


class Wire:
    """Use it as a context manager; the wire lives in a thread of its own."""

    def __init__(self, kubernetes: KubernetesServer, mongodb: MongoDBServer, rabbitmq: RabbitMQServer) -> None:
        self._kubernetes = kubernetes
        self._mongodb = urlsplit(mongodb.uri_of("operator"))
        self._rabbitmq = urlsplit(rabbitmq.url)
        self._ports = {name: free_port() for name in ("kubernetes", "mongodb", "rabbitmq")}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._healed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self._sockets: list[socket.socket] = []
        self._left: int | None = None
        self._deaf = False
        self._age_of_watches = 0
        self.is_cut = False
        """Whether nothing passes any more."""

        self.writes: list[Write] = []
        """All that had their effect, but for heartbeats."""

        self.asked: list[str] = []
        """Methods and paths of all that the API server was asked to write, heartbeats and Leases too."""

        self.watches_opened = 0
        self.rival: Callable[[str, str], None] = lambda _method, _path: None
        """Called with method and path before each write to the API server is let through."""

    @property
    def addresses(self) -> Addresses:
        """Where the operator is to be sent."""
        return Addresses(
            kubernetes=f"https://{HOST}:{self._ports['kubernetes']}",
            ca_file=self._kubernetes.ca_file,
            mongodb=_moved(self._mongodb, self._ports["mongodb"]),
            rabbitmq=_moved(self._rabbitmq, self._ports["rabbitmq"]),
        )

    # --- what tests do ---

    def cut_after(self, writes: int) -> None:
        """Let so many more writes have their effect; then nothing passes, not even the last one's answer."""
        self._left = writes

    def cut_watches(self) -> None:
        """Break every watch at its next event, which is lost; they may be opened again."""
        self._age_of_watches += 1

    def deafen(self) -> None:
        """Watches bring nothing any more and new ones are not answered, while all else passes."""
        self._age_of_watches += 1
        self._deaf = True

    def cut(self) -> None:
        """Let nothing pass."""
        self.is_cut = True

    def heal(self) -> None:
        """Let everything through again; what was on the wire when it broke is lost."""
        self._call(self._heal())

    # --- life ---

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._open())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_CALL_SECONDS)

    async def _open(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0,
                ssl=ssl.create_default_context(cafile=self._kubernetes.ca_file),
                socket_factory=self._socket,
            ),
            timeout=aiohttp.ClientTimeout(total=None, connect=_CALL_SECONDS),
            auto_decompress=False,
        )
        application = web.Application(client_max_size=0)
        application.router.add_route("*", "/{path:.*}", self._relay)
        self._runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*self._kubernetes.certificate)
        await web.TCPSite(self._runner, HOST, self._ports["kubernetes"], ssl_context=context).start()
        for name, address, protocol in (
            ("mongodb", self._mongodb, _MongoDB),
            ("rabbitmq", self._rabbitmq, _RabbitMQ),
        ):
            serve = self._between(address, protocol)
            self._servers.append(await asyncio.start_server(serve, HOST, self._ports[name]))

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._runner.cleanup()
        await self._session.close()
        # Connections that were given up in the middle take leave of the API server first; nobody else waits for that.
        await asyncio.to_thread(
            await_condition,
            lambda: all(each.fileno() < 0 for each in self._sockets),
            seconds=_CALL_SECONDS / 2,
            what="connections to the API server did not end",
        )

    def _socket(self, address: tuple[Any, ...]) -> socket.socket:
        """A socket to the API server, as aiohttp would make it."""
        family, kind, protocol, *_ = address
        made = socket.socket(family, kind, protocol)
        self._sockets.append(made)
        return made

    async def _heal(self) -> None:
        self._left, self.is_cut, self._deaf = None, False, False
        self._healed.set()
        self._healed = asyncio.Event()

    # --- breaking ---

    async def begin(self) -> None:
        """Something begins to pass. What is caught by a cut never passes."""
        if self.is_cut:
            await self._healed.wait()
            raise _BrokenError

    async def begin_write(self) -> None:
        """A write is about to pass."""
        if self._left == 0:
            self.is_cut = True
        await self.begin()

    async def end_write(self, write: Write) -> None:
        """A write's answer is there: it has had its effect."""
        self.writes.append(write)
        if self._left is not None:
            self._left = max(0, self._left - 1)
            self.is_cut = self.is_cut or self._left == 0
        await self.begin()

    # --- the API server ---

    async def _relay(self, request: web.Request) -> web.StreamResponse:
        try:
            return await self._answer(request)
        except (_BrokenError, aiohttp.ClientError, ConnectionError) as error:
            if request.transport is not None:
                request.transport.abort()
            raise asyncio.CancelledError from error

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        is_write = request.method != "GET" and "/leases" not in request.path
        if request.method != "GET":
            self.asked.append(f"{request.method} {request.path}")
        content = await request.read()
        await (self.begin_write() if is_write else self.begin())
        if is_write:
            await asyncio.to_thread(self.rival, request.method, request.path)
        if request.query.get("watch") == "true":
            return await self._watch(request)
        async with self._asked(request, content) as answer:
            body = await answer.read()
        if is_write:
            await self.end_write(Write("kubernetes", f"{request.method} {request.path}", answer.status))
        await self.begin()
        return web.Response(status=answer.status, body=body, headers=_kept(answer.headers))

    @asynccontextmanager
    async def _asked(self, request: web.Request, content: bytes) -> AsyncIterator[aiohttp.ClientResponse]:
        url = URL(self._kubernetes.url + request.raw_path, encoded=True)
        headers = _kept(request.headers)
        async with self._session.request(
            request.method, url, data=content or None, headers=headers, skip_auto_headers=_AUTOMATIC
        ) as answer:
            yield answer

    async def _watch(self, request: web.Request) -> web.StreamResponse:
        self.watches_opened += 1
        age = self._age_of_watches
        await self._hear(age)
        async with self._asked(request, b"") as answer:
            response = web.StreamResponse(status=answer.status, headers=_kept(answer.headers))
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await self._hear(age)
                await response.write(chunk)
        await self._hear(age)
        await response.write_eof()
        return response

    async def _hear(self, age: int) -> None:
        """Something is about to pass on a watch."""
        await self.begin()
        if self._deaf:
            await self._healed.wait()
        if self._deaf or age != self._age_of_watches:
            raise _BrokenError

    # --- MongoDB and RabbitMQ ---

    def _between(self, address: SplitResult, protocol: type["_Protocol"]) -> Any:
        async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, each: Any) -> None:
            while packet := await each(reader):
                writer.write(packet)
                await writer.drain()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            far_writer = None
            try:
                far_reader, far_writer = await asyncio.open_connection(address.hostname, address.port)
                talk = protocol(self)
                pumps = [
                    asyncio.ensure_future(pump(reader, far_writer, talk.from_client)),
                    asyncio.ensure_future(pump(far_reader, writer, talk.from_server)),
                ]
                try:
                    await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for each in pumps:
                        each.cancel()
                    await asyncio.gather(*pumps, return_exceptions=True)
            except (OSError, asyncio.CancelledError):
                pass  # the server is away, or the wire is closed, and so is this connection
            finally:
                self._tasks.discard(task)
                for each in (writer, far_writer):
                    if each is not None:
                        each.transport.abort()

        return serve


class _Protocol(ABC):
    """What passes on one connection, packet by packet; b"" at the end."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    @abstractmethod
    async def from_client(self, reader: asyncio.StreamReader) -> bytes:
        """The next packet to the server."""

    @abstractmethod
    async def from_server(self, reader: asyncio.StreamReader) -> bytes:
        """The next packet to the client."""


class _MongoDB(_Protocol):
    """MongoDB's wire protocol: little-endian length, request, answered request, operation; OP_MSG carries BSON."""

    _WRITES: ClassVar = {"insert", "update", "delete", "findAndModify", "createIndexes"}

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self._begun: dict[int, Write] = {}

    async def _packet(self, reader: asyncio.StreamReader) -> tuple[bytes, int, int]:
        header = await reader.readexactly(16)
        length, request, answered, operation = struct.unpack("<iiii", header)
        packet = header + await reader.readexactly(length - 16)
        return packet, request if operation == _OP_MSG else 0, answered

    async def from_client(self, reader: asyncio.StreamReader) -> bytes:
        packet, request, _ = await self._packet(reader)
        if request:
            [size] = struct.unpack_from("<i", packet, 21)
            command = bson.decode(packet[21 : 21 + size])
            name = next(iter(command))
            if name in self._WRITES:
                self._begun[request] = Write("mongodb", f"{name} {command['$db']}.{command[name]}")
                await self.wire.begin_write()
        await self.wire.begin()
        return packet

    async def from_server(self, reader: asyncio.StreamReader) -> bytes:
        packet, _, answered = await self._packet(reader)
        write = self._begun.pop(answered, None)
        if write is not None:
            await self.wire.end_write(write)
        await self.wire.begin()
        return packet


class _RabbitMQ(_Protocol):
    """AMQP 0-9-1: a greeting, then frames of type, channel, size, payload and an end mark; methods are of type 1."""

    _PUBLISH: ClassVar = (60, 40)
    _ACK: ClassVar = (60, 80)

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self._greeted = False

    async def _frame(self, reader: asyncio.StreamReader) -> tuple[bytes, tuple[int, int]]:
        header = await reader.readexactly(7)
        kind, _channel, size = struct.unpack(">BHI", header)
        payload = await reader.readexactly(size + 1)
        return header + payload, struct.unpack_from(">HH", payload) if kind == 1 else (0, 0)

    async def from_client(self, reader: asyncio.StreamReader) -> bytes:
        if not self._greeted:
            self._greeted = True
            await self.wire.begin()
            return await reader.readexactly(8)
        frame, method = await self._frame(reader)
        if method == self._PUBLISH:
            await self.wire.begin_write()
        await self.wire.begin()
        return frame

    async def from_server(self, reader: asyncio.StreamReader) -> bytes:
        frame, method = await self._frame(reader)
        if method == self._ACK:
            await self.wire.end_write(Write("rabbitmq", "publish"))
        await self.wire.begin()
        return frame


_OP_MSG: Final = 2013


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.title() not in _HOP_BY_HOP}


def _moved(address: SplitResult, port: int) -> str:
    return address._replace(netloc=f"{address.netloc.rpartition(':')[0]}:{port}").geturl()
