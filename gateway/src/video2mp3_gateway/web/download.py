"""⑨ GET /download?fid=FILE_ID: gives an mp3 to its owner, whole or in part."""

from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlencode

import structlog
from flask import Blueprint, Response, request

from video2mp3_contracts.api.conversion import is_file_id
from video2mp3_contracts.text.content_disposition import content_disposition
from video2mp3_gateway.download.byte_ranges import ByteRange, RangeNotSatisfiable, requested_range
from video2mp3_gateway.http import problems
from video2mp3_gateway.http.concurrency_limit import ConcurrencyLimit
from video2mp3_gateway.http.metrics import GatewayMetrics
from video2mp3_gateway.ports.systems import Mp3Store, StoredMp3, TokenVerifier
from video2mp3_gateway.web.authentication import authenticated_account
from video2mp3_gateway.web.clicks import is_a_click
from video2mp3_gateway.web.parameters import takes

_log = structlog.get_logger(__name__)


def download_routes(
    tokens: TokenVerifier, mp3s: Mp3Store, limit: ConcurrencyLimit, metrics: GatewayMetrics
) -> Blueprint:
    """The route."""
    routes = Blueprint("download", __name__)

    @routes.get("/download")
    @takes("fid")
    def download() -> Response:
        if is_a_click():
            page = f"./?{urlencode({'fid': request.args.get('fid', '')})}"
            return Response(status=303, headers={"Location": page})
        owner = authenticated_account(tokens)
        mp3 = _own_file(mp3s, owner)
        etag = f'"{mp3.etag}"'
        if request.if_none_match.contains_weak(mp3.etag):
            return _described(Response(status=304), mp3, etag)
        wanted = _wanted_range(mp3, etag)
        if request.method == "HEAD" or mp3.size == 0:
            return _described(_sized(Response(), mp3, wanted), mp3, etag)
        with ExitStack() as stack:
            stack.enter_context(limit.hold(owner))
            part = wanted or ByteRange(0, mp3.size)
            transfer = _Transfer(mp3, mp3s.read(mp3, part.start, part.stop), metrics)
            response = _described(_sized(Response(transfer), mp3, wanted), mp3, etag)
            response.call_on_close(stack.pop_all().close)
            return response

    return routes


class _Transfer:
    """The body of a download. Counts what was sent, and whether that was all."""

    def __init__(self, mp3: StoredMp3, pieces: Iterator[bytes], metrics: GatewayMetrics) -> None:
        """Fetches the first piece, so that a store that is away is told by the answer's status."""
        self._mp3 = mp3
        self._pieces = pieces
        self._metrics = metrics
        self._next: bytes | None = next(pieces)
        self._sent = 0

    def __iter__(self) -> Iterator[bytes]:
        while self._next is not None:
            yield self._next
            self._sent += len(self._next)
            self._next = next(self._pieces, None)

    def close(self) -> None:
        """Called by the server at the end, whatever the end was."""
        outcome = "complete" if self._next is None else "cut"
        self._metrics.downloads.labels(outcome).inc()
        self._metrics.download_bytes.inc(self._sent)
        _log.info("download_ended", file_id=self._mp3.file_id, bytes=self._sent, outcome=outcome)


def _own_file(mp3s: Mp3Store, owner: str) -> StoredMp3:
    file_id = request.args.get("fid", "")
    if not file_id:
        raise problems.bad_request("bad-parameter", "Name the file: /download?fid=FILE_ID")
    mp3 = mp3s.find(file_id.lower(), owner) if is_file_id(file_id.lower()) else None
    if mp3 is None:
        raise problems.not_found("file")
    return mp3


def _wanted_range(mp3: StoredMp3, etag: str) -> ByteRange | None:
    if request.method == "HEAD":
        return None
    try:
        return requested_range(request.headers.get("Range"), request.headers.get("If-Range"), etag, mp3.size)
    except RangeNotSatisfiable as error:
        raise problems.range_not_satisfiable(mp3.size) from error


def _sized(response: Response, mp3: StoredMp3, part: ByteRange | None) -> Response:
    response.content_length = part.stop - part.start if part else mp3.size
    response.content_type = mp3.content_type
    response.headers["Content-Disposition"] = content_disposition(mp3.filename)
    if part:
        response.status_code = 206
        response.headers["Content-Range"] = part.content_range(mp3.size)
    return response


def _described(response: Response, mp3: StoredMp3, etag: str) -> Response:
    response.headers["ETag"] = etag
    response.headers["Accept-Ranges"] = "bytes"
    # Anybody's cache may keep it for its owner only, and has to ask each time whether the owner still may have it.
    response.headers["Cache-Control"] = "private, no-cache"
    return response
