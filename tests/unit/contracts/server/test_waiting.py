"""Nothing that somebody does gives it more time."""

import pytest

from video2mp3_contracts.server.waiting import Waiting


def test_time_is_up_after_so_many_seconds_in_the_order_of_coming() -> None:
    waiting: Waiting[str] = Waiting(20)
    waiting.add("first", 100)
    waiting.add("second", 105)
    assert waiting.oldest == "first"
    assert waiting.expired(119.9) == []
    assert waiting.expired(120) == ["first"]
    assert waiting.expired(125) == ["first", "second"]
    assert (list(waiting), len(waiting)) == (["first", "second"], 2)


def test_who_has_gone_waits_no_more() -> None:
    waiting: Waiting[str] = Waiting(20)
    waiting.add("first", 100)
    waiting.add("second", 101)
    waiting.remove("first")
    assert ("first" in waiting, "second" in waiting) == (False, True)
    assert waiting.oldest == "second"
    assert waiting.expired(1000) == ["second"]
    waiting.remove("second")
    assert waiting.oldest is None
    with pytest.raises(KeyError):
        waiting.remove("second")


def test_an_end_comes_for_those_who_are_there_and_those_who_come() -> None:
    waiting: Waiting[str] = Waiting(20)
    waiting.add("there", 100)
    waiting.end_by(105)
    waiting.add("later", 104)
    assert waiting.expired(104.9) == []
    assert waiting.expired(105) == ["there", "later"]


def test_an_end_gives_nobody_more() -> None:
    waiting: Waiting[str] = Waiting(20)
    waiting.add("there", 100)
    waiting.end_by(1000)
    assert waiting.expired(120) == ["there"]
