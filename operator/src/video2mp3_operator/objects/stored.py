"""② What is stored: files, and what the database knows of installations. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class SourceFile:
    """② An uploaded file, as far as it matters before a worker reads it."""

    owner: str
    size: int
    """Bytes."""

    sha256: str | None = None
    """Of its content, in hex; None where whoever stored it did not say."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was stored long ago."""

    file_id: str
    owner: str = ""
    conversion_uid: str = ""
    """For an mp3: whose."""

    installation: str = ""
    unwanted_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Census:
    """All of one kind that is the installation's."""

    total: int
    unwanted: int
    """Marked, and not confirmed by an administrator since."""


@dataclass(frozen=True, slots=True)
class Presence:
    """What the database knows of an installation's sweeps."""

    rival_seen_at: datetime | None = None
    """When another cluster last swept under the same name."""

    confirmed_at: datetime | None = None
    """An administrator has looked, and what was marked before may go."""
