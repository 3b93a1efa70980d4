"""What is told of Conversions, to whom, and in which order."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from werkzeug.test import TestResponse

from tests.unit.gateway.builders import ALICE, BOB, Gateway, a_file, problem, token_of
from tests.unit.gateway.fakes import NOW, stamped
from video2mp3_contracts.api.conversion import Conversion, ConversionSpec, ObjectMeta, Source
from video2mp3_contracts.api.reasons import ConditionType
from video2mp3_contracts.api.status import (
    Condition,
    ConversionStatus,
    OutputReport,
    Progress,
    QueueReport,
    Resolved,
)
from video2mp3_gateway.ports.listing import Cursor, MalformedCursor


def a_conversion(
    name: str,
    owner: str = ALICE,
    age: int = 0,
    ttl: int | None = None,
    labels: Mapping[str, str] = {},
    **status: object,
) -> Conversion:
    source = Source(url="https://example.com/a.mp4")
    conversion = Conversion(
        metadata=ObjectMeta(name=name, namespace="people", labels=dict(labels)),
        spec=ConversionSpec(source=source, owner=owner, ttl_seconds_after_finished=ttl),
        status=ConversionStatus(**status),
    )
    return stamped(conversion, NOW - timedelta(seconds=age))


def with_conversions(*conversions: Conversion) -> Gateway:
    gateway = Gateway()
    gateway.conversions.there = {conversion.metadata.name: conversion for conversion in conversions}
    return gateway


def ask(gateway: Gateway, path: str, account: str = ALICE, method: str = "GET") -> TestResponse:
    return gateway.client.open(path, method=method, headers=token_of(account))


def names(answer: TestResponse) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [found["name"] for found in answer.json["conversions"]]


def test_one_that_nobody_has_seen_yet() -> None:
    answer = ask(with_conversions(a_conversion("talk")), "/conversions/talk")
    assert answer.json == {
        "name": "talk",
        "filename": "talk.mp3",
        "className": None,
        "phase": "Pending",
        "reason": "",
        "message": "",
        "progress": None,
        "queuePosition": None,
        "output": None,
        "createdAt": "2026-03-01T12:00:00Z",
        "startedAt": None,
        "finishedAt": None,
        "ttlSecondsAfterFinished": None,
        "expiresAt": None,
        "statusUrl": "/conversions/talk",
    }


def test_one_that_waits_and_one_that_runs() -> None:
    gateway = with_conversions(
        a_conversion("waits", phase="Queued", reason="Queued", queue=QueueReport(position=3)),
        a_conversion("runs", phase="Running", start_time=NOW, progress=Progress(percent=40, speed=31.5)),
    )
    waits, runs = (ask(gateway, f"/conversions/{name}").json for name in ("waits", "runs"))
    assert (waits["phase"], waits["queuePosition"], waits["progress"]) == ("Queued", 3, None)
    assert (runs["phase"], runs["startedAt"], runs["queuePosition"]) == ("Running", "2026-03-01T12:00:00Z", None)
    assert (runs["progress"]["percent"], runs["progress"]["speed"]) == (40, 31.5)


def test_one_that_is_done_links_to_its_mp3() -> None:
    output = OutputReport(
        file_id="a" * 24,
        filename="talk.mp3",
        size=5,
        duration_seconds=1.5,
        sha256="0" * 64,
        encoding="vbr:2",
        notes=("No cover.",),
    )
    gateway = with_conversions(a_conversion("talk", phase="Succeeded", completion_time=NOW, output=output))
    answer = ask(gateway, "/conversions/talk").json
    assert answer["finishedAt"] == "2026-03-01T12:00:00Z"
    assert answer["output"] == {
        "fileId": "a" * 24,
        "filename": "talk.mp3",
        "bytes": 5,
        "durationSeconds": 1.5,
        "sha256": "0" * 64,
        "encoding": "vbr:2",
        "notes": ["No cover."],
        "downloadUrl": f"/download?fid={'a' * 24}",
    }


FINISHED = {"phase": "Succeeded", "completion_time": NOW}


@pytest.mark.parametrize(
    ("conversion", "end"),
    [
        (a_conversion("talk", ttl=3600, **FINISHED), "2026-03-01T13:00:00Z"),
        (a_conversion("talk", ttl=3600, phase="Running"), None),
        (a_conversion("talk", **FINISHED), None),
        (a_conversion("talk", ttl=3600, labels={"argocd.argoproj.io/instance": "media"}, **FINISHED), None),
    ],
    ids=["finished", "not-yet", "for-ever", "from-git"],
)
def test_when_it_goes(conversion: Conversion, end: str | None) -> None:
    gateway = with_conversions(conversion)
    [listed] = ask(gateway, "/conversions").json["conversions"]
    assert (listed["ttlSecondsAfterFinished"], listed["expiresAt"]) == (conversion.spec.ttl_seconds_after_finished, end)


def test_one_that_is_being_deleted_says_so() -> None:
    conversion = a_conversion("talk", phase="Running", reason="Running")
    deleting = conversion.metadata.model_copy(update={"deletion_timestamp": NOW})
    gateway = with_conversions(conversion.model_copy(update={"metadata": deleting}))
    assert ask(gateway, "/conversions/talk").json["reason"] == "Deleting"


@pytest.mark.parametrize(("method", "more"), [("GET", ""), ("DELETE", ""), ("POST", "/retry")])
def test_somebody_elses_is_not_there(method: str, more: str) -> None:
    gateway = with_conversions(a_conversion("theirs", owner=BOB), a_conversion("nobodys", owner=""))
    answers = [ask(gateway, f"/conversions/{name}{more}", method=method) for name in ("theirs", "nobodys", "missing")]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({problem(answer)["detail"] for answer in answers}) == 1
    assert set(gateway.conversions.there) == {"theirs", "nobodys"}


def test_deleting_ones_own() -> None:
    gateway = Gateway()
    conversion = gateway.uploaded(a_file())
    answer = ask(gateway, f"/conversions/{conversion.metadata.name}", method="DELETE")
    assert (answer.status_code, answer.data) == (204, b"")
    assert gateway.conversions.there == {}
    assert ask(gateway, f"/conversions/{conversion.metadata.name}", method="DELETE").status_code == 404


def test_one_that_was_replaced_meanwhile_is_not_deleted() -> None:
    gateway = with_conversions(a_conversion("talk"))
    read = gateway.conversions.get

    def read_and_replace(name: str) -> Conversion | None:
        found = read(name)
        other = a_conversion("talk", owner=BOB)
        metadata = other.metadata.model_copy(update={"uid": "another"})
        gateway.conversions.there["talk"] = other.model_copy(update={"metadata": metadata})
        return found

    gateway.conversions.get = read_and_replace  # type: ignore[method-assign]
    assert ask(gateway, "/conversions/talk", method="DELETE").status_code == 204
    assert gateway.conversions.there["talk"].spec.owner == BOB


def test_the_list_is_ones_own_newest_first() -> None:
    gateway = with_conversions(
        a_conversion("old", age=100),
        a_conversion("theirs", owner=BOB),
        a_conversion("new"),
        a_conversion("middle", age=9),
    )
    answer = ask(gateway, "/conversions")
    assert names(answer) == ["new", "middle", "old"]
    assert (answer.json["continue"], answer.json["nextUrl"]) == (None, None)


def test_pages_show_everything_once() -> None:
    gateway = with_conversions(*(a_conversion(f"talk-{number}", age=number // 3) for number in range(25)))
    seen, path = [], "/conversions?limit=10"
    while path:
        answer = ask(gateway, path)
        seen.append(names(answer))
        path = answer.json["nextUrl"]
    assert [len(page) for page in seen] == [10, 10, 5]
    assert sorted(name for page in seen for name in page) == sorted(gateway.conversions.there)


def test_a_new_one_does_not_disturb_the_pages() -> None:
    gateway = with_conversions(a_conversion("b", age=2), a_conversion("a", age=1))
    first = ask(gateway, "/conversions?limit=1")
    gateway.conversions.there["new"] = a_conversion("new")
    assert names(first) + names(ask(gateway, first.json["nextUrl"])) == ["a", "b"]


NESTED = f"continue={base64.urlsafe_b64encode(b'[' * 2900).decode()}"


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=-1", "limit=x", "limit=", "limit=٣", "continue=x", "continue=WzEsMl0", NESTED],
)
def test_bad_parameters(query: str) -> None:
    answer = ask(Gateway(), f"/conversions?{query}")
    assert (answer.status_code, problem(answer)["code"]) == (400, "bad-parameter")


REQUESTS = {
    "get": "GET /conversions/talk",
    "newest": "GET /conversions",
    "delete": "DELETE /conversions/talk",
    "retry": "POST /conversions/talk/retry",
}
"""By what of the API they need."""


@pytest.mark.parametrize("method", REQUESTS)
def test_an_api_that_is_away(method: str) -> None:
    gateway = with_conversions(a_conversion("talk", conditions=(FAILED,)))
    gateway.conversions.switch.off(method)
    verb, path = REQUESTS[method].split()
    answer = ask(gateway, path, method=verb)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert problem(answer)["code"] == "service-unavailable"


@pytest.mark.parametrize("path", ["/conversions", "/conversions/talk"])
def test_without_a_token_nothing_is_said(path: str) -> None:
    assert with_conversions(a_conversion("talk")).client.get(path).status_code == 401


def test_positions_survive_the_trip() -> None:
    position = Cursor(NOW, "talk")
    assert Cursor.from_token(position.as_token()) == position
    with pytest.raises(MalformedCursor):
        Cursor.from_token("WyIyMDI2LTAzLTAxIiwieCJd")  # a date without a time zone


FAILED = Condition(type=ConditionType.FAILED, status="True", last_transition_time=NOW, reason="NoAudio", message="")
RESOLVED = Resolved(class_name="speech", defaults={"ttlSecondsAfterFinished": 60}, fixed=("ttlSecondsAfterFinished",))


def test_its_class_is_the_one_on_record_or_the_one_that_is_asked_for() -> None:
    asking = a_conversion("asks")
    gateway = with_conversions(
        asking.model_copy(update={"spec": asking.spec.model_copy(update={"class_name": "music"})}),
        a_conversion("by-default", ttl=3600, resolved=RESOLVED, **FINISHED),
    )
    asks, by_default = (ask(gateway, f"/conversions/{name}").json for name in ("asks", "by-default"))
    assert (asks["className"], by_default["className"]) == ("music", "speech")
    assert (by_default["ttlSecondsAfterFinished"], by_default["expiresAt"]) == (60, "2026-03-01T12:01:00Z")


def test_a_failed_one_is_tried_anew() -> None:
    gateway = with_conversions(a_conversion("talk", phase="Failed", conditions=(FAILED,)))
    answer = ask(gateway, "/conversions/talk/retry", method="POST")
    asked_at = gateway.conversions.there["talk"].metadata.retry_requested_at
    assert asked_at is not None
    assert datetime.fromisoformat(asked_at).tzinfo is UTC
    assert answer.status_code == 202
    assert answer.json == {"name": "talk", "retryRequestedAt": asked_at, "statusUrl": "/conversions/talk"}
    assert answer.headers["Location"] == "/conversions/talk"


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"phase": "Running"},
        FINISHED,
        {"phase": "Running", "conditions": (FAILED.model_copy(update={"status": "False"}),)},
    ],
)
def test_one_that_has_not_failed_is_not_tried_anew(status: dict[str, object]) -> None:
    gateway = with_conversions(a_conversion("talk", **status))
    answer = ask(gateway, "/conversions/talk/retry", method="POST")
    assert (answer.status_code, problem(answer)["code"]) == (409, "not-failed")
    assert gateway.conversions.there["talk"].metadata.annotations == {}


def test_one_that_is_being_deleted_is_not_tried_anew() -> None:
    conversion = a_conversion("talk", phase="Failed", conditions=(FAILED,))
    deleting = conversion.metadata.model_copy(update={"deletion_timestamp": NOW})
    gateway = with_conversions(conversion.model_copy(update={"metadata": deleting}))
    assert ask(gateway, "/conversions/talk/retry", method="POST").status_code == 409


def test_one_that_was_replaced_meanwhile_is_not_tried_anew() -> None:
    failed = a_conversion("talk", phase="Failed", conditions=(FAILED,))
    gateway = with_conversions(failed)
    replaced = failed.model_copy(update={"metadata": failed.metadata.model_copy(update={"uid": "another"})})
    gateway.conversions.get = lambda _name: replaced  # type: ignore[method-assign]
    assert ask(gateway, "/conversions/talk/retry", method="POST").status_code == 404
