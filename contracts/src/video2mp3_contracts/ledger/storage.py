"""Names in MongoDB: the databases, the GridFS metadata that every stored file carries, and who may read it."""

from datetime import datetime
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

VIDEOS_DATABASE: Final = "videos"
"""② Uploaded sources, in the default GridFS bucket `fs`."""

MP3S_DATABASE: Final = "mp3s"
"""⑥ Converted files, in the default GridFS bucket `fs`, beside the ledger."""

LEDGER_COLLECTION: Final = "conversions"
"""In MP3S_DATABASE: one document for each Conversion, see `documents`."""

INSTALLATIONS_COLLECTION: Final = "installations"
"""In MP3S_DATABASE: one document for each installation that has used it, with the clusters it was seen in."""

TORN_COLLECTION: Final = "torn"
"""In MP3S_DATABASE: since when a file has been known of which there are only chunks."""

INSTALLATION: Final = "installation"
UNWANTED_SINCE: Final = "unwantedSince"
"""In a file's metadata and in ledger entries: whose it is, and the mark of what nothing wants any more."""


class FileMetadata(BaseModel):
    """The `metadata` of every file in both buckets. An unknown owner is no owner: such a file is nobody's to read."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)

    owner: str
    """The account that the file belongs to; "" for none."""

    content_type: str
    sha256: str | None = None
    """Hex digest of the content. Absent while a file is still being written."""

    kind: Literal["source", "mp3", "part"] = "source"
    """A part is what one of several workers makes of audio, beside the mp3s; it is nobody's to read."""

    conversion_uid: str | None = None
    """For an mp3 or a part: the uid of the Conversion that made it."""

    uploaded_at: datetime | None = None
    retained_at: datetime | None = None
    """For a source: its Conversion is done with it and it was to stay. Nobody removes it for being without one."""

    installation: str | None = None
    """The installation that stored it, the only one that may sweep it away. None was stored by an older version."""

    unwanted_since: datetime | None = None
    """A sweep has found nothing that wants it. The mark goes if something does again, and the file days later."""

    def as_document(self) -> dict[str, object]:
        """The subdocument as it is stored, without what is unset."""
        return self.model_dump(by_alias=True, exclude_none=True)
