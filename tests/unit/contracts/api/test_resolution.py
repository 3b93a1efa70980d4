"""What a Conversion and its ConversionClass come to."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.builders import FILE_ID
from video2mp3_contracts.api.conversion import ConversionSpec
from video2mp3_contracts.api.conversion_class import ConversionClassSpec
from video2mp3_contracts.api.resolution import effective, not_allowed, resolve, ttl_of
from video2mp3_contracts.api.status import Resolved

SPEECH: dict[str, Any] = {
    "defaults": {
        "output": {"encoding": {"vbr": 5}, "channels": "mono", "loudness": {"integratedLufs": -16}},
        "retryLimit": 1,
        "timeouts": {"runSeconds": 600},
        "ttlSecondsAfterFinished": 3600,
        "deletionPolicy": "Retain",
    },
}


def a_spec(**fields: Any) -> ConversionSpec:
    return ConversionSpec.model_validate({"source": {"gridfs": {"fileId": FILE_ID}}} | fields)


def resolved(spec: ConversionSpec, **decided: Any) -> Resolved:
    return resolve(spec, "speech", 3, ConversionClassSpec.model_validate(SPEECH | decided))


def test_what_a_conversion_does_not_say_its_class_says() -> None:
    spec = a_spec()
    found = effective(spec, resolved(spec))
    assert (found.output.encoding.vbr, found.output.channels) == (5, "mono")
    assert found.output.loudness is not None
    assert (found.retry_limit, found.timeouts.run_seconds, found.deletion_policy) == (1, 600, "Retain")
    assert found.source_policy == "DeleteAfterSuccess"
    assert ttl_of(spec, resolved(spec)) == found.ttl_seconds_after_finished == 3600


def test_what_it_says_itself_goes_first_and_one_choice_is_one() -> None:
    """Of `vbr` and `cbr` there can be only one, whoever said the other."""
    spec = a_spec(
        output={"encoding": {"cbr": 128}, "tags": {"title": "Talk"}},
        retryLimit=0,
        timeouts={"queueSeconds": 60},
        deletionPolicy="Delete",
    )
    decided = resolved(
        spec, defaults=SPEECH["defaults"] | {"output": {"encoding": {"vbr": 5}, "tags": {"id3Version": "2.4"}}}
    )
    found = effective(spec, decided)
    assert (found.output.encoding.vbr, found.output.encoding.cbr) == (None, 128)
    assert (found.output.tags.title, found.output.tags.id3_version) == ("Talk", "2.4")
    assert (found.retry_limit, found.deletion_policy) == (0, "Delete")
    assert found.timeouts.queue_seconds == 60


def test_a_class_that_changes_changes_nothing_that_was_recorded() -> None:
    spec = a_spec()
    recorded = resolved(spec)
    again = Resolved.model_validate(recorded.model_dump(mode="json", by_alias=True))
    assert effective(spec, again) == effective(spec, recorded)
    assert (again.class_name, again.class_generation) == ("speech", 3)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ()),
        ({"output": {"filename": "talk.mp3", "tags": {"title": "Talk"}, "trim": {"start": 1}}}, ()),
        ({"output": {"encoding": {"vbr": 0}}}, ("output",)),
        ({"output": {"tags": {}}, "timeouts": {}}, ()),
        ({"timeouts": {"runSeconds": 60}, "retryLimit": 3}, ("retryLimit", "timeouts")),
        ({"ttlSecondsAfterFinished": 60}, ()),
    ],
)
def test_what_is_not_to_be_overridden(fields: dict[str, Any], expected: tuple[str, ...]) -> None:
    spec = a_spec(**fields)
    assert not_allowed(spec, ("ttlSecondsAfterFinished",)) == expected
    assert not_allowed(spec, None) == ()


def test_what_is_fixed_stays_so_when_the_spec_is_changed_later() -> None:
    recorded = resolved(a_spec(), overrides=["output"])
    later = a_spec(retryLimit=9, ttlSecondsAfterFinished=1, timeouts={"runSeconds": 9})
    found = effective(later, recorded)
    assert (found.retry_limit, found.ttl_seconds_after_finished, found.timeouts.run_seconds) == (1, 3600, 600)
    assert ttl_of(later, recorded) == 3600


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"output\.encoding\.cbr must be at most 160"):
        resolved(a_spec(output={"sampleRate": 8000}), defaults={"output": {"encoding": {"cbr": 320}}})


def test_without_a_class_nothing_changes() -> None:
    spec = a_spec(retryLimit=2)
    assert effective(spec, None) is spec
    assert ttl_of(spec, None) is None


@pytest.mark.parametrize(
    ("decided", "words"),
    [
        ({"overrides": ["owner"]}, "Input should be"),
        ({"defaults": {"output": {"encoding": {"cbr": 320}, "sampleRate": 8000}}}, "output.encoding.cbr must be"),
        ({"limits": {"maxSourceBytes": 0}}, "greater than or equal to 1"),
        ({"colour": "red"}, "Extra inputs"),
    ],
)
def test_an_unsound_class_is_refused(decided: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        ConversionClassSpec.model_validate(decided)
