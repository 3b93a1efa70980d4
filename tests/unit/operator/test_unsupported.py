"""What is refused rather than ignored."""

from typing import Any

import pytest

from video2mp3_contracts.conversion import ConversionSpec
from video2mp3_operator.unsupported import unsupported_fields

SOURCE: dict[str, Any] = {"gridfs": {"fileId": "0123456789abcdef01234567"}}


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"parallelism": 2}, "spec.parallelism"),
    ],
)
def test_what_cannot_be_done_is_named(spec: dict[str, Any], path: str) -> None:
    assert unsupported_fields(ConversionSpec.model_validate({"source": SOURCE} | spec)) == (path,)


def test_what_can_be_done_is_not() -> None:
    limits = {"queueSeconds": 60, "startSeconds": 60, "runSeconds": 60}
    output = {"trim": {"start": 1}, "audioTrack": {"index": 0}, "loudness": {"integratedLufs": -16.0}}
    spec = {"source": SOURCE, "timeouts": limits, "output": output, "ttlSecondsAfterFinished": 0}
    assert unsupported_fields(ConversionSpec.model_validate(spec)) == ()
    on_the_web = spec | {"source": {"url": "https://example.org/film.mp4"}}
    assert unsupported_fields(ConversionSpec.model_validate(on_the_web)) == ()
