"""`spec.output`: the mp3 that is wanted, and what Layer III allows."""

from typing import Annotated, Final, Literal, Self

from pydantic import ConfigDict, Field, ValidationInfo, model_validator

from video2mp3_contracts.api.field_rules import (
    IntOrString,
    Text,
)
from video2mp3_contracts.api.model import ADDED_LATER, BY_CLASS, STORED, Model, immutable, rule, with_rules
from video2mp3_contracts.api.tags import Tags

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

RATES_RULE: Final = (
    "!has(self.sampleRate) || !has(self.encoding) || !has(self.encoding.cbr) || self.sampleRate >= 32000"
    f" || self.encoding.cbr <= (self.sampleRate > 12000 ? {MAX_CBR_MPEG2} : {MAX_CBR_MPEG25})"
)
RATES_COMPLAINT: Final = (
    f"output.encoding.cbr must be at most {MAX_CBR_MPEG2} where output.sampleRate is under 32000, "
    f"and at most {MAX_CBR_MPEG25} where it is up to 12000"
)

_FILENAME = r"^(\.{0,2}[^./\\\x00-\x1f\x7f]|\.{3})[^/\\\x00-\x1f\x7f]*$"
"""Neither empty nor one or two points; without lookahead, which the API server's regular expressions do not have."""

_LANGUAGE = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$"


def seconds(value: int | str) -> float:
    """The seconds that a trim position names, from `90`, `"90.5"` or `"00:01:30.500"`."""
    hours_minutes_seconds = [float(part) for part in str(value).split(":")]
    total = 0.0
    for part in hours_minutes_seconds:
        total = total * 60 + part
    return total


class Encoding(Model):
    """How the mp3 is encoded: a quality or a bit rate."""

    model_config = ConfigDict(
        json_schema_extra=with_rules(
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


def _position(field: str) -> IntOrString:
    allowed = 'seconds from 0 to 999999, such as 90 or "90.5", or "HH:MM:SS.mmm", such as "00:01:30.500"'
    return IntOrString(0, 999_999, CLOCK_TIME, f"{field} must be {allowed}")


ORDER_COMPLAINT: Final = "output.trim.end must be after output.trim.start"


def _in_seconds(position: str) -> str:
    """CEL for :func:`seconds`. Only what both forms allow is asked for, so that a wrong form is told once."""
    parts = f"{position}.split(':')"
    clock = f"(double({parts}[0]) * 60.0 + double({parts}[1])) * 60.0 + double({parts}[2])"
    return (
        f"(type({position}) == string ? ({position}.contains(':') ? {clock} : double({position})) : double({position}))"
    )


def _is_position(position: str) -> str:
    return f"(type({position}) != string || {position}.matches(r'{CLOCK_TIME}'))"


_IN_ORDER = (
    f"!has(self.end) || !{_is_position('self.end')} || (has(self.start) && !{_is_position('self.start')}) || "
    f"(has(self.start) ? {_in_seconds('self.start')} : 0.0) < {_in_seconds('self.end')}"
)


class Trim(Model):
    """The part of the source to convert, sample-accurate."""

    model_config = ConfigDict(json_schema_extra=with_rules(rule(_IN_ORDER, ORDER_COMPLAINT)))

    start: Annotated[
        int | str | None,
        Field(description="Where it begins; at the start of the source by default."),
        _position("output.trim.start"),
    ] = None
    end: Annotated[
        int | str | None,
        Field(description="Where it ends; at the end of the source by default."),
        _position("output.trim.end"),
    ] = None

    @model_validator(mode="after")
    def _in_order(self, info: ValidationInfo) -> Self:
        if not self.is_in_order and info.context != STORED:
            raise ValueError(ORDER_COMPLAINT)
        return self

    @property
    def is_in_order(self) -> bool:
        """Whether it ends after it begins; it may not where it was :data:`STORED`."""
        return self.end is None or seconds(self.start or 0) < seconds(self.end)

    @property
    def is_all(self) -> bool:
        """Whether it cuts nothing off."""
        return self.end is None and (self.start is None or seconds(self.start) == 0)


_LOUDNESS_COMPLAINT = (
    "set output.loudness.integratedLufs where output.loudness.mode is gain or limit, and leave it out for measureOnly"
)


class Loudness(Model):
    """EBU R128 loudness: measured on what is encoded, and reached, or only written down."""

    model_config = ConfigDict(
        json_schema_extra=with_rules(
            rule(
                "has(self.integratedLufs) != (has(self.mode) && self.mode == 'measureOnly')",
                _LOUDNESS_COMPLAINT,
            )
        )
    )

    mode: Annotated[
        Literal["gain", "limit", "measureOnly"],
        Field(
            description="gain, the default: one gain for all of it, as far as peaks allow. limit: peaks are held down"
            " where they are in the way. measureOnly: the sound stays as it is, and players are told its loudness.",
            json_schema_extra=ADDED_LATER,
        ),
    ] = "gain"
    integrated_lufs: Annotated[float | None, Field(ge=-70, le=-5, description="The loudness to reach, in LUFS.")] = None

    @model_validator(mode="after")
    def _wanted_unless_only_measured(self) -> Self:
        if (self.integrated_lufs is None) != (self.mode == "measureOnly"):
            raise ValueError(_LOUDNESS_COMPLAINT)
        return self


class AudioTrack(Model):
    """Which of several audio tracks."""

    model_config = ConfigDict(
        json_schema_extra=with_rules(
            rule("!(has(self.index) && has(self.language))", "set output.audioTrack.index or .language, not both")
        )
    )

    index: Annotated[
        int | None,
        Field(ge=0, le=63, description="The place of the one that is wanted, counted over the audio tracks from 0."),
    ] = None
    language: Annotated[
        str | None,
        Field(max_length=35, description="The language of the one that is wanted."),
        Text(_LANGUAGE, "output.audioTrack.language must be a BCP 47 tag, such as de, deu or pt-BR"),
    ] = None

    @model_validator(mode="after")
    def _at_most_one(self) -> Self:
        if self.index is not None and self.language is not None:
            raise ValueError("set output.audioTrack.index or .language, not both")
        return self


def rates_fit(rate: int | None, cbr: int | None) -> bool:
    """Whether a bit rate in kbit/s goes with a sample rate in Hz, see RATES_RULE."""
    return not rate or not cbr or rate >= 32000 or cbr <= (MAX_CBR_MPEG2 if rate > 12000 else MAX_CBR_MPEG25)


SampleRate = Literal[8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000]
Channels = Literal["source", "mono", "stereo"]


class Output(Model):
    """The mp3 that is wanted."""

    model_config = ConfigDict(
        json_schema_extra=with_rules(
            rule(
                RATES_RULE,
                RATES_COMPLAINT,
            ),
            immutable("output"),
        )
    )

    filename: Annotated[
        str | None,
        Field(
            max_length=200,
            description="What the mp3 is called when it is downloaded; the Conversion's name and .mp3 by default.",
        ),
        Text(
            _FILENAME,
            r"output.filename must be a file's name: not empty, . or .., and without /, \ and control characters",
        ),
    ] = None
    encoding: Annotated[
        Encoding, Field(description="A quality or a bit rate; vbr: 2 by default.", json_schema_extra=BY_CLASS)
    ] = Encoding(vbr=2)
    sample_rate: Annotated[
        SampleRate | None, Field(description="Hz; the source's by default, or the next that mp3 knows.")
    ] = None
    channels: Annotated[
        Channels,
        Field(
            description="One, two, or as the source, which is the default; more than two become stereo.",
            json_schema_extra=BY_CLASS,
        ),
    ] = "source"
    trim: Annotated[Trim | None, Field(description="A part of the source; all of it by default.")] = None
    loudness: Annotated[
        Loudness | None, Field(description="Bring it to a loudness, or tell players of it; untouched by default.")
    ] = None
    audio_track: Annotated[
        AudioTrack | None, Field(description="Which of several; the source's default track by default.")
    ] = None
    tags: Annotated[Tags, Field(description="What the ID3 tag says; these override the source's.")] = Tags()

    @model_validator(mode="after")
    def _rates_fit(self) -> Self:
        if not rates_fit(self.sample_rate, self.encoding.cbr):
            raise ValueError(RATES_COMPLAINT)
        return self
