"""⑥ Fetch a source from the web: across redirects, taken up again where it broke off, in constant memory and in time.

Each try starts at `source.url` again, since what it redirects to is often good for a short time only. A try goes on
where the one before it ended if the server proves that it speaks of the same bytes; otherwise it starts at the first.
"""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import structlog

from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.jobs.worker import WorkerRequest
from video2mp3_worker.limits.disk import refuse_full_disk
from video2mp3_worker.limits.watch import Clock
from video2mp3_worker.ports.errors import Refused, TryAgain
from video2mp3_worker.ports.systems import Answer, BrokenOffError, Web
from video2mp3_worker.source import http_responses, redirects
from video2mp3_worker.source.content import refuse_other_content, refuse_size

MOST_SECONDS: Final = 2 * 3600
"""For all of it, pauses included; 20 GiB in this time is 3 MB/s."""

_PAUSES_SECONDS: Final = (0.5, 2.0, 5.0, 10.0)
"""After a try that broke off. Then the attempt is over, and the next one comes after a longer pause."""

_PROGRESS_BYTES: Final = 16 * 1024**2
"""A try that brought so much counts as none: a server that ends each connection after a while still gets there."""

_WATCH_SECONDS: Final = 0.2
_HEADERS: Final = {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": "video2mp3-worker"}

_log = structlog.get_logger("video2mp3_worker.source.download")


@dataclass
class Download:
    """One source on its way to the disk. `watch` is called a few times a second, and ends it by raising."""

    request: WorkerRequest
    web: Web
    destination: Path
    watch: Callable[[], None]
    clock: Clock = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        self._end = self.clock() + self._seconds
        self._start_over()

    def run(self) -> int:
        """Fetch it whole; answer how many bytes it has. Raises Refused or TryAgain."""
        failed = 0
        while True:
            before = self._size
            try:
                self._try()
            except BrokenOffError as error:
                failed = 0 if self._size - before >= _PROGRESS_BYTES else failed + 1
                self._pause(failed, error)
            else:
                break
        refuse_size(self._size, self.request.limits)
        refuse_other_content(self.request.source, self._digest.hexdigest())
        return self._size

    @property
    def _seconds(self) -> int:
        return min(MOST_SECONDS, self.request.limits.run_seconds or MOST_SECONDS)

    def _check(self) -> None:
        self.watch()
        if self.clock() > self._end:
            sentence = f"The source was not fetched within {self._seconds} seconds."
            raise TryAgain(Reason.SOURCE_UNAVAILABLE, sentence)

    def _pause(self, failed: int, error: BrokenOffError) -> None:
        if failed > len(_PAUSES_SECONDS):
            raise TryAgain(Reason.SOURCE_UNAVAILABLE, f"The source could not be fetched: {error}") from error
        _log.warning("source_broke_off", fetched=self._size, failed=failed, detail=str(error))
        end = self.clock() + _PAUSES_SECONDS[max(failed - 1, 0)]
        while self.clock() < end:
            self._check()
            self.sleep(_WATCH_SECONDS)

    def _try(self) -> None:
        """Follow the redirects to the file, and take what is missing of it."""
        allowed = self.request.limits.allowed_hosts
        location = redirects.first(self.request.source.url or "", allowed)
        for _ in range(redirects.MOST_REDIRECTS + 1):
            with self.web.ask(location.url, self._headers(), self._check) as answer:
                if answer.status not in http_responses.REDIRECTS:
                    self._take(answer, location.host)
                    return
                header = answer.headers.get("Location", "")
            location = redirects.following(location, header, allowed)
        raise Refused(
            Reason.SOURCE_REFUSED, f"The source's address redirects more than {redirects.MOST_REDIRECTS} times."
        )

    def _headers(self) -> dict[str, str]:
        if not (self._size and self._validator):
            return _HEADERS
        return {**_HEADERS, "Range": f"bytes={self._size}-", "If-Range": self._validator}

    def _take(self, answer: Answer, host: str) -> None:
        if self._size and answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            self._start_over()
            raise BrokenOffError(f"{host} has another file at that address by now.")
        http_responses.judge(answer.status, answer.headers, host)
        part = http_responses.part_of(answer.status, answer.headers)
        if part is None or not self._continues(part):
            self._start_over()
        if part is None or part.start != self._size:
            raise BrokenOffError(f"{host} answered with another part of the file than it was asked for.")
        if part.validator:
            self._validator = part.validator
        if part.total is not None:
            refuse_size(part.total, self.request.limits)
            refuse_full_disk(self.destination, part.total - self._size)
        self._write(answer)
        if part.total not in (None, self._size):
            raise BrokenOffError(f"{host} sent {self._size} of {part.total} bytes.")

    def _continues(self, part: http_responses.Part) -> bool:
        return part.start == self._size and (self._size == 0 or part.validator in ("", self._validator))

    def _write(self, answer: Answer) -> None:
        with self.destination.open("ab") as file:
            for block in answer.blocks():
                self._check()
                refuse_size(self._size + len(block), self.request.limits)
                file.write(block)
                self._digest.update(block)
                self._size += len(block)

    def _start_over(self) -> None:
        self.destination.write_bytes(b"")
        self._size = 0
        self._validator = ""
        self._digest = hashlib.sha256()
