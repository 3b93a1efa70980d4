"""Each way in which an upload can end badly is counted as such, and nothing else is."""

from dataclasses import replace

import pytest

from tests.chaos.plan import Kill, Kind, Manner
from tests.chaos.table import table
from tests.chaos.tally import UNDONE, Answer, Ending, Found, Mail, Upload, tally

KILLS = (
    Kill(1, Kind.MYSQL, Manner.KILLED, 0),
    Kill(2, Kind.MYSQL, Manner.DELETED, 0),
    Kill(3, Kind.WORKER, Manner.FORCED, 0),
)
UPLOAD = Upload(1, "a@example.com", "x-1.mp3", Answer.ACCEPTED, "upload-1")
FOUND = Found("upload-1", "uid-1", "a@example.com", "x-1.mp3", "Succeeded", "Succeeded", "file-1")
MAIL = Mail("<1@x>", "a@example.com", "Your mp3 is ready: x-1.mp3")
GOOD = Ending((FOUND,), (MAIL,), {"uid-1": 1}, left={"files": 0})


NOTHING = "runs without a conversion"


def faults(uploads: tuple[Upload, ...] = (UPLOAD,), **changes: object) -> dict[str, list[str]]:
    counted = tally((), (), uploads, replace(GOOD, **changes))  # type: ignore[arg-type]
    assert counted.is_clean is not any(counted.faults.values())
    # With one upload, whatever is said of it may be all that happened.
    return {what: list(names) for what, names in counted.faults.items() if names and what != NOTHING}


def test_what_ends_well_is_clean() -> None:
    assert faults() == {}


LOST = {
    "its Conversion is gone": ((), {"conversions lost": ["x-1.mp3: upload-1 is gone"]}),
    "it failed": (
        (replace(FOUND, phase="Failed", reason="NoAudio"),),
        {"conversions lost": ["x-1.mp3: Failed NoAudio"]},
    ),
    "it never ended": (
        (replace(FOUND, phase="Queued", reason="Queued"),),
        {"conversions lost": ["x-1.mp3: Queued Queued"]},
    ),
}


@pytest.mark.parametrize(("found", "expected"), LOST.values(), ids=LOST)
def test_what_was_accepted_may_not_be_lost(found: tuple[Found, ...], expected: dict[str, list[str]]) -> None:
    assert faults(conversions=found) == expected


def test_what_was_not_answered_may_be_there_or_not() -> None:
    unanswered = (replace(UPLOAD, answer=Answer.UNANSWERED),)
    assert faults(unanswered) == {}
    assert faults(unanswered, conversions=(), mails=()) == {}


def test_what_was_not_answered_and_is_there_is_not_lost_either() -> None:
    unanswered = (replace(UPLOAD, answer=Answer.UNANSWERED),)
    stuck = replace(FOUND, phase="Running", reason="Running")
    assert faults(unanswered, conversions=(stuck,)) == {"conversions lost": ["x-1.mp3: Running Running"]}


def test_what_was_refused_is_not_there() -> None:
    refused = (replace(UPLOAD, answer=Answer.REFUSED),)
    assert faults(refused, conversions=(), mails=()) == {}
    expected = {"conversions of refused uploads": ["x-1.mp3"]}
    assert faults(refused) == expected
    assert faults(refused, conversions=(replace(FOUND, phase="Failed"),)) == expected


def test_an_mp3_that_is_not_right_is_wrong() -> None:
    assert faults(wrong={"x-1.mp3": "807 Hz"}) == {"conversions wrong": ["x-1.mp3: 807 Hz"]}


def test_two_conversions_or_two_mp3s_are_doubled() -> None:
    again = replace(FOUND, name="upload-2", uid="uid-2")
    assert faults(conversions=(FOUND, again)) == {"conversions doubled": ["x-1.mp3: 2 Conversions"]}
    assert faults(mp3_counts={"uid-1": 2}) == {"conversions doubled": ["x-1.mp3: 2 mp3s"]}


def test_a_mail_that_did_not_come_is_missing() -> None:
    assert faults(mails=()) == {"mails missing": ["x-1.mp3 of a@example.com"]}
    assert faults(mails=(replace(MAIL, subject="Your mp3 is ready: y-1.mp3"),)) == {
        "mails missing": ["x-1.mp3 of a@example.com"]
    }


def test_one_message_id_counts_as_one_mail() -> None:
    assert faults(mails=(MAIL, MAIL)) == {}
    assert tally((), (), (UPLOAD,), replace(GOOD, mails=(MAIL, MAIL))).notes == {
        "mails delivered again under one Message-ID": 1
    }
    other = replace(MAIL, message_id="<2@x>")
    assert faults(mails=(MAIL, other)) == {"mails doubled": ["x-1.mp3: 2 mails"]}


def test_what_is_left_over_or_unsettled_is_not_clean() -> None:
    assert not tally((), (), (UPLOAD,), replace(GOOD, left={"files": 1})).is_clean
    assert not tally((), (), (UPLOAD,), replace(GOOD, unsettled="3 Running")).is_clean
    assert tally((), (), (UPLOAD,), replace(GOOD, swept={"files": 3})).is_clean


def test_kills_are_counted_by_kind_and_manner() -> None:
    counted = tally(KILLS, KILLS[:2], (), GOOD)
    assert counted.kills == {Kind.MYSQL: {Manner.KILLED: 1, Manner.DELETED: 1}, Kind.WORKER: {UNDONE: 1}}


def test_the_table_names_what_is_wrong_and_says_so_at_the_end() -> None:
    said = table(tally(KILLS, KILLS, (UPLOAD,), replace(GOOD, wrong={"x-1.mp3": "807 Hz"}, settled_seconds=42.4)))
    lines = [" ".join(line.split()) for line in said.splitlines()]
    assert lines[-1] == "NOT CLEAN"
    for line in (
        "mysql 1 deleted, 1 killed",
        "tried 1",
        "accepted 1",
        "conversions wrong 1",
        "x-1.mp3: 807 Hz",
        "files left over 0",
        "seconds until all was settled 42",
    ):
        assert line in lines
    assert table(tally(KILLS, KILLS, (UPLOAD,), GOOD)).endswith("nothing lost\n")
    assert "not within 0: 3 Running" in table(tally((), (), (), replace(GOOD, unsettled="3 Running")))


def test_where_nothing_happened_nothing_is_shown() -> None:
    counted = tally(KILLS, KILLS[:1], (UPLOAD,), Ending(left={"files": 0}))

    assert not counted.is_clean
    assert counted.faults[NOTHING] == ["this one"]
    assert counted.faults["kinds planned and never struck"] == []


def test_a_kind_that_was_never_struck_is_told_but_for_workers() -> None:
    counted = tally(KILLS, (), (UPLOAD,), GOOD)

    assert not counted.is_clean
    assert counted.faults["kinds planned and never struck"] == [Kind.MYSQL]
