"""How long a finished Conversion stays, and its mp3: what operator, gateway and email say alike."""

from datetime import timedelta

import pytest
from bson import ObjectId

from tests.builders import NOW, ConversionBuilder, a_conversion, at
from video2mp3_contracts.api.conversion import Conversion
from video2mp3_contracts.api.retention import expires_at, made_at, mp3_ttl

HOUR = timedelta(hours=1)
FROM_GIT = {"argocd.argoproj.io/instance": "media"}


def finished(ttl: int | None = 3600) -> ConversionBuilder:
    done = a_conversion().with_spec(ttlSecondsAfterFinished=ttl).succeeded()
    return done.with_status(completionTime=at(NOW))


def parsed(conversion: ConversionBuilder) -> Conversion:
    return Conversion.model_validate(conversion.document)


@pytest.mark.parametrize(
    ("conversion", "expected"),
    [
        (finished(), NOW + HOUR),
        (finished(0), NOW),
        (finished(None), None),
        (a_conversion().with_spec(ttlSecondsAfterFinished=3600), None),
        (a_conversion().with_spec(ttlSecondsAfterFinished=3600).failed(), NOW + HOUR),
        (finished().with_metadata(labels=FROM_GIT), None),
        (finished().with_spec(deletionPolicy="Retain"), NOW + HOUR),
    ],
    ids=["a-time", "at-once", "no-time", "not-finished", "failed", "from-git", "the-mp3-stays"],
)
def test_when_a_conversion_goes(conversion: ConversionBuilder, expected: object) -> None:
    assert expires_at(parsed(conversion)) == expected


@pytest.mark.parametrize(
    ("conversion", "expected"),
    [
        (finished(), HOUR),
        (a_conversion().with_spec(ttlSecondsAfterFinished=3600), HOUR),
        (finished(None), None),
        (finished().with_metadata(labels=FROM_GIT), None),
        (finished().with_spec(deletionPolicy="Retain"), None),
    ],
    ids=["finished", "not-finished", "no-time", "from-git", "the-mp3-stays"],
)
def test_how_long_an_mp3_stays(conversion: ConversionBuilder, expected: timedelta | None) -> None:
    found = parsed(conversion)
    assert mp3_ttl(found.metadata, found.spec) == expected


def test_an_id_tells_when_it_was_made() -> None:
    assert made_at(str(ObjectId.from_datetime(NOW))) == NOW
