"""What is refused rather than ignored."""

from typing import Any

import pytest

from video2mp3_contracts.conversion import ConversionSpec
from video2mp3_operator.unsupported import unsupported_fields

SOURCE: dict[str, Any] = {"gridfs": {"fileId": "0123456789abcdef01234567"}}


@pytest.mark.parametrize(
    ("spec", "path"),
    [
        ({"source": {"url": "https://example.org/film.mp4"}}, "spec.source.url"),
        ({"timeouts": {"queueSeconds": 60}}, "spec.timeouts.queueSeconds"),
        ({"timeouts": {"startSeconds": 60}}, "spec.timeouts.startSeconds"),
        ({"ttlSecondsAfterFinished": 0}, "spec.ttlSecondsAfterFinished"),
    ],
)
def test_what_cannot_be_done_is_named(spec: dict[str, Any], path: str) -> None:
    assert unsupported_fields(ConversionSpec.model_validate({"source": SOURCE} | spec)) == (path,)


def test_the_limit_of_one_attempt_is_kept() -> None:
    spec = ConversionSpec.model_validate({"source": SOURCE, "timeouts": {"runSeconds": 60}})
    assert unsupported_fields(spec) == ()
