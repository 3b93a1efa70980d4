"""docs/conversion.md has all that operator and worker say of a conversion, and what to do about it."""

import ast
import re

import pytest

from tests.contract.words import CONVERSION_PAGE, ROOT, VARIES, Source, Words, table, with_words, words_of
from tests.unit.operator.reconciler.test_decide import CASES
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.remedies import REMEDIES
from video2mp3_operator.reconciler.decisions import Await, Fail, Follow, Hold, Queue

FORMATS_PAGE = ROOT / "docs" / "formats.md"


def says(words: Words, reason: str, sentence: str) -> bool:
    """Whether a sentence is among the words for a reason, or among those for any."""
    texts = [text for each, said in words.items() if each in (reason, None) for text in said]
    return any(re.fullmatch(re.escape(text).replace(VARIES, ".+"), sentence) for text in texts)


def test_the_tables_are_up_to_date() -> None:
    page = CONVERSION_PAGE.read_text()
    assert table("operator") in page
    assert table("worker") in page
    assert with_words(page) == page


def test_every_reason_has_a_row_and_a_remedy() -> None:
    assert REMEDIES.keys() == set(Reason)
    said = words_of("operator").keys() | words_of("worker").keys() | {Reason.PENDING}
    assert said - {None} == set(Reason)


def test_what_the_worker_was_measured_to_say_is_among_its_words() -> None:
    block = FORMATS_PAGE.read_text().partition("<!-- begin refused -->")[2].partition("<!-- end refused -->")[0]
    measured = re.findall(r"^\| (\w+) \| \d+ \| (.*?) \| ", block, re.MULTILINE)
    words = words_of("worker")
    assert len(measured) > 20
    assert [row for row in measured if not says(words, *row)] == []


PASSED_ON = {"It has no sound.", "No media.", "It is encrypted.", "ErrImagePull: no such image"}
"""Said by a worker or the kubelet."""


def reason_of(decision: Await | Fail | Follow | Hold | Queue) -> Reason:
    match decision:
        case Await():
            return Reason.SERVICE_UNAVAILABLE
        case Queue():
            return Reason.QUEUED
    return decision.reason


def test_what_the_operator_is_tested_to_say_is_among_its_words() -> None:
    told = [decision for _, decision in CASES.values() if isinstance(decision, Await | Fail | Follow | Hold | Queue)]
    words = words_of("operator")
    unknown = [
        decision
        for decision in told
        if decision.message not in PASSED_ON and not says(words, reason_of(decision), decision.message)
    ]
    assert len(told) > 40
    assert unknown == []


SOURCES: dict[str, tuple[str, Words]] = {
    "a text": ("Fail(Reason.LOST, 'It is lost.')", {Reason.LOST: ["It is lost."]}),
    "what varies": ("Fail(Reason.LOST, f'{count} are lost.')", {Reason.LOST: ["… are lost."]}),
    "either": ("Fail(Reason.LOST, 'One.' if one else 'Many.')", {Reason.LOST: ["One.", "Many."]}),
    "a pair": ("x = {0: (Reason.LOST, 'It is lost.')}", {Reason.LOST: ["It is lost."]}),
    "by name": ("f(reason=Reason.LOST, message='It is lost.')", {Reason.LOST: ["It is lost."]}),
    "a meaning": ("Fail(Reason.LOST, Reason.LOST.meaning)", {Reason.LOST: [Reason.LOST.meaning]}),
    "nothing that is known": ("Fail(Reason.LOST, told)", {Reason.LOST: [""]}),
    "another's reason": ("Fail(last, f'It is lost: {told}')", {None: ["It is lost: …"]}),
    "the last that it was": (
        "s = 'A.'\nFail(Reason.LOST, s)\ns = 'B.'\nFail(Reason.LOST, s)",
        {Reason.LOST: ["A.", "B."]},
    ),
    "of a function": ("def f():\n  return 'A.'\nFail(Reason.LOST, f())", {Reason.LOST: ["A."]}),
}


@pytest.mark.parametrize(("source", "words"), SOURCES.values(), ids=SOURCES)
def test_what_stands_beside_a_reason_is_said_for_it(source: str, words: Words) -> None:
    found: Words = {}
    for reason, text in Source(ast.parse(source)).said():
        found.setdefault(reason, []).append(text)
    assert found == words
