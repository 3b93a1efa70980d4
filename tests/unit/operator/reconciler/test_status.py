"""What a status says in every state, and that a patch brings it there."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.builders import NOW, a_conversion, a_job, a_pod, a_result, an_entry, at
from tests.unit.operator.fakes import merged
from tests.unit.operator.reconciler.test_decide import observing
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.status import ConversionStatus, Progress, QueueReport
from video2mp3_operator.reconciler.decisions import (
    Await,
    Decision,
    Fail,
    Follow,
    Ignore,
    Queue,
    Release,
    Rest,
    Start,
    Succeed,
    Suspend,
    on_its_way,
)
from video2mp3_operator.reconciler.snapshot import Snapshot
from video2mp3_operator.reconciler.status import build_status, starting_early
from video2mp3_operator.reconciler.status_patch import only_progress, progress_due, status_patch

SUCCESS = Succeed(a_result(), published=True)

# The design's table: phase, and each condition that is there with its status and reason.
STATES: dict[str, tuple[Decision, str, dict[str, tuple[str, str]]]] = {
    "a store is away": (
        Await("MongoDB does not answer."),
        "Pending",
        {"Ready": ("False", "ServiceUnavailable"), "Reconciling": ("True", "ServiceUnavailable")},
    ),
    "queued": (Queue(3, "wait"), "Queued", {"Ready": ("False", "Queued"), "Reconciling": ("True", "Queued")}),
    "started": (Start(1), "Running", {"Ready": ("False", "Starting"), "Reconciling": ("True", "Starting")}),
    "running": (
        Follow(Reason.RUNNING, "run"),
        "Running",
        {"Ready": ("False", "Running"), "Reconciling": ("True", "Running")},
    ),
    "retrying": (
        Follow(Reason.RETRYING, "again"),
        "Running",
        {"Ready": ("False", "Retrying"), "Reconciling": ("True", "Retrying")},
    ),
    "deleting": (Release(), "Pending", {"Ready": ("False", "Deleting"), "Reconciling": ("True", "Deleting")}),
    "suspended": (Suspend(), "Suspended", {"Ready": ("True", "Suspended")}),
    "succeeded": (SUCCESS, "Succeeded", {"Ready": ("True", "Succeeded"), "Complete": ("True", "Succeeded")}),
    "failed": (
        Fail(Reason.NO_AUDIO, "no sound"),
        "Failed",
        {"Ready": ("False", "NoAudio"), "Stalled": ("True", "NoAudio"), "Failed": ("True", "NoAudio")},
    ),
}


def built(seen: Snapshot, decision: Decision) -> ConversionStatus:
    status = build_status(seen, decision)
    assert status is not None
    return status


@pytest.mark.parametrize("state", STATES)
def test_state(state: str) -> None:
    decision, phase, conditions = STATES[state]
    status = built(observing(), decision)
    assert status.phase == phase
    assert {each.type: (each.status, each.reason) for each in status.conditions} == conditions
    assert {each.observed_generation for each in status.conditions} == {status.observed_generation} == {1}


def test_nothing_is_told_of_what_is_not_ours() -> None:
    assert build_status(observing(), Ignore()) is None


def test_the_verdict_stays_as_it_is_but_for_the_generation() -> None:
    seen = observing(a_conversion().succeeded().with_metadata(generation=4))
    status = built(seen, Rest())
    assert status.observed_generation == 4
    assert [condition.observed_generation for condition in status.conditions] == [4]
    assert [condition.last_transition_time for condition in status.conditions] == [NOW]
    assert built(observing(a_conversion().succeeded()), Rest()) == observing(a_conversion().succeeded()).status


def test_a_success_names_its_output_and_its_times() -> None:
    seen = observing(None, a_job().complete(), a_pod().ended(0), entry=an_entry().attempted().with_result())
    status = built(seen, SUCCESS)
    assert status.output == a_result()
    assert status.progress == Progress(percent=100, processed_seconds=12.5, duration_seconds=12.5)
    assert (status.start_time, status.completion_time) == (NOW - timedelta(seconds=5), NOW)
    assert [(each.number, each.reason, each.exit_code) for each in status.attempts] == [(1, "Succeeded", 0)]


def test_a_success_ends_the_attempt_that_made_it_though_its_pod_still_runs() -> None:
    seen = observing(None, a_job().active(ready=1), a_pod().running(), entry=an_entry().attempted().with_result())
    [attempt] = built(seen, SUCCESS).attempts
    assert (attempt.reason, attempt.end_time, attempt.exit_code) == ("Succeeded", NOW, None)


def test_what_an_attempt_has_nothing_to_say_of_is_left_out() -> None:
    status = built(observing(None, a_job().active(ready=1), a_pod().running()), Follow(Reason.RUNNING, "run"))
    [attempt] = status_patch({}, status)["attempts"]
    assert attempt == {"number": 1, "pod": "talk-pod-1", "reason": "Running", "startTime": at(NOW)}


def test_notes_are_told_where_there_are_any_and_nothing_changes_for_what_was_made_before_them() -> None:
    noted = a_result().model_copy(update={"notes": ("The cover is no picture: it is left out.",)})
    assert status_patch({}, built(observing(), Succeed(noted, published=True)))["output"]["notes"] == list(noted.notes)
    assert "notes" not in status_patch({}, built(observing(), SUCCESS))["output"]


def test_the_queue_position_is_told_only_in_the_queue() -> None:
    assert built(observing(), Queue(3, "wait")).queue == QueueReport(position=3, since=NOW)
    assert built(observing(a_conversion().with_status(queue={"position": 3})), Start(1)).queue is None


def test_progress_goes_when_the_attempt_has_ended() -> None:
    seen = observing(a_conversion().with_status(progress={"percent": 40}))
    assert built(seen, Follow(Reason.RETRYING, "again")).progress is None
    assert built(seen, Follow(Reason.RUNNING, "run")).progress == Progress(percent=40)


@pytest.mark.parametrize("before", STATES)
@pytest.mark.parametrize("after", STATES)
def test_a_patch_leads_from_any_state_to_any_other(before: str, after: str) -> None:
    stored = status_patch({}, built(observing(), STATES[before][0]))
    wanted = built(observing(a_conversion().with_status(**stored)), STATES[after][0])
    patched = merged(stored, status_patch(stored, wanted))
    assert ConversionStatus.model_validate(patched) == wanted
    assert status_patch(patched, wanted) == {}


def test_a_patch_of_an_object_removes_what_is_no_longer_in_it() -> None:
    stored: dict[str, Any] = {"progress": {"percent": 10, "speed": 2.0}}
    patch = status_patch(stored, ConversionStatus(progress=Progress(percent=20)))
    assert patch["progress"] == {"percent": 20, "processedSeconds": 0.0, "speed": None}


def test_a_patch_leaves_fields_of_a_newer_version_alone() -> None:
    assert "future" not in status_patch({"future": 1}, ConversionStatus())


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"progress": {}}, True),
        ({"queue": {}, "progress": {}}, True),
        ({"progress": {}, "phase": "Running"}, False),
        ({}, False),
    ],
)
def test_only_progress(patch: dict[str, Any], expected: bool) -> None:
    assert only_progress(patch) is expected


@pytest.mark.parametrize(
    ("told", "passed", "expected"),
    [(None, 0, True), (NOW, 9, False), (NOW, 10, True), (NOW, 0, False), (NOW, -3600, True), (NOW, 3600, True)],
)
def test_progress_due(told: datetime | None, passed: int, expected: bool) -> None:
    fresh = Progress(updated_at=NOW + timedelta(seconds=passed))
    assert progress_due(Progress(updated_at=told), fresh, 10) is expected


def test_progress_of_which_nobody_said_when_is_due() -> None:
    assert progress_due(None, Progress(updated_at=NOW), 10)
    assert progress_due(Progress(updated_at=NOW), None, 10)


def test_times_are_written_as_kubernetes_does() -> None:
    status = built(observing(None, a_job().complete()), Fail(Reason.NO_AUDIO, "no sound"))
    assert status_patch({}, status)["completionTime"] == at(NOW)


@pytest.mark.parametrize(
    ("decision", "age", "stored", "expected"),
    [
        (Start(1), 0, "Queued", 3),
        (Follow(Reason.STARTING, on_its_way("j")), 1, "Queued", 2),
        (Follow(Reason.STARTING, on_its_way("j")), 3, "Queued", 0),
        (Follow(Reason.STARTING, on_its_way("j")), -60, "Queued", 0),
        (Follow(Reason.STARTING, on_its_way("j")), 1, "Starting", 0),
        (Follow(Reason.STARTING, "Unschedulable: no node is large enough"), 1, "Queued", 0),
        (Follow(Reason.RUNNING, "run"), 1, "Queued", 0),
        (Queue(3, "wait"), 1, "Pending", 0),
    ],
    ids=["made", "new", "not so new", "clocks differ", "told", "there is more to say", "runs", "waits"],
)
def test_a_job_on_its_way_is_told_only_when_it_takes_a_while(
    decision: Decision, age: int, stored: str, expected: float
) -> None:
    made = {"name": "j", "creationTimestamp": at(NOW - timedelta(seconds=age))}
    seen = observing(a_conversion().with_status(reason=stored), a_job().with_metadata(**made))
    assert starting_early(seen, decision) == expected
