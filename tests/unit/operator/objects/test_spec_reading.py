"""A spec is read as far as it is understood; what is not is named, and nothing that may be meant to stay goes."""

from typing import Any

import pytest

from tests.builders import FILE_ID, OWNER, a_conversion
from video2mp3_operator.objects.spec_reading import read_spec

WHOLE = a_conversion().document["spec"]


def test_what_is_understood_is_read_as_it_is() -> None:
    reading = read_spec(WHOLE)
    assert reading.spec is not None
    assert (reading.spec.owner, reading.trouble, reading.keeps_mp3, reading.keeps_source) == (OWNER, "", False, False)


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ({"colour": "red"}, "spec.colour: unknown field"),
        ({"source": {"gridfs": {"fileId": FILE_ID}, "shelf": 3}}, "spec.source.shelf: unknown field"),
        ({"output": {"encoding": {"opus": 96}}}, "spec.output.encoding.opus: unknown field"),
        ({"parallelism": "many"}, "spec.parallelism"),
    ],
)
def test_what_is_not_understood_is_named_and_the_rest_holds(change: dict[str, Any], trouble: str) -> None:
    reading = read_spec(WHOLE | change)
    assert reading.spec is not None
    assert reading.spec.source.gridfs is not None
    assert (reading.spec.source.gridfs.file_id, reading.spec.owner) == (FILE_ID, OWNER)
    assert reading.trouble.startswith(trouble)


@pytest.mark.parametrize("nothing", [None, False, "", 0, [], {}, {"deep": {"deeper": False}}])
def test_an_unknown_field_that_says_nothing_is_passed_over(nothing: Any) -> None:
    """A newer definition of the resource fills in its defaults everywhere."""
    reading = read_spec(WHOLE | {"colour": nothing})
    assert reading.spec is not None
    assert reading.trouble == ""


def test_without_a_source_nothing_is_understood() -> None:
    reading = read_spec(WHOLE | {"source": {"tape": 7}})
    assert reading.spec is None
    assert "spec.source" in reading.trouble


def test_a_part_that_ends_before_it_begins_is_understood() -> None:
    """It was taken before there was a rule. That it cannot be done ends it: no newer operator is waited for."""
    reading = read_spec(WHOLE | {"output": {"trim": {"start": 5, "end": 5}}})
    assert reading.spec is not None
    assert reading.spec.output.trim is not None
    assert (reading.trouble, reading.spec.output.trim.is_in_order) == ("", False)


def test_whose_it_is_stays_as_it_is_written() -> None:
    """It was taken before owners had one form; the source's owner tells whether it fits."""
    reading = read_spec(WHOLE | {"owner": "Some body"})
    assert reading.spec is not None
    assert (reading.spec.owner, reading.trouble) == ("Some body", "")
    assert "owner" in read_spec(WHOLE | {"owner": 7}).trouble


@pytest.mark.parametrize(
    ("policies", "kept"),
    [
        ({}, (False, False)),
        ({"deletionPolicy": None, "sourcePolicy": None}, (False, False)),
        ({"deletionPolicy": "Retain", "sourcePolicy": "Retain"}, (True, True)),
        ({"deletionPolicy": "Archive", "sourcePolicy": "Archive"}, (True, True)),
        ({"deletionPolicy": "Retain", "colour": "red"}, (True, False)),
    ],
)
def test_what_is_not_plainly_to_be_deleted_stays(policies: dict[str, Any], kept: tuple[bool, bool]) -> None:
    reading = read_spec(WHOLE | policies)
    assert (reading.keeps_mp3, reading.keeps_source) == kept
