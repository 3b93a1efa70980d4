"""Which ConversionClasses the gateway offers, and which holds by default."""

from typing import Any

import pytest

from tests.builders import a_class
from video2mp3_gateway.classes.known_classes import KnownClasses

Document = dict[str, Any]


def known(*documents: Document) -> KnownClasses:
    return KnownClasses.read(documents, "ours")


def offered(*documents: Document) -> list[str]:
    return [each.name for each in known(*documents).offered]


@pytest.mark.parametrize(
    ("spec", "there"),
    [
        ({"offered": True}, True),
        ({"offered": True, "instance": "ours"}, True),
        ({"offered": True, "instance": "another"}, False),
        ({"offered": False}, False),
        ({}, False),
        ({"offered": True, "forbids": "more than we know"}, False),
    ],
)
def test_what_is_offered(spec: Document, there: bool) -> None:
    assert offered(a_class("speech", **spec)) == (["speech"] if there else [])


def test_they_are_in_order() -> None:
    assert offered(a_class("music", offered=True), a_class("default", offered=True)) == ["default", "music"]


def test_one_without_a_spec_is_not_offered() -> None:
    document = a_class()
    del document["spec"]
    assert offered(document) == []


def test_of_several_default_ones_the_newest_counts_as_with_the_operator() -> None:
    old, new, other = a_class("z", default=True), a_class("a", default=True), a_class("b")
    new["metadata"]["creationTimestamp"] = "2030-01-01T00:00:00Z"
    found = known(new, other, old).default
    assert found is not None
    assert found.name == "a"


def test_a_default_one_that_is_not_understood_is_not_known() -> None:
    assert known(a_class("a"), a_class("z", default=True, colour=1)).default is None


@pytest.mark.parametrize(
    ("spec", "decides"),
    [
        ({}, False),
        ({"overrides": ["ttlSecondsAfterFinished"]}, False),
        ({"overrides": ["output"]}, True),
        ({"overrides": []}, True),
        ({"defaults": {"ttlSecondsAfterFinished": 60}}, True),
    ],
)
def test_who_says_how_long_it_is_kept(spec: Document, decides: bool) -> None:
    [found] = known(a_class("speech", offered=True, **spec)).offered
    assert found.decides_ttl is decides
