"""The Conversion's models accept what makes sense and refuse the rest with a message that names the field."""

from typing import Any

import pytest
from pydantic import ValidationError

from video2mp3_contracts.api.conversion import Conversion, ConversionSpec, ObjectMeta, is_file_id
from video2mp3_contracts.api.output import seconds

FILE = {"gridfs": {"fileId": "0123456789abcdef01234567"}}

ACCEPTED: dict[str, dict[str, Any]] = {
    "the least": {},
    "a quality": {"output": {"encoding": {"vbr": 0}}},
    "a bit rate": {"output": {"encoding": {"cbr": 320}}},
    "a loudness": {"output": {"loudness": {"integratedLufs": -16}}},
    "a loudness by a limiter": {"output": {"loudness": {"mode": "limit", "integratedLufs": -16}}},
    "a loudness that is only measured": {"output": {"loudness": {"mode": "measureOnly"}}},
    "a bit rate that fits a low sample rate": {"output": {"encoding": {"cbr": 160}, "sampleRate": 22050}},
    "trim in whole seconds": {"output": {"trim": {"start": 90, "end": 120}}},
    "trim as a clock": {"output": {"trim": {"start": "00:01:30.500", "end": "125.25"}}},
    "tags": {"output": {"tags": {"title": "Größe", "albumArtist": "—"}}},
    "tags in lines": {"output": {"tags": {"comment": "one\r\n\ttwo\n", "lyrics": "la\n\n" * 4000}}},
    "tags of one's own": {"output": {"tags": {"custom": {"Größe": "M/S = 1", "x" * 64: "y" * 256, "empty": ""}}}},
    "as many tags of one's own as there may be": {
        "output": {"tags": {"custom": {f"{number:064}": "说" * 256 for number in range(16)}}}
    },
    "no tags of one's own": {"output": {"tags": {"custom": {}}}},
    "the newer tag": {"output": {"tags": {"id3Version": "2.4", "disc": "1/2"}}},
    "a track by language": {"output": {"audioTrack": {"language": "pt-BR"}}},
    "the ends of the priorities": {"priority": -1000},
    "several pods": {"parallelism": 16},
    "pods by the duration": {"parallelism": "auto"},
    "an address": {"source": {"url": "https://media.example.com/talks/1.mp4?token=a%20b#t=10"}},
    "an address with a port": {"source": {"url": "http://media.example.com:80"}},
    "an address without a name": {"source": {"url": "https://[2001:db8::1]/a.mp4"}},
    "every policy": {"deletionPolicy": "Retain", "sourcePolicy": "Retain", "ttlSecondsAfterFinished": 0},
}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no source": ({"source": {}}, "exactly one of source.gridfs and source.url"),
    "two sources": ({"source": FILE | {"url": "https://example.com/a.mp4"}}, "exactly one of source.gridfs"),
    "a file id that is none": (
        {"source": {"gridfs": {"fileId": "../etc/passwd"}}},
        "source.gridfs.fileId must be the id of",
    ),
    "a longer file id": ({"source": {"gridfs": {"fileId": "0" * 32}}}, "24 digits of 0-9 and a-f"),
    "a class that has no such name": ({"className": "Speech!"}, "className must be the name of a ConversionClass"),
    "a digest of another kind": ({"source": FILE | {"sha256": "0" * 128}}, "source.sha256 must be 64 digits"),
    "a file's address": ({"source": {"url": "file:///etc/passwd"}}, "source.url must be http or https"),
    "an address with a space": ({"source": {"url": "https://example.com/a b"}}, "a password or spaces"),
    "an address with a password": ({"source": {"url": "https://me:secret@example.com/a.mp4"}}, "without a user name"),
    "an address that only looks like a host": ({"source": {"url": "https://example.com\\@127.0.0.1/"}}, "host name"),
    "another port": ({"source": {"url": "http://example.com:6379/"}}, "port 80, 443 or none"),
    "a name that is not ASCII": ({"source": {"url": "https://exämple.com/a.mp4"}}, "plain ASCII"),
    "no host": ({"source": {"url": "https:///a.mp4"}}, "host name"),
    "a loudness to reach and none": ({"output": {"loudness": {"mode": "limit"}}}, "set output.loudness.integratedLufs"),
    "a loudness to measure and to reach": (
        {"output": {"loudness": {"mode": "measureOnly", "integratedLufs": -16}}},
        "leave it out for measureOnly",
    ),
    "quality and bit rate": ({"output": {"encoding": {"vbr": 2, "cbr": 128}}}, "exactly one of output.encoding"),
    "neither quality nor bit rate": ({"output": {"encoding": {}}}, "exactly one of output.encoding"),
    "an odd bit rate": ({"output": {"encoding": {"cbr": 123}}}, "cbr"),
    "a bit rate too high for MPEG-2": (
        {"output": {"encoding": {"cbr": 320}, "sampleRate": 22050}},
        "at most 160 where output.sampleRate is under 32000",
    ),
    "a bit rate too high for MPEG-2.5": ({"output": {"encoding": {"cbr": 80}, "sampleRate": 8000}}, "at most 64 where"),
    "a path as a name": ({"output": {"filename": "a/b.mp3"}}, "output.filename must be a file's name"),
    "no name": ({"output": {"filename": ""}}, "not empty, . or .."),
    "a folder as a name": ({"output": {"filename": ".."}}, "not empty, . or .."),
    "a control character": ({"output": {"filename": "a\nb.mp3"}}, "and control characters"),
    "a line end in a tag": ({"output": {"tags": {"title": "a\n"}}}, "output.tags.title must be one line of text"),
    "a tab in a tag": ({"output": {"tags": {"albumArtist": "a\tb"}}}, "output.tags.albumArtist must be one line"),
    "a line end in a disc number": ({"output": {"tags": {"disc": "1\n"}}}, "output.tags.disc must be one line of text"),
    "a bell in lyrics": ({"output": {"tags": {"lyrics": "la\a"}}}, "output.tags.lyrics must be lines of text"),
    "a form feed in a comment": ({"output": {"tags": {"comment": "a\fb"}}}, "other than line ends and tabs"),
    "a tag of one's own without a name": ({"output": {"tags": {"custom": {"": "a"}}}}, "names of 1 to 64 characters"),
    "a long name of a tag": ({"output": {"tags": {"custom": {"x" * 65: "a"}}}}, "names of 1 to 64 characters"),
    "a line end in the name of a tag": (
        {"output": {"tags": {"custom": {"a\n": "a"}}}},
        "output.tags.custom must be at most 16 texts in one line",
    ),
    "a line end in a tag of one's own": (
        {"output": {"tags": {"custom": {"a": "a\n"}}}},
        "output.tags.custom must be at most 16 texts in one line",
    ),
    "a long tag of one's own": ({"output": {"tags": {"custom": {"a": "x" * 257}}}}, "256"),
    "a number as a tag of one's own": ({"output": {"tags": {"custom": {"a": 1}}}}, "custom"),
    "too many tags of one's own": (
        {"output": {"tags": {"custom": {str(number): "a" for number in range(17)}}}},
        "at most 16",
    ),
    "a tag that nobody knows": ({"output": {"tags": {"id3Version": "2.2"}}}, "2.4"),
    "a line end in an owner": ({"owner": "a@example.com\n"}, "owner must be the email address"),
    "an owner in capitals": ({"owner": "You@Example.com"}, "owner must be the email address"),
    "an owner that is no address": ({"owner": "someone"}, "owner must be the email address"),
    "a time that is none": (
        {"output": {"trim": {"start": "1:2:3"}}},
        "output.trim.start must be seconds from 0 to 999999",
    ),
    "a clock without hours": ({"output": {"trim": {"end": "1:30"}}}, "output.trim.end must be seconds"),
    "a time with too many digits": ({"output": {"trim": {"end": "00:01:30.0000000001"}}}, '"HH:MM:SS.mmm"'),
    "a time in hours": ({"output": {"trim": {"start": 1_000_000}}}, "from 0 to 999999"),
    "an end before the start": (
        {"output": {"trim": {"start": "00:02:00", "end": 90}}},
        "output.trim.end must be after output.trim.start",
    ),
    "a part of nothing": ({"output": {"trim": {"end": 0}}}, "output.trim.end must be after output.trim.start"),
    "a time before the beginning": ({"output": {"trim": {"start": -1}}}, "from 0 to 999999"),
    "a language in words": (
        {"output": {"audioTrack": {"language": "german"}}},
        "output.audioTrack.language must be a BCP 47 tag",
    ),
    "an index and a language": ({"output": {"audioTrack": {"index": 0, "language": "en"}}}, "not both"),
    "an address without a domain": ({"notify": {"email": "somebody"}}, "notify.email must be one email address"),
    "two lines of an address": ({"notify": {"email": "a@example.com\nBcc: b@example.com"}}, "without spaces"),
    "a priority out of range": ({"priority": 1001}, "priority"),
    "no pod": ({"parallelism": 0}, "parallelism must be an integer from 1 to 16"),
    "too many pods": ({"parallelism": 17}, "an integer from 1 to 16"),
    "a number of pods in words": ({"parallelism": "automatic"}, 'or "auto"'),
    "a number of pods as a text": ({"parallelism": "4"}, "parallelism must be an integer from 1 to 16"),
    "half a pod": ({"parallelism": 1.5}, "parallelism"),
    "an unknown field": ({"outptu": {}}, "outptu"),
    "an unknown policy": ({"deletionPolicy": "Keep"}, "deletionPolicy"),
} | {
    f"two lines as the {tag}": ({"output": {"tags": {tag: "one\ntwo"}}}, f"output.tags.{tag} must be one line of text")
    for tag in ("artist", "album", "albumArtist", "composer", "genre", "date", "track", "disc")
}


@pytest.mark.parametrize("spec", ACCEPTED.values(), ids=ACCEPTED)
def test_a_sound_spec_is_accepted(spec: dict[str, Any]) -> None:
    ConversionSpec.model_validate({"source": FILE} | spec)


@pytest.mark.parametrize(("spec", "complaint"), REFUSED.values(), ids=REFUSED)
def test_an_unsound_spec_is_refused(spec: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ConversionSpec.model_validate({"source": FILE} | spec)
    assert complaint in str(refused.value)


def test_the_defaults_are_those_of_the_reference() -> None:
    spec = ConversionSpec.model_validate({"source": FILE})
    assert (spec.output.encoding.vbr, spec.output.channels, spec.retry_limit) == (2, "source", 3)
    assert (spec.deletion_policy, spec.source_policy, spec.owner) == ("Delete", "DeleteAfterSuccess", "")


@pytest.mark.parametrize(
    ("position", "expected"), [(90, 90.0), ("90.5", 90.5), ("00:01:30.500", 90.5), ("10:00:00", 36000.0)]
)
def test_a_position_is_seconds_or_a_clock(position: int | str, expected: float) -> None:
    assert seconds(position) == expected


def test_the_manifest_spells_out_only_what_was_asked_for() -> None:
    spec = ConversionSpec.model_validate({"source": FILE, "owner": "a@example.com"})
    conversion = Conversion(metadata=ObjectMeta(name="talk", namespace="default"), spec=spec)
    assert conversion.manifest() == {
        "apiVersion": "video2mp3.dev/v1",
        "kind": "Conversion",
        "metadata": {"name": "talk", "namespace": "default"},
        "spec": {"source": FILE, "owner": "a@example.com"},
    }


def test_the_filename_follows_the_name_unless_given() -> None:
    meta = {"name": "talk", "namespace": "default"}
    named = {"source": FILE, "output": {"filename": "Talk 1.mp3"}}
    assert Conversion.model_validate({"metadata": meta, "spec": {"source": FILE}}).filename == "talk.mp3"
    assert Conversion.model_validate({"metadata": meta, "spec": named}).filename == "Talk 1.mp3"


@pytest.mark.parametrize(
    ("text", "answer"), [("0123456789abcdef01234567", True), ("0" * 24 + "\n", False), ("0", False)]
)
def test_a_file_id_is_24_hex_digits(text: str, answer: bool) -> None:
    assert is_file_id(text) is answer
