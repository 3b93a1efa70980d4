"""The Conversion resource: the one source of its schema, its defaults and its rules.

The CustomResourceDefinition is generated from these models (`crd`), the gateway builds with them (③), the operator
parses with them (④). What the API server refuses, they refuse, and the other way round: each rule between fields is
written twice, as CEL for the API server and as a validator for Python, side by side.
"""

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from video2mp3_contracts import names

MPEG1_BITRATES: Final = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
"""kbit/s of MPEG-1 Layer III (ISO/IEC 11172-3, table of `bitrate_index`)."""

SAMPLE_RATES: Final = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
"""Hz that MPEG-1, MPEG-2 (ISO/IEC 13818-3) and MPEG-2.5 Layer III know."""

MAX_CBR_MPEG2: Final = 160
"""kbit/s: the most that a sample rate under 32 kHz allows."""

MAX_CBR_MPEG25: Final = 64
"""kbit/s: the most that LAME writes for a sample rate up to 12 kHz."""

CLOCK_TIME: Final = r"^([0-9]{1,2}:[0-5][0-9]:[0-5][0-9]|[0-9]{1,6})(\.[0-9]{1,6})?$"
"""`HH:MM:SS.mmm` or seconds."""

NO_CONTROL_CHARACTERS: Final = r"^[^\x00-\x1f\x7f]*$"
FILE_ID: Final = r"^[0-9a-f]{24}$"
_EMAIL = r"^[^@\x00-\x20\x7f]+@[^@\x00-\x20\x7f]+$"
_FILENAME = r"^[^/\\\x00-\x1f\x7f]+$"
_URL = r"^https?://[^\x00-\x20\x7f]+$"
_LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$"
_WEEK_SECONDS = 7 * 24 * 3600
_YEAR_SECONDS = 366 * 24 * 3600


def rule(expression: str, message: str, **more: str) -> dict[str, str]:
    """A CEL rule as it stands in `x-kubernetes-validations`."""
    return {"rule": expression, "message": message, **more}


def _immutable(field: str) -> dict[str, str]:
    return rule("self == oldSelf", f"{field} is immutable: make a new Conversion instead")


def _with_rules(*rules: dict[str, str]) -> dict[str, Any]:
    return {"x-kubernetes-validations": list(rules)}


def seconds(value: int | str) -> float:
    """The seconds that a trim position names, from `90`, `"90.5"` or `"00:01:30.500"`."""
    hours_minutes_seconds = [float(part) for part in str(value).split(":")]
    total = 0.0
    for part in hours_minutes_seconds:
        total = total * 60 + part
    return total


class Model(BaseModel):
    """A part of the resource: camelCase in YAML, unknown fields and other types refused, never changed in place."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _whole_numbers(cls, fields: Any) -> Any:
        """JSON has one kind of number, and for the API server 1.0 is as whole as 1."""
        if not isinstance(fields, dict):
            return fields
        return {
            name: int(value) if isinstance(value, float) and value.is_integer() else value
            for name, value in fields.items()
        }


class GridFSSource(Model):
    """② A file that lies in the `videos` database."""

    file_id: Annotated[str, Field(pattern=FILE_ID, max_length=24, description="The file's ObjectId as 24 hex digits.")]


class Source(Model):
    """Where the video comes from."""

    model_config = ConfigDict(
        json_schema_extra=_with_rules(
            rule("has(self.gridfs) != has(self.url)", "set exactly one of source.gridfs and source.url"),
            _immutable("source"),
        )
    )

    gridfs: Annotated[GridFSSource | None, Field(description="A file uploaded to the gateway.")] = None
    url: Annotated[
        str | None, Field(pattern=_URL, max_length=2048, description="An http or https address the worker fetches.")
    ] = None
    sha256: Annotated[
        str | None,
        Field(pattern=r"^[0-9a-f]{64}$", max_length=64, description="What the content's SHA-256 must be, in hex."),
    ] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.gridfs is None) == (self.url is None):
            raise ValueError("set exactly one of source.gridfs and source.url")
        return self


class Encoding(Model):
    """How the mp3 is encoded: a quality or a bit rate."""

    model_config = ConfigDict(
        json_schema_extra=_with_rules(
            rule("has(self.vbr) != has(self.cbr)", "set exactly one of output.encoding.vbr and output.encoding.cbr")
        )
    )

    vbr: Annotated[
        int | None, Field(ge=0, le=9, description="LAME's variable bit rate level: 0 is the best, 9 the smallest.")
    ] = None
    cbr: Annotated[
        Literal[32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320] | None,
        Field(description="Constant bit rate in kbit/s."),
    ] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.vbr is None) == (self.cbr is None):
            raise ValueError("set exactly one of output.encoding.vbr and output.encoding.cbr")
        return self


def _not_negative(value: int | str) -> int | str:
    if isinstance(value, int) and not 0 <= value <= 999_999:
        raise ValueError("must be between 0 and 999999 seconds")
    return value


_Position = Annotated[
    int | Annotated[str, Field(pattern=CLOCK_TIME, max_length=18)],
    Field(json_schema_extra={"x-kubernetes-int-or-string": True, "pattern": CLOCK_TIME, "maxLength": 18}),
    AfterValidator(_not_negative),
]


_POSITION_RANGE = "type(self.{0}) == string || (self.{0} >= 0 && self.{0} <= 999999)"


class Trim(Model):
    """The part of the source to convert, sample-accurate."""

    model_config = ConfigDict(
        json_schema_extra=_with_rules(
            *(
                rule(
                    f"!has(self.{field}) || " + _POSITION_RANGE.format(field),
                    f"output.trim.{field} must be between 0 and 999999 seconds",
                )
                for field in ("start", "end")
            )
        )
    )

    start: Annotated[_Position | None, Field(description='Where it begins: seconds or "HH:MM:SS.mmm".')] = None
    end: Annotated[_Position | None, Field(description='Where it ends: seconds or "HH:MM:SS.mmm".')] = None


class Loudness(Model):
    """EBU R128 loudness: measured, then applied as one linear gain."""

    integrated_lufs: Annotated[float, Field(ge=-70, le=-5, description="The loudness to reach, in LUFS.")]


class AudioTrack(Model):
    """Which of several audio tracks."""

    model_config = ConfigDict(
        json_schema_extra=_with_rules(
            rule("!(has(self.index) && has(self.language))", "set output.audioTrack.index or .language, not both")
        )
    )

    index: Annotated[int | None, Field(ge=0, le=63, description="Counted over the audio tracks, from 0.")] = None
    language: Annotated[str | None, Field(pattern=_LANGUAGE, max_length=35, description="A BCP 47 tag.")] = None

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        if self.index is not None and self.language is not None:
            raise ValueError("set output.audioTrack.index or .language, not both")
        return self


def _tag(description: str, longest: int = 256) -> Any:
    return Field(pattern=NO_CONTROL_CHARACTERS, max_length=longest, description=description)


class Tags(Model):
    """What the mp3's ID3 tag says. Unset fields are copied from the source."""

    title: Annotated[str | None, _tag("Title.")] = None
    artist: Annotated[str | None, _tag("Artist.")] = None
    album: Annotated[str | None, _tag("Album.")] = None
    album_artist: Annotated[str | None, _tag("Album artist.")] = None
    composer: Annotated[str | None, _tag("Composer.")] = None
    genre: Annotated[str | None, _tag("Genre.")] = None
    date: Annotated[str | None, _tag("Date, for example 2026-03-01 or 2026.", 32)] = None
    track: Annotated[str | None, _tag("Track number, for example 3 or 3/12.", 16)] = None
    comment: Annotated[str | None, _tag("Comment.", 1024)] = None


class Output(Model):
    """The mp3 that is wanted."""

    model_config = ConfigDict(
        json_schema_extra=_with_rules(
            rule(
                "!has(self.sampleRate) || !has(self.encoding.cbr) || self.sampleRate >= 32000"
                f" || self.encoding.cbr <= (self.sampleRate > 12000 ? {MAX_CBR_MPEG2} : {MAX_CBR_MPEG25})",
                "output.encoding.cbr is at most 160 for an output.sampleRate under 32000, and 64 up to 12000",
            ),
            rule("!has(self.filename) || !(self.filename in ['.', '..'])", "output.filename must be a file's name"),
            _immutable("output"),
        )
    )

    filename: Annotated[
        str | None,
        Field(
            pattern=_FILENAME,
            min_length=1,
            max_length=200,
            description="What the mp3 is called when it is downloaded; the Conversion's name and .mp3 by default.",
        ),
    ] = None
    encoding: Annotated[Encoding, Field(description="vbr: 2 by default.")] = Encoding(vbr=2)
    sample_rate: Annotated[
        Literal[8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000] | None,
        Field(description="Hz; the source's by default, or the next that mp3 knows."),
    ] = None
    channels: Annotated[
        Literal["source", "mono", "stereo"], Field(description="source: as the source, more than two become stereo.")
    ] = "source"
    trim: Annotated[Trim | None, Field(description="A part of the source; all of it by default.")] = None
    loudness: Annotated[Loudness | None, Field(description="Bring it to a loudness; untouched by default.")] = None
    audio_track: Annotated[AudioTrack | None, Field(description="The source's default track by default.")] = None
    tags: Annotated[Tags, Field(description="What the ID3 tag says; these override the source's.")] = Tags()

    @model_validator(mode="after")
    def _rates_fit(self) -> Self:
        rate, cbr = self.sample_rate, self.encoding.cbr
        if rate and cbr and rate < 32000 and cbr > (MAX_CBR_MPEG2 if rate > 12000 else MAX_CBR_MPEG25):
            raise ValueError("output.encoding.cbr is at most 160 for a sampleRate under 32000, and 64 up to 12000")
        if self.filename in (".", ".."):
            raise ValueError("output.filename must be a file's name")
        return self


class Notify(Model):
    """Who is told when it is done."""

    email: Annotated[str | None, Field(pattern=_EMAIL, max_length=254, description="Gets one email at the end.")] = None


def _limit(description: str) -> Any:
    return Field(ge=1, le=_WEEK_SECONDS, description=description)


class Timeouts(Model):
    """How long each stage may take. Unset ones are the installation's defaults."""

    queue_seconds: Annotated[int | None, _limit("Waiting to be admitted, in seconds.")] = None
    start_seconds: Annotated[int | None, _limit("From admission to the worker's first sign of life, in seconds.")] = (
        None
    )
    run_seconds: Annotated[
        int | None, _limit("One attempt's run, in seconds. By default it scales with the media's duration.")
    ] = None


class ConversionSpec(Model):
    """What somebody wants converted, and how."""

    source: Annotated[Source, Field(description="Where the video comes from. Immutable.")]
    output: Annotated[Output, Field(description="The mp3 that is wanted. Immutable.")] = Output()
    owner: Annotated[
        str,
        Field(
            pattern=NO_CONTROL_CHARACTERS,
            max_length=254,
            description="The account it belongs to, and that may download the mp3. Immutable.",
            json_schema_extra=_with_rules(_immutable("owner")),
        ),
    ] = ""
    notify: Annotated[
        Notify,
        Field(description="Who is told. Immutable.", json_schema_extra=_with_rules(_immutable("notify"))),
    ] = Notify()
    priority: Annotated[int, Field(ge=-1000, le=1000, description="Higher goes first while it is queued.")] = 0
    suspend: Annotated[bool, Field(description="Stops it, and keeps it from starting, until it is false again.")] = (
        False
    )
    retry_limit: Annotated[int, Field(ge=0, le=10, description="Attempts after the first.")] = 3
    timeouts: Annotated[Timeouts, Field(description="How long each stage may take.")] = Timeouts()
    ttl_seconds_after_finished: Annotated[
        int | None,
        Field(ge=0, le=_YEAR_SECONDS, description="Deletes the finished Conversion after this time; kept when unset."),
    ] = None
    deletion_policy: Annotated[
        Literal["Delete", "Retain"], Field(description="Whether the files go when the Conversion is deleted.")
    ] = "Delete"
    source_policy: Annotated[
        Literal["DeleteAfterSuccess", "Retain"],
        Field(description="What becomes of a GridFS source once it is converted."),
    ] = "DeleteAfterSuccess"


class Report(BaseModel):
    """A part of `status`: as the spec's models, but what a newer version wrote there is passed over."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True)


class Condition(Report):
    """As `metav1.Condition`."""

    type: str
    status: Literal["True", "False", "Unknown"]
    observed_generation: int = 0
    last_transition_time: datetime
    reason: str
    message: str = ""


class QueueReport(Report):
    """Where a waiting Conversion stands."""

    position: Annotated[int | None, Field(description="1 is next. Updated coarsely.")] = None
    since: Annotated[datetime | None, Field(description="When it was first seen to wait.")] = None


class Progress(Report):
    """How far the running attempt is."""

    percent: Annotated[int, Field(ge=0, le=100)] = 0
    processed_seconds: float = 0
    duration_seconds: float | None = None
    speed: Annotated[float | None, Field(description="Media seconds per second.")] = None
    eta_seconds: float | None = None
    updated_at: datetime | None = None


class Attempt(Report):
    """One run of a worker that has ended or is running."""

    number: int
    pod: str = ""
    node: str = ""
    start_time: datetime | None = None
    end_time: datetime | None = None
    exit_code: int | None = None
    reason: str = ""
    message: str = ""
    detail: Annotated[str, Field(description="The last lines of ffmpeg's complaint.")] = ""


class OutputReport(Report):
    """The mp3 that was made."""

    file_id: str
    filename: str
    size: Annotated[int, Field(alias="bytes")]
    duration_seconds: float
    sha256: str
    encoding: str


class ConversionStatus(Report):
    """What the operator has seen and done."""

    observed_generation: int | None = None
    phase: str = "Pending"
    reason: str = ""
    message: str = ""
    queue: QueueReport | None = None
    progress: Progress | None = None
    attempts: Annotated[tuple[Attempt, ...], Field(max_length=20, description="The last ones, oldest first.")] = ()
    start_time: datetime | None = None
    completion_time: datetime | None = None
    output: OutputReport | None = None
    conditions: Annotated[
        tuple[Condition, ...],
        Field(
            max_length=16, json_schema_extra={"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
        ),
    ] = ()


class ObjectMeta(Report):
    """What this project reads of `metav1.ObjectMeta`."""

    name: str
    namespace: str
    uid: str = ""
    generation: int = 1
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    finalizers: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}


class Conversion(Report):
    """③ The custom resource as a whole."""

    metadata: ObjectMeta
    spec: ConversionSpec
    status: ConversionStatus = ConversionStatus()

    @property
    def filename(self) -> str:
        """What the mp3 is called."""
        return self.spec.output.filename or f"{self.metadata.name}.mp3"

    def manifest(self) -> dict[str, Any]:
        """The document that creates it: no status, and no default spelled out."""
        wanted = {"name": self.metadata.name, "namespace": self.metadata.namespace}
        optional = {
            "labels": self.metadata.labels,
            "annotations": self.metadata.annotations,
            "finalizers": list(self.metadata.finalizers),
        }
        return {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": wanted | {key: value for key, value in optional.items() if value},
            "spec": self.spec.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True),
        }


def is_file_id(text: str) -> bool:
    """Whether a text is a GridFS file id as this project writes them."""
    return re.fullmatch(FILE_ID.strip("^$"), text) is not None
