"""What becomes of Conversions over several steps, with everything that can go wrong between any two of them."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from tests.builders import FILE_ID, MP3_ID, NOW, OWNER, a_conversion, a_pod, at
from tests.unit.operator.fakes import DiedError, World
from tests.unit.operator.harness import an_operator, live, settle, status
from video2mp3_contracts.api import names
from video2mp3_contracts.jobs.worker import TerminationMessage
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_operator.app.bootstrap import Operator
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.ports.errors import ConflictError, InvalidError
from video2mp3_operator.reconciler.job import KUEUE_QUEUE_LABEL

FAILED = [{"type": "Failed", "status": "True", "reason": "PodFailurePolicy"}]
NO_AUDIO = TerminationMessage(exit_code=65, reason="NoAudio", message="It has no sound.")


def told(world: World, key: Key) -> tuple[str, str]:
    found = status(world, key)
    return found["phase"], found["reason"]


def test_a_new_conversion_gets_one_job() -> None:
    world = World()
    operator = live(world)
    key = world.apply(a_conversion())
    live(world, operator)
    assert told(world, key) == ("Running", "Starting")
    assert world.jobs_ever_created == 1
    assert world.conversions[key]["metadata"]["finalizers"] == [names.FINALIZER]
    assert world.writes == ["set finalizers", "create job", "patch status"]


def test_that_a_job_is_on_its_way_is_an_event_at_once_and_a_status_after_a_while() -> None:
    world = World()
    operator = live(world)
    key = world.apply(a_conversion())

    async def look() -> float | None:
        await operator.resync.once()
        return await operator.reconciler.reconcile(key)

    assert asyncio.run(look()) == 3
    assert world.writes == ["set finalizers", "create job"]
    assert operator.events._queue.get_nowait()["reason"] == "Starting"
    asyncio.run(look())
    assert told(world, key) == ("Running", "Starting")


def test_what_another_release_works_for_is_left_to_it() -> None:
    world = World()
    first, second = live(world), live(world, instance="other")
    key = world.apply(a_conversion())
    live(world, first)
    written = [*world.writes]
    world.apply(a_conversion().with_spec(suspend=True))
    live(world, second)
    assert world.writes == written
    live(world, first)
    assert told(world, key) == ("Suspended", "Suspended")


def test_of_two_releases_that_start_at_once_one_works_for_it() -> None:
    world = World()
    second = an_operator(world, instance="other")
    key = world.apply(a_conversion().with_metadata(finalizers=[names.FINALIZER]))

    async def ask_for_its_turn() -> None:
        await second.prime()
        await second.reconciler.reconcile(key)
        second.admission_queue.review()

    asyncio.run(ask_for_its_turn())
    live(world)
    with pytest.raises(ConflictError, match="another release"):
        asyncio.run(second.reconciler.reconcile(key))
    written = [*world.writes]
    live(world, second)
    assert (world.jobs_ever_created, world.writes) == (1, written)


def test_looking_again_writes_nothing() -> None:
    world = World()
    world.apply(a_conversion())
    operator = live(world)
    world.writes.clear()
    live(world, operator)
    live(world)
    assert world.writes == []


def test_a_result_succeeds_and_the_source_goes() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.work(key)
    live(world, operator)
    assert told(world, key) == ("Succeeded", "Succeeded")
    assert status(world, key)["output"]["fileId"] == MP3_ID
    assert (world.sources, list(world.mp3s), world.queue) == ({}, [MP3_ID], [])


def test_a_spec_that_is_not_understood_waits_and_every_field_is_named() -> None:
    world = World()
    conversion = a_conversion()
    conversion.document["spec"] |= {"notify": {"email": "somebody"}, "colour": "red"}
    key = world.apply(conversion)
    live(world)
    assert told(world, key) == ("Pending", "InvalidSpec")
    assert status(world, key)["message"] == (
        "It waits for an operator that understands its spec: spec.notify.email: notify.email must be one email "
        "address, such as you@example.com, without spaces; spec.colour: unknown field"
    )
    assert (world.jobs, world.entries, world.queue) == ({}, {}, [])


BACKWARDS = a_conversion().with_spec(output={"trim": {"start": "00:02:00", "end": 90}})
"""Stored before the API server refused it."""


def test_a_stored_trim_that_ends_before_it_begins_fails_without_a_pod() -> None:
    world = World()
    key = world.apply(BACKWARDS)
    live(world)
    assert told(world, key) == ("Failed", "BadRequest")
    assert status(world, key)["message"] == "output.trim.end must be after output.trim.start."
    assert (world.jobs, [message.reason for message in world.queue]) == ({}, ["BadRequest"])


def test_a_stored_trim_that_ends_before_it_begins_is_let_go() -> None:
    world = World()
    key = world.apply(BACKWARDS)
    operator = live(world)
    world.delete(key)
    live(world, operator)
    assert (key in world.conversions, world.entries) == (False, {})


def test_a_field_of_a_newer_version_ends_no_job_and_loses_no_file() -> None:
    """The definition of the resource was upgraded before the operator, or stayed when that was rolled back."""
    world = World()
    key = world.apply(a_conversion().with_spec(deletionPolicy="Retain"))
    live(world)
    world.set_job_status(key, active=1, ready=1)
    world.change(key, {"spec": {"colour": "red", "deletionPolicy": "Archive"}})
    operator = live(world)
    assert told(world, key) == ("Running", "Running")
    world.work(key)
    live(world, operator)
    assert told(world, key) == ("Succeeded", "Succeeded")
    world.delete(key)
    live(world, operator)
    assert (key in world.conversions, list(world.mp3s)) == (False, [MP3_ID])
    assert not next(iter(world.entries.values())).fingerprints


def test_a_source_that_another_conversion_still_needs_stays_until_that_is_done() -> None:
    world = World()
    first, second = world.apply(a_conversion("first")), world.apply(a_conversion("second"))
    operator = live(world)
    world.work(first)
    live(world, operator)
    assert list(world.sources) == [FILE_ID]
    world.work(second)
    live(world, operator)
    assert world.sources == {}


def write_together(operator: Operator, method: str) -> None:
    """Two calls of this method have both begun before either has its effect."""
    api, barrier = operator.reconciler.conversions, asyncio.Barrier(2)
    write = getattr(api, method)

    async def wait_for_the_other(*arguments: Any) -> Any:
        await barrier.wait()
        return await write(*arguments)

    setattr(api, method, wait_for_the_other)


async def reconcile_both(operator: Operator, keys: tuple[Key, Key]) -> None:
    await operator.resync.once()
    await operator.polling.once()
    await asyncio.gather(*(operator.reconciler.reconcile(key) for key in keys))


def test_of_two_that_succeed_at_the_same_moment_the_second_removes_their_source() -> None:
    world = World()
    keys = world.apply(a_conversion("first")), world.apply(a_conversion("second"))
    operator = live(world)
    for key in keys:
        world.work(key)
    write_together(operator, "patch_status")
    asyncio.run(reconcile_both(operator, keys))
    assert [told(world, key)[0] for key in keys] == ["Succeeded", "Succeeded"]
    assert world.sources == {}


def test_killed_when_one_of_two_had_succeeded_their_source_goes_with_the_other() -> None:
    world = World()
    first, second = world.apply(a_conversion("first")), world.apply(a_conversion("second"))
    world.work(first)
    live(world)
    assert list(world.sources) == [FILE_ID]
    world.work(second)
    live(world)
    assert world.sources == {}


def test_two_that_are_deleted_at_once_take_their_source_with_them() -> None:
    world = World()
    keys = world.apply(a_conversion("first")), world.apply(a_conversion("second"))
    operator = live(world)
    world.jobs.clear()
    for key in keys:
        world.delete(key)
    write_together(operator, "set_finalizers")
    asyncio.run(reconcile_both(operator, keys))
    assert (world.conversions, world.sources) == ({}, {})


def test_source_policy_retain_keeps_the_source() -> None:
    world = World()
    key = world.apply(a_conversion().with_spec(sourcePolicy="Retain"))
    operator = live(world)
    world.work(key)
    live(world, operator)
    assert told(world, key)[0] == "Succeeded"
    assert list(world.sources) == [FILE_ID]


def test_a_permanent_failure_is_told_at_once_with_the_workers_sentence_and_one_message() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    pod = a_pod(a_conversion()).on("node-1").ended(65, NO_AUDIO).versioned(500).document
    world.pods[Key("media", "pod")] = pod
    world.set_job_status(key, conditions=FAILED, failed=1)
    live(world, operator)
    live(world)
    assert told(world, key) == ("Failed", "NoAudio")
    assert status(world, key)["message"] == "It has no sound."
    [attempt] = status(world, key)["attempts"]
    assert (attempt["number"], attempt["node"], attempt["exitCode"], attempt["reason"]) == (1, "node-1", 65, "NoAudio")
    [message] = world.queue
    assert (message.kind, message.email, message.reason) == ("failed", OWNER, "NoAudio")


def test_what_a_failed_worker_left_of_its_mp3_is_removed() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    uid = world.conversions[key]["metadata"]["uid"]
    world.entries[uid] = LedgerEntry(uid=uid, uploads=("aaaaaaaaaaaaaaaaaaaaaaaa",))
    world.mp3s["aaaaaaaaaaaaaaaaaaaaaaaa"] = ""
    world.set_job_status(key, conditions=FAILED, failed=1)
    live(world, operator)
    assert told(world, key)[0] == "Failed"
    assert world.mp3s == {}


def test_a_result_that_comes_while_a_failure_is_recorded_wins() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.set_job_status(key, conditions=FAILED, failed=1)
    read = operator.reconciler.observer.entries.get

    async def read_then_result(uid: str) -> Any:
        entry = await read(uid)
        world.work(key)
        return entry

    operator.reconciler.observer.entries.get = read_then_result  # type: ignore[method-assign]
    live(world, operator)
    assert told(world, key) == ("Succeeded", "Succeeded")
    assert world.queue == []


def test_a_failed_message_waits_for_the_broker_and_the_status_does_not() -> None:
    world = World(away={"rabbitmq"})
    key = world.apply(a_conversion().owned_by("b@example.com"))
    operator = live(world)
    assert told(world, key) == ("Failed", "OwnerMismatch")
    assert world.queue == []
    world.away.clear()
    live(world, operator)
    live(world)
    assert [message.message_id for message in world.queue] == [f"{world.conversions[key]['metadata']['uid']}:failed"]


def test_a_failure_that_the_one_before_did_not_tell_is_told_though_its_job_has_not_ended() -> None:
    """An operator that had written the status died before the broker was back, and Kubernetes still ends the Job."""
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.away.add("rabbitmq")
    world.pods[Key("media", "pod")] = a_pod(a_conversion()).ended(65, NO_AUDIO).versioned(500).document
    live(world, operator)
    assert told(world, key) == ("Failed", "NoAudio")
    world.away.clear()

    live(world)

    assert world.job_of(key)["status"] == {}
    assert [message.reason for message in world.queue] == ["NoAudio"]


def test_a_result_whose_worker_did_not_publish_is_published_when_no_job_is_live() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.set_job_status(key, active=1, ready=1)
    world.work(key, publish=False)
    live(world, operator)
    assert told(world, key)[0] == "Succeeded"
    assert world.queue == []
    world.set_job_status(key, conditions=[{"type": "Complete", "status": "True"}])
    live(world, operator)
    live(world, operator)
    [message] = world.queue
    assert (message.kind, message.file_id, message.email) == ("succeeded", MP3_ID, OWNER)


def test_a_result_that_is_seen_while_the_ledger_is_asked_about_others_is_published_too() -> None:
    """Its Job ended and its verdict was given between the sweep's question and the ledger's answer."""
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.set_job_status(key, conditions=[{"type": "Complete", "status": "True"}])
    world.work(key, publish=False)
    ask = operator.polling.ledger.entries

    async def ask_slowly(uids: Collection[str]) -> Mapping[str, LedgerEntry]:
        found = await ask(uids)
        await operator.reconciler.reconcile(key)
        return found

    async def sweep() -> None:
        await operator.resync.once()
        operator.polling.ledger.entries = ask_slowly  # type: ignore[method-assign]
        await operator.polling.once()
        operator.polling.ledger.entries = ask  # type: ignore[method-assign]
        await operator.polling.once()
        await operator.outbox.flush()

    asyncio.run(sweep())
    assert told(world, key)[0] == "Succeeded"
    assert [message.kind for message in world.queue] == ["succeeded"]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    ("spec", "seconds"),
    [({}, 3600), ({"deletionPolicy": "Retain"}, None), ({"deletionPolicy": "Keep"}, None)],
    ids=["it-goes", "it-stays", "not-understood"],
)
def test_the_message_that_a_dead_worker_owes_tells_until_when_the_mp3_is_there(
    spec: dict[str, str], seconds: int | None, restarted: bool
) -> None:
    world = World()
    key = world.apply(a_conversion().with_spec(ttlSecondsAfterFinished=3600))
    operator = live(world)
    world.change(key, {"spec": spec})
    world.work(key, publish=False)
    world.set_job_status(key, conditions=[{"type": "Complete", "status": "True"}])
    finished_at = world.now
    if restarted:
        asyncio.run(operator.resync.once())
        asyncio.run(operator.reconciler.reconcile(key))
        world.pass_time(seconds=60)
    live(world, None if restarted else operator)
    [message] = world.queue
    assert (message.email, message.expires_at) == (OWNER, seconds and finished_at + timedelta(seconds=seconds))


def test_mongodb_away_is_told_and_overcome() -> None:
    world = World(away={"mongodb"})
    key = world.apply(a_conversion())
    operator = live(world)
    assert told(world, key) == ("Pending", "ServiceUnavailable")
    assert world.jobs == {}
    world.away.clear()
    live(world, operator)
    assert told(world, key) == ("Running", "Starting")


def test_a_refused_job_is_told() -> None:
    world = World(refuse_jobs="exceeded quota: jobs")
    key = world.apply(a_conversion())
    operator = live(world)
    assert told(world, key) == ("Queued", "Queued")
    assert status(world, key)["message"] == "The API server refused its Job: exceeded quota: jobs"
    world.refuse_jobs = ""
    live(world, operator)
    assert told(world, key) == ("Running", "Starting")


def test_a_job_that_is_not_valid_fails_it_in_words() -> None:
    world = World(refuse_jobs="metadata.name: must be a DNS label", refusal=InvalidError)
    key = world.apply(a_conversion())
    operator = live(world)
    assert told(world, key) == ("Failed", "InvalidJob")
    assert status(world, key)["message"] == "Kubernetes does not take its Job: metadata.name: must be a DNS label"
    assert ([message.reason for message in world.queue], operator.admission_queue._held) == (["InvalidJob"], {})


def test_who_is_made_anew_while_the_ledger_is_slow_holds_no_place_for_the_one_before() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = an_operator(world, max_running=1)
    read = operator.reconciler.observer.entries._fetch

    async def slowly(uids: Any) -> Any:
        found = await read(uids)
        del world.conversions[key]
        world.apply(a_conversion().with_metadata(uid="anew"))
        operator.cache.forget_conversion(key)
        operator.cache.see_conversion(world.conversions[key])
        return found

    async def main() -> None:
        await operator.prime()
        operator.admission_queue.review()
        operator.reconciler.observer.entries._fetch = slowly
        assert await operator.reconciler.reconcile(key) == 0.0

    asyncio.run(main())
    operator.reconciler.observer.entries._fetch = read
    assert (operator.admission_queue._held, len(operator.admission_queue)) == ({}, 0)
    live(world, operator)
    assert [job["metadata"]["labels"][names.LABEL_CONVERSION_UID] for job in world.jobs.values()] == ["anew"]


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
def test_a_finished_conversion_whose_finalizer_was_taken_off_gets_it_again(policy: str) -> None:
    """By `kubectl replace` without it; else its deletion leaves an mp3 that nobody can adopt or remove."""
    world = World()
    key = world.apply(a_conversion().with_spec(deletionPolicy=policy))
    operator = live(world)
    world.work(key)
    live(world, operator)
    world.conversions[key]["metadata"]["finalizers"] = []
    world.stamp(world.conversions[key])
    live(world, operator)
    world.delete(key)
    live(world, operator)
    assert key not in world.conversions
    assert list(world.mp3s) == ([] if policy == "Delete" else [MP3_ID])
    assert all(entry.retained_at for entry in world.entries.values())


def test_conflicts_on_every_write_only_delay() -> None:
    world = World(conflicts=3)
    key = world.apply(a_conversion())
    live(world)
    assert told(world, key) == ("Running", "Starting")
    assert world.jobs_ever_created == 1


def test_a_suspended_conversion_loses_its_job_and_gets_a_new_one_when_resumed() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.change(key, {"spec": {"suspend": True}})
    live(world, operator)
    assert told(world, key) == ("Suspended", "Suspended")
    assert world.jobs == {}
    world.change(key, {"spec": {"suspend": False}})
    live(world, operator)
    assert told(world, key) == ("Running", "Starting")
    assert world.jobs_ever_created == 2


def test_a_job_deleted_by_hand_comes_again() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.jobs.clear()
    live(world, operator)
    assert world.jobs_ever_created == 2
    assert told(world, key) == ("Running", "Starting")


def test_a_finished_conversion_never_runs_again() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.work(key)
    live(world, operator)
    world.jobs.clear()
    world.entries.clear()
    live(world, operator)
    live(world)
    assert world.jobs_ever_created == 1
    assert told(world, key) == ("Succeeded", "Succeeded")


def test_a_change_after_the_verdict_moves_only_the_generation() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.work(key)
    live(world, operator)
    before = status(world, key)
    world.change(key, {"spec": {"priority": 5}})
    live(world, operator)
    after = status(world, key)
    assert after["observedGeneration"] == 2
    assert {condition["observedGeneration"] for condition in after["conditions"]} == {2}
    assert {key: value for key, value in after.items() if key not in ("observedGeneration", "conditions")} == {
        key: value for key, value in before.items() if key not in ("observedGeneration", "conditions")
    }


def test_a_cap_queues_the_rest_in_order() -> None:
    world = World()
    keys = [world.apply(a_conversion(name)) for name in ("a", "b", "c")]
    operator = live(world, max_running=1)
    live(world, operator)
    assert [told(world, key)[0] for key in keys] == ["Running", "Queued", "Queued"]
    assert [status(world, key).get("queue") for key in keys] == [
        None,
        {"position": 1, "since": at(NOW)},
        {"position": 2, "since": at(NOW)},
    ]
    world.work(keys[0])
    world.set_job_status(keys[0], conditions=[{"type": "Complete", "status": "True"}])
    live(world, operator)
    assert [told(world, key)[0] for key in keys] == ["Succeeded", "Running", "Queued"]


def test_kueue_gets_a_suspended_job_whatever_the_cap() -> None:
    world = World()
    queued = a_conversion("b").with_metadata(labels={KUEUE_QUEUE_LABEL: "audio"})
    world.apply(a_conversion("a"))
    key = world.apply(queued)
    live(world, max_running=1)
    job = world.job_of(key)
    assert job["spec"]["suspend"] is True
    assert job["metadata"]["labels"][KUEUE_QUEUE_LABEL] == "audio"
    assert told(world, key) == ("Queued", "Queued")
    assert [event for event in world.events.values() if event["involvedObject"]["name"] == "b"] == []


def test_progress_is_written_coarsely() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.set_job_status(key, active=1, ready=1)
    uid = world.conversions[key]["metadata"]["uid"]
    written = []
    for percent in range(1, 31):
        world.pass_time(seconds=1)
        progress = {"percent": percent, "updatedAt": world.now}
        world.entries[uid] = LedgerEntry.model_validate({"_id": uid, "progress": progress})
        asyncio.run(operator.polling.once())
        live(world, operator)
        written.append(status(world, key)["progress"]["percent"])
    assert sorted(set(written)) == [1, 11, 21]


# --- deletion ---


def finished(world: World, **spec: Any) -> tuple[Key, Any]:
    key = world.apply(a_conversion().with_spec(**spec))
    operator = live(world)
    world.work(key)
    world.set_job_status(key, conditions=[{"type": "Complete", "status": "True"}])
    live(world, operator)
    return key, operator


def test_deletion_removes_the_files() -> None:
    world = World()
    key, operator = finished(world, sourcePolicy="DeleteAfterSuccess")
    world.delete(key)
    live(world, operator)
    assert (world.conversions, world.entries, world.mp3s, world.jobs) == ({}, {}, {}, {})


def test_deletion_with_retain_keeps_mp3_ledger_and_source() -> None:
    world = World()
    key, operator = finished(world, deletionPolicy="Retain", sourcePolicy="Retain")
    world.delete(key)
    live(world, operator)
    assert world.conversions == {}
    assert (list(world.entries), list(world.mp3s), list(world.sources)) == (["uid-media-talk"], [MP3_ID], [FILE_ID])


@pytest.mark.parametrize(("policy", "left"), [("DeleteAfterSuccess", []), ("Retain", [FILE_ID])])
def test_deletion_before_success_deals_with_the_source(policy: str, left: list[str]) -> None:
    world = World()
    key = world.apply(a_conversion().with_spec(sourcePolicy=policy))
    operator = live(world)
    world.delete(key)
    live(world, operator)
    assert (world.conversions, world.jobs, list(world.sources)) == ({}, {}, left)


def test_deletion_waits_for_the_worker_but_not_for_ever() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.pods[Key("media", "pod")] = a_pod(a_conversion()).running().versioned(500).document
    world.delete(key)
    live(world, operator)
    assert told(world, key) == ("Pending", "Deleting")
    assert list(world.sources) == [FILE_ID]
    world.pass_time(seconds=91)
    live(world, operator)
    assert world.conversions == {}


def test_deletion_does_not_wait_for_a_job_that_went_without_an_event() -> None:
    """As one does that goes after the operator's first lists, and before the watch of the Jobs has begun."""
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.delete(key)
    operator.cache.see_conversion(world.conversions[key])
    world.jobs.clear()

    async def twice() -> list[float | None]:
        return [await operator.reconciler.reconcile(key) for _ in range(2)]

    assert asyncio.run(twice()) == [0.0, None]
    assert (world.conversions, operator.cache.live()) == ({}, set())


def test_deletion_waits_for_mongodb_but_not_for_ever() -> None:
    world = World()
    key, operator = finished(world)
    world.away.add("mongodb")
    world.delete(key)
    live(world, operator)
    assert key in world.conversions
    world.pass_time(seconds=601)
    live(world, operator)
    assert world.conversions == {}
    assert list(world.mp3s) == [MP3_ID]
    assert operator.metrics.registry.get_sample_value("video2mp3_operator_deletions_abandoned_total") == 1


def test_deletion_of_a_failed_conversion_waits_until_its_message_is_out() -> None:
    world = World(away={"rabbitmq"})
    key = world.apply(a_conversion().owned_by("b@example.com"))
    operator = live(world)
    world.delete(key)
    live(world, operator)
    assert key in world.conversions
    world.away.clear()
    live(world, operator)
    assert (world.conversions, len(world.queue)) == ({}, 1)


def test_others_finalizers_stay() -> None:
    world = World()
    key = world.apply(a_conversion().with_metadata(finalizers=["others.example.com/x"]))
    operator = live(world)
    world.delete(key)
    live(world, operator)
    assert world.conversions[key]["metadata"]["finalizers"] == ["others.example.com/x"]


# --- killed anywhere ---


def _to_success(world: World, key: Key) -> None:
    if world.jobs and key in world.conversions and not world.entries:
        world.work(key, publish=False)
        world.set_job_status(key, conditions=[{"type": "Complete", "status": "True"}])


def _to_failure(world: World, key: Key) -> None:
    if world.jobs and not status(world, key).get("completionTime"):
        world.pods[Key("media", "pod")] = a_pod(a_conversion()).ended(65, NO_AUDIO).versioned(500).document
        world.set_job_status(key, conditions=FAILED, failed=1)


def _to_deletion(world: World, key: Key) -> None:
    _to_success(world, key)
    if key in world.conversions and status(world, key)["phase"] == "Succeeded":
        world.delete(key)


def _succeeded(world: World, key: Key) -> None:
    assert told(world, key) == ("Succeeded", "Succeeded")
    assert (world.sources, list(world.mp3s)) == ({}, [MP3_ID])
    assert {message.message_id for message in world.queue} == {"uid-media-talk:succeeded"}


def _failed(world: World, key: Key) -> None:
    assert told(world, key) == ("Failed", "NoAudio")
    assert {message.message_id for message in world.queue} == {"uid-media-talk:failed"}


def _gone(world: World, _key: Key) -> None:
    assert (world.conversions, world.entries, world.mp3s, world.sources) == ({}, {}, {}, {})


@pytest.mark.parametrize("after_effect", [False, True], ids=["before the effect", "after the effect"])
@pytest.mark.parametrize(
    ("others", "expected"),
    [(_to_success, _succeeded), (_to_failure, _failed), (_to_deletion, _gone)],
    ids=["success", "failure", "deletion"],
)
def test_killed_at_any_call_it_ends_the_same(
    others: Callable[[World, Key], None], expected: Callable[[World, Key], None], after_effect: bool
) -> None:
    """For every n: die at the n-th call to the outside, start anew, and see it through."""
    calls = _see_through(World(), others, expected)
    assert calls > 10
    for die_at in range(1, calls + 1):
        _see_through(World(die_at=die_at, die_after_effect=after_effect), others, expected)


def _see_through(world: World, others: Callable[[World, Key], None], expected: Callable[[World, Key], None]) -> int:
    key = world.apply(a_conversion())
    operator = an_operator(world)
    for _ in range(8):
        if key in world.conversions:
            others(world, key)
        try:
            asyncio.run(settle(operator))
        except DiedError:
            operator = an_operator(world)
    expected(world, key)
    assert world.jobs_ever_created == 1
    return world.calls


def test_two_operators_at_once_do_nothing_twice() -> None:
    world = World()
    key = world.apply(a_conversion())
    one, two = an_operator(world), an_operator(world)
    for operator in (one, two):
        asyncio.run(operator.resync.once())
    live(world, one)
    asyncio.run(_reconcile_stale(two, key))
    live(world, two)
    world.work(key)
    live(world, two)
    asyncio.run(_reconcile_stale(one, key))
    assert told(world, key) == ("Succeeded", "Succeeded")
    assert world.jobs_ever_created == 1


async def _reconcile_stale(operator: Any, key: Key) -> None:
    """On what this operator saw last, without looking again."""
    with suppress(ConflictError):
        await operator.reconciler.reconcile(key)


def test_a_clock_that_is_set_ahead_and_back_changes_no_verdict() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.step_clock(hours=-1)
    world.work(key)
    live(world, operator)
    world.step_clock(hours=2)
    live(world, operator)
    assert told(world, key) == ("Succeeded", "Succeeded")


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_is_set_lets_no_start_time_out_and_time_that_passes_does(hours: int) -> None:
    world = World()
    key = world.apply(a_conversion().with_spec(timeouts={"startSeconds": 900}))
    operator = live(world)
    world.set_job_status(key, active=1)
    waiting = a_pod(a_conversion()).waiting("ImagePullBackOff", "no such image")
    world.pods[Key("media", "pod")] = waiting.created(world.now).versioned(500).document
    live(world, operator)
    world.step_clock(hours=hours)
    live(world, operator)
    assert told(world, key) == ("Running", "Starting")
    world.pass_time(seconds=901)
    world.step_clock(hours=-hours)
    live(world, operator)
    assert told(world, key) == ("Failed", "StartTimeout")


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_is_set_cuts_no_deletion_short(hours: int) -> None:
    """Neither the wait for the worker nor that for MongoDB."""
    world = World()
    key, operator = finished(world)
    world.away.add("mongodb")
    world.delete(key)
    live(world, operator)
    world.step_clock(hours=hours)
    live(world, operator)
    assert key in world.conversions
    world.pass_time(seconds=601)
    world.step_clock(hours=-hours)
    live(world, operator)
    assert world.conversions == {}


def test_an_operator_whose_clock_is_an_hour_ahead_of_the_api_servers_waits_all_the_same() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.set_job_status(key, active=1)
    world.pods[Key("media", "pod")] = (
        a_pod(a_conversion()).created(world.now - timedelta(hours=1)).versioned(500).document
    )
    live(world, operator)
    assert told(world, key) == ("Running", "Starting")
