"""A working stand-in for the web: files that know ranges and validators, redirects, and connections that break."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from urllib3 import HTTPHeaderDict

from video2mp3_worker.ports.systems import BrokenOffError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BLOCK_BYTES = 10


@dataclass
class FakeFile:
    """A file on a server. `cuts` are the bytes that each answer brings before it breaks off."""

    content: bytes
    etag: str = '"one"'
    changed: datetime | None = None
    ranges: bool = True
    says_length: bool = True
    cuts: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)

    def answer(self, asked: Mapping[str, str]) -> "FakeAnswer":
        """What a server of today says (RFC 9110, 13 and 14)."""
        headers = HTTPHeaderDict({"date": format_datetime(NOW, usegmt=True)} | self.headers)
        if self.etag:
            headers["etag"] = self.etag
        modified = format_datetime(self.changed, usegmt=True) if self.changed else ""
        if modified:
            headers["last-modified"] = modified
        start, total = self._start(asked, modified), len(self.content)
        if start is None:
            headers |= {"content-length": str(total)} if self.says_length else {}
            return FakeAnswer(200, headers, self.content, self._cut())
        if start >= total:
            return FakeAnswer(416, headers)
        headers["content-range"] = f"bytes {start}-{total - 1}/{total if self.says_length else '*'}"
        return FakeAnswer(206, headers, self.content[start:], self._cut())

    def _start(self, asked: Mapping[str, str], modified: str) -> int | None:
        if not self.ranges or "Range" not in asked or asked["If-Range"] not in (self.etag, modified):
            return None
        return int(asked["Range"].removeprefix("bytes=").removesuffix("-"))

    def _cut(self) -> int | None:
        return self.cuts.pop(0) if self.cuts else None


@dataclass(frozen=True)
class FakeAnswer:
    """One answer; it breaks off after `cut` bytes."""

    status: int
    headers: Mapping[str, str] = field(default_factory=HTTPHeaderDict)
    content: bytes = b""
    cut: int | None = None

    def blocks(self) -> Iterator[bytes]:
        there = self.content[: self.cut]
        for start in range(0, len(there), BLOCK_BYTES):
            yield there[start : start + BLOCK_BYTES]
        if self.cut is not None:
            raise BrokenOffError("The connection broke.")


Page = FakeFile | FakeAnswer | Exception


@dataclass
class FakeWeb:
    """What lies at which address; where a list does, one after the other, and the last one for ever."""

    pages: dict[str, Page | list[Page]]
    asked: list[tuple[str, Mapping[str, str]]] = field(default_factory=list)

    @contextmanager
    def ask(self, url: str, headers: Mapping[str, str], watch: Callable[[], None]) -> Iterator[FakeAnswer]:
        self.asked.append((url, dict(headers)))
        watch()
        page = self.pages[url]
        if isinstance(page, list):
            page = page.pop(0) if len(page) > 1 else page[0]
        if isinstance(page, Exception):
            raise page
        yield page.answer(headers) if isinstance(page, FakeFile) else page


def redirect(location: str, status: int = 302) -> FakeAnswer:
    return FakeAnswer(status, HTTPHeaderDict({"Location": location}))


def long_ago(seconds: float = 3600) -> datetime:
    return NOW - timedelta(seconds=seconds)
