"""What is left over is what is new and belongs to no Conversion."""

from dataclasses import replace

import pytest

from tests.chaos.ending import is_complete, is_told
from tests.chaos.kills import alive, is_ready, selector
from tests.chaos.load import read_answer
from tests.chaos.patience import TooLongError, persistently, until_nothing
from tests.chaos.plan import Kind
from tests.chaos.stock import Stock, found, left_over
from tests.chaos.tally import Answer, Found

NOTHING: Stock = Stock(frozenset(), frozenset(), frozenset(), frozenset(), {"mp3": 2})
FOUND = Found("upload-1", "uid-1", "a@example.com", "x.mp3", "Succeeded", "Succeeded", "f1")
NONE = {"files": 0, "files' chunks": 0, "ledger entries": 0, "Jobs": 0, "messages": 0}

LEFT = {
    "its own mp3 and entry": (replace(NOTHING, files=frozenset({"mp3s/f1"}), entries=frozenset({"uid-1"})), {}),
    "its video": (replace(NOTHING, files=frozenset({"videos/f1"})), {"files": 1}),
    "another mp3": (replace(NOTHING, files=frozenset({"mp3s/f2"})), {"files": 1}),
    "chunks": (replace(NOTHING, torn=frozenset({"mp3s/f2"})), {"files' chunks": 1}),
    "an entry": (replace(NOTHING, entries=frozenset({"uid-2"})), {"ledger entries": 1}),
    "a Job": (replace(NOTHING, jobs=frozenset({"j"})), {"Jobs": 1}),
    "messages": (replace(NOTHING, messages={"mp3": 1, "mp3.dead": 3}), {"messages": 3}),
}


@pytest.mark.parametrize(("after", "expected"), LEFT.values(), ids=LEFT)
def test_what_is_left_over(after: Stock, expected: dict[str, int]) -> None:
    assert left_over(NOTHING, after, [FOUND]) == NONE | expected
    # What was there before is somebody else's matter.
    assert left_over(after, after, []) == NONE


def test_a_conversion_is_read_whatever_it_has_got() -> None:
    new = {"metadata": {"name": "n", "uid": "u"}, "spec": {"output": {"filename": "x.mp3"}}}
    assert found(new) == Found("n", "u", "", "x.mp3", "Pending")
    done = {"phase": "Succeeded", "reason": "Succeeded", "output": {"fileId": "f"}}
    assert found(new | {"status": done}) == Found("n", "u", "", "x.mp3", "Succeeded", "Succeeded", "f")


PROBLEM = "application/problem+json"
ANSWERS = {
    "stored": (202, "application/json", b'{"conversion": "upload-1"}', (Answer.ACCEPTED, "upload-1")),
    "refused by the gateway": (503, PROBLEM, b'{"code": "restarting"}', (Answer.REFUSED, "restarting")),
    "by Traefik": (502, "text/plain", b"Bad Gateway", (Answer.UNANSWERED, "502 by the proxy")),
}


@pytest.mark.parametrize(("status", "media_type", "body", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_only_the_gateways_own_no_is_a_no(status: int, media_type: str, body: bytes, expected: object) -> None:
    assert read_answer(status, media_type, body) == expected


def pod(name: str, phase: str = "Running", ready: str = "True", **metadata: object) -> dict[str, object]:
    conditions = [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": ready}]
    return {"metadata": {"name": name, **metadata}, "status": {"phase": phase, "conditions": conditions}}


def test_only_pods_that_live_are_struck() -> None:
    pods = [pod("b"), pod("a", "Pending"), pod("c", "Succeeded"), pod("d", deletionTimestamp="now"), pod("e", "Failed")]
    assert [each["metadata"]["name"] for each in alive(pods)] == ["a", "b"]
    assert is_ready(pod("a"))
    assert not is_ready(pod("a", ready="False"))
    assert not is_ready({"status": {}})


def test_pods_are_those_of_one_release() -> None:
    expected = "app.kubernetes.io/instance=video2mp3,app.kubernetes.io/component=mysql"
    assert selector("video2mp3", Kind.MYSQL) == expected


def workload(observed: int = 2, **status: int) -> dict[str, object]:
    return {
        "metadata": {"generation": 2},
        "spec": {"replicas": 1},
        "status": {"observedGeneration": observed, "replicas": 1, "readyReplicas": 1} | status,
    }


def test_a_workload_is_complete_with_all_pods_ready_and_none_too_many() -> None:
    assert is_complete(workload())
    assert not is_complete(workload(observed=1))
    assert not is_complete(workload(readyReplicas=0))
    assert not is_complete(workload(replicas=2))


def test_a_mail_is_told_of_by_the_ledger() -> None:
    entry = {"messages": {"succeeded": {"sentAt": "2026-03-01"}, "failed": {"claimedUntil": "2026-03-01"}}}
    assert is_told(entry, "succeeded")
    assert not is_told(entry, "failed")
    assert not is_told({}, "succeeded")


def test_an_outage_is_waited_for_and_a_fault_is_not() -> None:
    answers = iter([ConnectionError("away"), AssertionError("kubectl"), None])

    def ask() -> str:
        if (error := next(answers)) is not None:
            raise error
        return "back"

    assert persistently(ask, seconds=60, what="it") == "back"
    with pytest.raises(ZeroDivisionError):
        persistently(lambda: 1 / 0, seconds=60, what="it")


def test_a_wait_has_an_end() -> None:
    def away() -> str:
        raise ConnectionError("away")

    with pytest.raises(TooLongError, match="not within 0 s: it: away"):
        persistently(away, seconds=0, what="it")
    assert until_nothing(away, seconds=0) == "away"
    assert until_nothing(lambda: "3 Jobs", seconds=0) == "3 Jobs"
    assert until_nothing(lambda: "", seconds=0) == ""
