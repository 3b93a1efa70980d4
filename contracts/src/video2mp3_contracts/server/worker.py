"""gunicorn's threaded worker, whose threads only ever serve.

gunicorn's own (27) lets a thread wait for a head, and closes connections on the loop that accepts them, two seconds for
each client that does not close its side. Here the loop holds every connection that is not being served: while its head
comes, between two requests, while the end of an answer is on its way, and while it is closed. Each has its time, in
`limits`.
"""

import errno
import time
from concurrent.futures import Future
from functools import partial
from selectors import EVENT_READ, EVENT_WRITE
from socket import SHUT_WR, socket
from typing import Any, Final

import structlog
from gunicorn.http import errors
from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn, ThreadWorker

from video2mp3_contracts.runtime.problem import Problem
from video2mp3_contracts.server import limits, refusals
from video2mp3_contracts.server.bodies import ToldReader
from video2mp3_contracts.server.heads import Head
from video2mp3_contracts.server.outgoing import Client, beyond
from video2mp3_contracts.server.waiting import Waiting

_ACCEPTS: Final = 64
"""How many connections are taken before the others are looked at again."""

_RECEIVE_BYTES: Final = 16 * 1024
_DISCARD: Final = bytearray(64 * 1024)
"""Where the bytes of clients that have their answer go."""

_NO_ROOM: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_CLIENTS_FAULT: Final = 500
_HIGHEST: Final = (1, 1)
"""What an answer calls itself, whatever minor version a client names (RFC 9110, section 2.5)."""

_log = structlog.get_logger(__name__)


class Connection(TConn):  # type: ignore[misc]  # gunicorn publishes no types
    """One client."""

    sock: Client

    def __init__(self, cfg: Any, sock: Client, client: Any, server: Any) -> None:
        super().__init__(cfg, sock, client, server)
        self.head = Head()
        self.kept = False
        """Whether another request may follow the one that was answered."""

        self.data_ready = True  # no thread is to wait for a head: it is whole when a thread gets it

    def init(self) -> None:
        """Give the parser what has come; called by a thread before each request."""
        super().init()
        self.sock.settimeout(limits.SOCKET_SECONDS)
        self.parser.unreader.unread(self.head.take())


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn publishes no types
    """The process that serves. Everything but `handle…` runs on the loop."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._heads: Waiting[Connection] = Waiting(limits.HEAD_SECONDS)
        self._idle: Waiting[Connection] = Waiting(self.cfg.keepalive)
        self._outgoing: Waiting[Connection] = Waiting(limits.SOCKET_SECONDS)
        self._lingering: Waiting[Connection] = Waiting(limits.LINGER_SECONDS)
        self._stages = (self._heads, self._idle, self._outgoing, self._lingering)

    # What gunicorn's loop calls.

    def accept(self, listener: socket) -> None:
        """Take those that want to connect."""
        for _ in range(_ACCEPTS):
            if self.nr_conns >= self.worker_connections:
                return
            try:
                accepted, address = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in _NO_ROOM:
                    self._give_up_one()
                return
            self.nr_conns += 1
            accepted.settimeout(0)
            connection = Connection(self.cfg, Client.of(accepted), address, listener.getsockname())
            self._hold(connection, self._heads)
            if self.nr_conns >= self.worker_connections:  # there is room for the next one before it comes
                self._give_up_one()

    def murder_pending(self) -> None:
        """End those whose time is up; called at least once a second."""
        now = time.monotonic()
        for connection in self._heads.expired(now):
            if connection.head.begun and self.alive:
                self._release(connection, self._heads)
                self._refuse(connection, refusals.head_too_slow())
            else:
                self._end(connection, self._heads)
        for stage in (self._idle, self._outgoing, self._lingering):
            for connection in stage.expired(now):
                self._end(connection, stage)

    def _cap_keepalive(self, deadline: float) -> None:
        """The process ends: who has sent no request has this long to do it."""
        self._idle.end_by(deadline)
        self._heads.end_by(deadline)

    def finish_request(self, connection: Connection, served: "Future[bool]") -> None:
        """A thread is done with it."""
        connection.kept = not served.cancelled() and served.exception() is None and bool(served.result())
        if connection.sock.fileno() < 0:  # gunicorn closed it in the middle of an answer
            self.nr_conns -= 1
            return
        connection.sock.settimeout(0)
        self._send_rest(connection)

    # What threads call.

    def handle_request(self, request: Request, connection: Connection) -> Any:
        """Serve it. A body that may be left unread is not waited for: the connection ends with the answer."""
        _check_head(request)
        if getattr(request.body.reader, "length", None) != 0:
            request.force_close()
        request.version = min(request.version, _HIGHEST)
        request.body.reader = ToldReader(request.body.reader)
        return super().handle_request(request, connection)

    def handle_error(self, _request: Request | None, client: Client, address: Any, error: BaseException) -> None:
        """Answer what gunicorn could not read, in our words."""
        problem = refusals.problem_of(error)
        if problem.status == _CLIENTS_FAULT:
            _log.error("request_failed", exc_info=error)
        _told(problem, address)
        try:
            client.sendall(refusals.answer(problem))
        except OSError as gone:
            _log.debug("refusal_not_sent", error=str(gone))

    # From one stage to the next.

    def _hold(self, connection: Connection, stage: Waiting[Connection], event: int = EVENT_READ) -> None:
        stage.add(connection, time.monotonic())
        self.poller.register(connection.sock, event, partial(self._on_event, connection))

    def _release(self, connection: Connection, stage: Waiting[Connection]) -> None:
        stage.remove(connection)
        self.poller.unregister(connection.sock)

    def _close(self, connection: Connection) -> None:
        self.nr_conns -= 1
        connection.sock.close()

    def _end(self, connection: Connection, stage: Waiting[Connection]) -> None:
        self._release(connection, stage)
        self._close(connection)

    def _give_up_one(self) -> None:
        """Make room where most wait: a crowd that does one thing takes its own places, and no newcomer's."""
        crowd = max(self._stages, key=len)
        if crowd.oldest is not None:
            self._end(crowd.oldest, crowd)

    def _on_event(self, connection: Connection, _sock: Client) -> None:
        """Go on with it, unless another event of the same moment has ended it."""
        if connection in self._lingering:
            self._discard(connection)
        elif connection in self._outgoing:
            self._send_on(connection)
        elif connection in self._idle:
            self._receive(connection, self._idle)
        elif connection in self._heads:
            self._receive(connection, self._heads)

    def _receive(self, connection: Connection, stage: Waiting[Connection]) -> None:
        """More of a head, or the end."""
        try:
            data = connection.sock.recv(_RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end(connection, stage)
            return
        connection.head.add(data)
        if stage is self._idle or connection.head.whole or connection.head.too_large:
            self._release(connection, stage)
            self._begin(connection)

    def _begin(self, connection: Connection) -> None:
        """The next request, of which something has come."""
        if connection.head.whole:
            self.enqueue_req(connection)
        elif connection.head.too_large:
            self._refuse(connection, refusals.head_too_large())
        else:
            self._hold(connection, self._heads)

    def _refuse(self, connection: Connection, problem: Problem) -> None:
        _told(problem, connection.client)
        connection.kept = False
        connection.sock.unsent += refusals.answer(problem)
        self._send_rest(connection)

    def _send_rest(self, connection: Connection) -> None:
        """The answer is there; what the client has not taken of it waits."""
        try:
            connection.sock.send_unsent()
        except OSError:
            self._close(connection)
            return
        if connection.sock.unsent:
            self._hold(connection, self._outgoing, EVENT_WRITE)
            self._bound_outgoing()
        else:
            self._after_answer(connection)

    def _send_on(self, connection: Connection) -> None:
        """The client takes more of it."""
        try:
            connection.sock.send_unsent()
        except OSError:
            self._end(connection, self._outgoing)
            return
        if not connection.sock.unsent:
            self._release(connection, self._outgoing)
            self._after_answer(connection)

    def _after_answer(self, connection: Connection) -> None:
        if not connection.kept:
            self._linger(connection)
            return
        connection.head.add(connection.parser.unreader.take_buffered())
        if connection.head.begun:
            self._begin(connection)
        else:
            self._hold(connection, self._idle)

    def _bound_outgoing(self) -> None:
        readers = list(self._outgoing)
        for slowest in readers[: beyond([len(each.sock.unsent) for each in readers], limits.ALL_OUTGOING_BYTES)]:
            self._end(slowest, self._outgoing)

    def _linger(self, connection: Connection) -> None:
        """Half-close: the client reads the answer and its end, and is listened to until it closes too."""
        try:
            connection.sock.shutdown(SHUT_WR)
        except OSError:
            self._close(connection)
            return
        self._hold(connection, self._lingering)

    def _discard(self, connection: Connection) -> None:
        try:
            if connection.sock.recv_into(_DISCARD):
                return
        except BlockingIOError:
            return
        except OSError as gone:
            _log.debug("client_gone", error=str(gone))
        self._end(connection, self._lingering)


def _check_head(request: Request) -> None:
    """Refuse what gunicorn lets through: a body that nobody decodes, a request to no host (RFC 9112, section 3.2)."""
    for name, value in request.headers:
        if name == "TRANSFER-ENCODING" and value.lower() != "chunked":
            raise errors.UnsupportedTransferCoding(value)
    if request.version >= _HIGHEST and "HOST" not in dict(request.headers):
        raise errors.InvalidHeader("HOST")


def _told(problem: Problem, address: Any) -> None:
    client = address[0] if isinstance(address, tuple) else str(address)
    _log.info("request_refused", status=problem.status, code=problem.code, client=client)
