"""Working stand-ins for the gateway's ports, in memory."""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from video2mp3_contracts.api.conversion import Conversion
from video2mp3_contracts.api.names import ANNOTATION_RETRY
from video2mp3_gateway.ports.listing import Cursor, Page
from video2mp3_gateway.ports.systems import (
    CacheState,
    ConversionRefused,
    DependencyUnavailable,
    Document,
    FileVanished,
    KeptMp3,
    LoginAnswer,
    LoginAttempt,
    StillShown,
    StoredMp3,
    StoredSource,
    TokenRejected,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Switch:
    """Lets a test break the methods of a fake: always, or a number of times."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._failures: dict[str, float] = {}

    def off(self, method: str, times: float = float("inf")) -> None:
        self._failures[method] = times

    def check(self, method: str) -> None:
        left = self._failures.get(method, 0)
        if left > 0:
            self._failures[method] = left - 1
            raise DependencyUnavailable(self._service, "switched off")


class FakeTokens:
    """The token "token-of:ACCOUNT" is ACCOUNT's."""

    def __init__(self) -> None:
        self.switch = Switch("auth")

    def account(self, token: str) -> str:
        self.switch.check("account")
        if not token.startswith("token-of:"):
            raise TokenRejected("it has expired; log in again")
        return token.removeprefix("token-of:")

    def ping(self) -> None:
        self.switch.check("ping")


class FakeLogins:
    """Answers what it is told to, and remembers what was asked."""

    def __init__(self) -> None:
        self.switch = Switch("auth")
        self.answer = LoginAnswer(200, "text/plain; charset=utf-8", b"the.jwt.itself", {})
        self.attempts: list[LoginAttempt] = []

    def login(self, attempt: LoginAttempt) -> LoginAnswer:
        self.switch.check("login")
        self.attempts.append(attempt)
        return self.answer


class FakeUpload:
    """A file that becomes visible when it is finished."""

    def __init__(self, store: "FakeSources", details: dict[str, Any]) -> None:
        self.file_id = secrets.token_hex(12)
        self._store = store
        self._details = details
        store.chunks[self.file_id] = bytearray()

    def write(self, data: bytes) -> None:
        self._store.switch.check("write")
        self._store.largest_write = max(self._store.largest_write, len(data))
        self._store.chunks[self.file_id] += data

    def finish(self) -> StoredSource:
        self._store.switch.check("finish")
        content = bytes(self._store.chunks[self.file_id])
        self._store.files[self.file_id] = self._details
        return StoredSource(self.file_id, len(content), hashlib.sha256(content).hexdigest())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.file_id not in self._store.files:
            del self._store.chunks[self.file_id]


class FakeSources:
    """Uploaded videos. `chunks` holds what is stored of finished and unfinished files alike."""

    def __init__(self) -> None:
        self.switch = Switch("mongodb")
        self.chunks: dict[str, bytearray] = {}
        self.files: dict[str, dict[str, Any]] = {}
        self.largest_write = 0

    def begin(self, owner: str, filename: str, content_type: str) -> FakeUpload:
        self.switch.check("begin")
        return FakeUpload(self, {"owner": owner, "filename": filename, "content_type": content_type})

    def delete(self, file_id: str) -> None:
        self.switch.check("delete")
        self.files.pop(file_id, None)
        self.chunks.pop(file_id, None)

    def ping(self) -> None:
        self.switch.check("ping")


class FakeMp3s:
    """Converted files by id: their owner, what is known of them, and their content."""

    def __init__(self) -> None:
        self.switch = Switch("mongodb")
        self.files: dict[str, tuple[str, StoredMp3, bytes]] = {}
        self.kept_ids: list[str] = []
        self.shown: set[str] = set()
        """Those that a Conversion has taken over."""

    def add(self, owner: str, content: bytes, filename: str = "talk.mp3") -> StoredMp3:
        file_id = secrets.token_hex(12)
        etag = hashlib.sha256(content).hexdigest()
        mp3 = StoredMp3(file_id, filename, "audio/mpeg", len(content), etag, chunk_size=4)
        self.files[file_id] = (owner, mp3, content)
        return mp3

    def find(self, file_id: str, owner: str) -> StoredMp3 | None:
        self.switch.check("find")
        theirs, mp3, _content = self.files.get(file_id, ("", None, b""))
        return mp3 if theirs == owner else None

    def keep(self, mp3: StoredMp3) -> None:
        """Its Conversion goes and it stays."""
        self.kept_ids.append(mp3.file_id)

    def kept(self, owner: str, limit: int, before: str) -> list[KeptMp3]:
        self.switch.check("kept")
        found = [
            KeptMp3(mp3.file_id, mp3.filename, mp3.size, NOW)
            for file_id, (theirs, mp3, _content) in sorted(self.files.items(), reverse=True)
            if theirs == owner and file_id in self.kept_ids and (not before or file_id < before)
        ]
        return found[:limit]

    def delete_kept(self, file_id: str, owner: str) -> bool:
        self.switch.check("delete_kept")
        if file_id not in self.kept_ids or self.find(file_id, owner) is None:
            return False
        if file_id in self.shown:
            raise StillShown
        del self.files[file_id]
        return True

    def read(self, mp3: StoredMp3, start: int, stop: int) -> Iterator[bytes]:
        self.switch.check("read")
        if mp3.file_id not in self.files:
            raise FileVanished
        content = self.files[mp3.file_id][2][start:stop]
        for offset in range(0, len(content), mp3.chunk_size):
            yield content[offset : offset + mp3.chunk_size]


class FakeConversions:
    """The Conversions of one namespace."""

    def __init__(self) -> None:
        self.switch = Switch("kubernetes")
        self.there: dict[str, Conversion] = {}
        self.refuses = False
        self.loses_answers = 0
        """So many creations happen, but the gateway never hears of it."""

    def create(self, conversion: Conversion) -> None:
        self.switch.check("create")
        if self.refuses:
            raise ConversionRefused("422: spec.owner is too long")
        name = conversion.metadata.name
        if name not in self.there:
            self.there[name] = stamped(conversion, created=NOW + timedelta(seconds=len(self.there)))
        if self.loses_answers:
            self.loses_answers -= 1
            raise DependencyUnavailable("kubernetes", "timed out")

    def get(self, name: str) -> Conversion | None:
        self.switch.check("get")
        return self.there.get(name)

    def newest(self, owner: str, limit: int, after: Cursor | None) -> Page:
        self.switch.check("newest")
        places = {_position(found): found for found in self.there.values() if found.spec.owner == owner}
        order = sorted((place for place in places if after is None or place < after), reverse=True)
        page = order[:limit]
        return Page([places[place] for place in page], page[-1] if len(order) > limit else None)

    def delete(self, name: str, uid: str | None = None) -> None:
        self.switch.check("delete")
        found = self.there.get(name)
        if found is not None and uid in (None, found.metadata.uid):
            del self.there[name]

    def retry(self, name: str, uid: str, moment: str) -> bool:
        self.switch.check("retry")
        found = self.there.get(name)
        if found is None or found.metadata.uid != uid:
            return False
        found.metadata.annotations[ANNOTATION_RETRY] = moment
        return True

    @property
    def state(self) -> CacheState:
        return CacheState(len(self.there), 0.5)

    def ping(self) -> None:
        self.switch.check("ping")


class FakeClasses:
    """The ConversionClasses of the cluster, as the API server gives them."""

    def __init__(self, *documents: Document) -> None:
        self.switch = Switch("kubernetes")
        self.documents = list(documents)
        self.lists = 0

    def all(self) -> list[Document]:
        self.lists += 1
        self.switch.check("all")
        return list(self.documents)


def _position(conversion: Conversion) -> Cursor:
    created = conversion.metadata.creation_timestamp
    assert created is not None
    return Cursor(created, conversion.metadata.name)


def stamped(conversion: Conversion, created: datetime) -> Conversion:
    """The Conversion as the API server would give it back."""
    metadata = conversion.metadata.model_copy(
        update={"creation_timestamp": created, "uid": f"uid-of-{conversion.metadata.name}"}
    )
    return conversion.model_copy(update={"metadata": metadata})


class FakeClock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def reader(body: bytes, *, piece: int | None = None, then: Exception | None = None) -> Callable[[int], bytes]:
    """A connection that gives a body in pieces, and then ends or fails."""
    position = 0

    def read(size: int) -> bytes:
        nonlocal position
        taken = body[position : position + min(size, piece or size)]
        position += len(taken)
        if not taken and then is not None:
            raise then
        return taken

    return read
