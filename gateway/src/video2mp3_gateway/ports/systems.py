"""The outside systems as the gateway sees them, and the errors they have in common.

Each has an adapter (see `bootstrap`) and a working fake in the tests. All are safe to use from several threads.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from video2mp3_contracts.api.conversion import Conversion
from video2mp3_gateway.ports.listing import Cursor, Page


class DependencyUnavailable(Exception):
    """A system that the gateway depends on did not do its part in time. Trying again later may help."""

    def __init__(self, service: str, detail: str) -> None:
        """`service` is the system's name for people and metrics; `detail` is for the log."""
        super().__init__(f"{service}: {detail}")
        self.service = service


class TokenRejected(Exception):
    """The token proves nothing. The text says why, without repeating the token."""


class ConversionRefused(Exception):
    """The Kubernetes API will not have this Conversion, however often it is asked."""


class FileVanished(Exception):
    """A stored file was removed while it was being read."""


class TokenVerifier(Protocol):
    """Tells whose token it is."""

    def account(self, token: str) -> str:
        """The account (an email address in lower case) that the token was issued to.

        Raises TokenRejected, or DependencyUnavailable while no key is known.
        """
        ...

    def ping(self) -> None:
        """Raise DependencyUnavailable while no token could be verified."""
        ...


@dataclass(frozen=True)
class LoginAttempt:
    """A login on its way to the auth service."""

    authorization: str
    """The Authorization header as the client sent it; "" for none."""

    client_address: str
    request_id: str


@dataclass(frozen=True)
class LoginAnswer:
    """What the auth service said, to be passed on as it is."""

    status: int
    content_type: str
    body: bytes
    headers: dict[str, str]


class LoginClient(Protocol):
    """Passes logins to the auth service."""

    def login(self, attempt: LoginAttempt) -> LoginAnswer:
        """Ask for a token. Raises DependencyUnavailable."""
        ...


@dataclass(frozen=True)
class StoredSource:
    """② An uploaded video that lies in GridFS as a whole."""

    file_id: str
    size: int
    sha256: str


class SourceUpload(AbstractContextManager["SourceUpload"], Protocol):
    """A video on its way into the store. Leaving the context before `finish` removes what was written of it."""

    file_id: str

    def write(self, data: bytes) -> None:
        """Append. Raises DependencyUnavailable."""
        ...

    def finish(self) -> StoredSource:
        """Make it a file. Raises DependencyUnavailable, and then there is no file."""
        ...


class SourceStore(Protocol):
    """② Where uploaded videos lie until they are converted."""

    def begin(self, owner: str, filename: str, content_type: str) -> SourceUpload:
        """Start a file. Nobody sees it before it is finished. Raises DependencyUnavailable."""
        ...

    def delete(self, file_id: str) -> None:
        """Remove a file, whether or not it is there. Raises DependencyUnavailable."""
        ...

    def ping(self) -> None:
        """Raise DependencyUnavailable while the store cannot be reached."""
        ...


@dataclass(frozen=True)
class StoredMp3:
    """A converted file that may be downloaded. `etag` differs whenever the content does."""

    file_id: str
    filename: str
    content_type: str
    size: int
    etag: str
    chunk_size: int


@dataclass(frozen=True)
class KeptMp3:
    """An mp3 that outlived its Conversion."""

    file_id: str
    filename: str
    size: int
    kept_at: datetime


class StillShown(Exception):
    """A Conversion shows the file as its own."""


class Mp3Store(Protocol):
    """⑨ Where converted files lie."""

    def find(self, file_id: str, owner: str) -> StoredMp3 | None:
        """The file, if it is there and belongs to this account. Raises DependencyUnavailable."""
        ...

    def read(self, mp3: StoredMp3, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` to before `stop`, in pieces. Raises FileVanished, DependencyUnavailable."""
        ...

    def kept(self, owner: str, limit: int, before: str) -> list[KeptMp3]:
        """An account's mp3s that outlived their Conversion, the latest first, made before a file ("": all).

        Raises DependencyUnavailable.
        """
        ...

    def delete_kept(self, file_id: str, owner: str) -> bool:
        """Remove such an mp3; False if there is none of this account's. Raises StillShown and DependencyUnavailable."""
        ...


@dataclass(frozen=True)
class CacheState:
    """How much the gateway knows by heart, and how old that may be."""

    conversions: int
    silent_seconds: float
    """Since the API server last told anything; infinite before the first time."""


class ConversionClient(Protocol):
    """③ An account's Conversions, as requests need them. Every method but `state` raises DependencyUnavailable."""

    def create(self, conversion: Conversion) -> None:
        """Create it. It is well if it exists already with the same source and owner; else raises ConversionRefused."""
        ...

    def get(self, name: str) -> Conversion | None:
        """The Conversion of this name, whoever it belongs to; None also for one that this version cannot read."""
        ...

    def newest(self, owner: str, limit: int, after: Cursor | None) -> Page:
        """An account's newest Conversions, or of those that come after a position, from memory."""
        ...

    def delete(self, name: str, uid: str | None = None) -> None:
        """Delete it, whether or not it is there; with a `uid`, only if it is that one."""
        ...

    def retry(self, name: str, uid: str, moment: str) -> bool:
        """Ask for it to be tried anew, as of a moment; False if it is not there any more."""
        ...

    @property
    def state(self) -> CacheState:
        """What is in memory."""
        ...

    def ping(self) -> None:
        """Raise DependencyUnavailable while the API cannot be reached, or the Conversions are not in memory yet."""
        ...


Document = dict[str, Any]
"""A Conversion, or a ConversionClass, as the API server gives it."""


class VersionExpired(Exception):
    """The API server does not know any more what came after this version: all must be listed again."""


@dataclass(frozen=True)
class ListPage:
    """Some of a list."""

    documents: list[Document]
    version: int
    """Of the whole list: where a watch begins."""

    following: str
    """Where the list goes on; "" where it ends."""


@dataclass(frozen=True)
class WatchEvent:
    """One event of a watch."""

    kind: str
    """ADDED, MODIFIED, DELETED or BOOKMARK."""

    document: Document
    """Of a BOOKMARK only `metadata.resourceVersion` means anything."""


class ConversionsApi(Protocol):
    """③ The Conversions of one namespace in the Kubernetes API. Every method raises DependencyUnavailable."""

    def create(self, conversion: Conversion) -> Document:
        """Create it. It is well if it exists already with the same source and owner; else raises ConversionRefused."""
        ...

    def get(self, name: str) -> Conversion | None:
        """The Conversion of this name; None also for one that this version cannot read."""
        ...

    def delete(self, name: str, uid: str | None = None) -> Document | None:
        """Delete it, with a `uid` only if it is that one; answers what is there until its finalizers are gone."""
        ...

    def retry(self, name: str, uid: str, moment: str) -> Document | None:
        """Ask for it to be tried anew; answers what is there then, None if it is gone or another one."""
        ...

    def list_page(self, position: str) -> ListPage:
        """All Conversions, some at a time. Raises VersionExpired when that took too long."""
        ...

    def watch(self, version: int) -> Iterator[WatchEvent]:
        """What changes after a version; ends every minute. It is open when this returns. Raises VersionExpired."""
        ...

    def version(self) -> int:
        """The latest version of anything that the API server has."""
        ...

    def ping(self) -> None:
        """Raise DependencyUnavailable while the API cannot be reached."""
        ...
