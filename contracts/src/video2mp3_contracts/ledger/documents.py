"""The ledger's document: one for each Conversion, the durable fact that outlives any pod."""

from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from video2mp3_contracts.api.status import OutputReport, Progress
from video2mp3_contracts.messaging.message import MessageKind

ORPHANED_AT: Final = "orphanedAt"
"""On entries whose Conversion was deleted: all that is left of them says which emails were sent."""

ORPHAN_RETENTION: Final = timedelta(days=7)
"""How long such an entry keeps duplicates of the message from sending a second email; then MongoDB removes it."""

PARTS_OPENED_AT: Final = "partsOpenedAt"
"""When the last part was opened."""


class _Document(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class LedgerAttempt(_Document):
    """The worker that may write: whoever opened the last attempt."""

    token: str
    """Random; only the worker that knows it may store a result."""

    pod: str = ""
    started_at: datetime
    upload_file_id: str | None = None
    """The mp3 this attempt is writing."""

    part: int | None = None
    """The part whose worker joins all of them, where the audio is split."""

    landlock: bool | None = None
    """Whether its node's kernel has Landlock. None: it did not say."""


class MadePart(_Document):
    """What there is of a part of audio that is split."""

    file_id: str | None = None
    """The part's file, once it is complete."""

    made_of: str = ""
    """What the file was made of, and how: parts of different makes are never joined."""

    progress: Progress | None = None
    """What this part adds to all; `durationSeconds` is that of the whole audio."""


class LedgerPart(MadePart):
    """One part, and the worker that may write it: whoever opened it last."""

    token: str
    pod: str = ""
    started_at: datetime
    files: tuple[str, ...] = ()
    """Every file that was begun for this part. All but `file_id` are leftovers."""


class LedgerError(_Document):
    """How the last unsuccessful attempt ended, in the worker's own words."""

    exit_code: int
    reason: str
    message: str
    pod: str = ""
    at: datetime


class LedgerFailure(_Document):
    """The Conversion was given up."""

    reason: str
    message: str
    failed_at: datetime
    email: str = ""
    """With it the message can be made from the ledger alone, even when the Conversion is gone."""

    filename: str = ""


class LedgerMessage(_Document):
    """Whether the message of one kind was published and its email sent."""

    published_at: datetime | None = None
    claimed_until: datetime | None = None
    claim_token: str | None = None
    sent_at: datetime | None = None


class LedgerEntry(_Document):
    """One document. Times are in UTC."""

    uid: str = Field(alias="_id")
    namespace: str = ""
    name: str = ""
    owner: str = ""
    request_id: str = ""
    """See `message.ConversionRef`."""

    installation: str = ""
    """Whose it is, see `storage.FileMetadata`; "" for what an older version wrote."""

    unwanted_since: datetime | None = None
    attempt: LedgerAttempt | None = None
    attempts_opened: int = 0
    """How many attempts have begun, also those that nobody saw end."""

    uploads: tuple[str, ...] = ()
    """Every mp3 that any attempt began to write. All but the result's are leftovers, removed by who finds them."""

    parallelism: int | None = None
    """Into how many parts the audio is worth splitting, once a worker of `parallelism: auto` has found that it is."""

    parts: dict[int, LedgerPart] = {}
    progress: Progress | None = None
    result: OutputReport | None = None
    error: LedgerError | None = None
    failure: LedgerFailure | None = None
    messages: dict[MessageKind, LedgerMessage] = {}
    fingerprints: tuple[str, ...] = ()
    """What the verdict is about, by its source's id or address and by its content: the operator's `result_reuse`."""

    retained_at: datetime | None = None
    """The Conversion is gone and its mp3 was to stay. Nobody removes such an entry or its file any more."""

    adopted_from: str | None = None
    """The uid of the entry that the result was taken over from. The file belongs to that one."""

    heir: str | None = None
    """The uid of the Conversion of the same name that takes this one's place."""

    predecessor: str | None = None
    """The uid of the Conversion whose place this one took, its files included."""

    def published(self, kind: MessageKind) -> bool:
        """Whether the message of this kind is known to be in the queue."""
        return self.messages.get(kind, LedgerMessage()).published_at is not None
