"""An mp3 that outlived its Conversion is taken over by one that asks for the same."""

import asyncio
from typing import Any

import pytest

from tests.builders import FILE_ID, MP3_ID, OWNER, ConversionBuilder, a_conversion, an_entry
from tests.unit.operator.fakes import DiedError, World
from tests.unit.operator.harness import an_operator, live, settle, status
from video2mp3_contracts.api.conversion import Conversion
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.stored import SourceFile
from video2mp3_operator.policy.result_reuse import adoptable, fingerprints

SHA = "a" * 64
MADE = a_conversion()
RETAINED = a_conversion().with_spec(deletionPolicy="Retain")
OTHER_FILE = "f" * 24


def made_of(conversion: ConversionBuilder, sha256: str | None = None) -> set[str]:
    parsed = Conversion.model_validate(conversion.document)
    return set(fingerprints(parsed.spec, parsed.filename, sha256))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (a_conversion(), a_conversion().with_spec(priority=5, retryLimit=0), True),
        (a_conversion(), a_conversion().with_spec(output={"filename": "talk.mp3"}), True),
        (a_conversion(), a_conversion("another"), False),
        (a_conversion(), a_conversion().owned_by("b@example.com"), False),
        (a_conversion(), a_conversion().with_spec(output={"encoding": {"vbr": 3}}), False),
        (a_conversion(), a_conversion().with_spec(output={"tags": {"title": "x"}}), False),
        (a_conversion(), a_conversion().with_spec(source={"gridfs": {"fileId": OTHER_FILE}}), False),
        (a_conversion(), a_conversion().with_spec(source={"allowTruncated": True}), False),
        (a_conversion(), a_conversion().with_spec(source={"allowTruncated": False}), True),
    ],
)
def test_what_is_the_same(one: ConversionBuilder, other: ConversionBuilder, same: bool) -> None:
    assert bool(made_of(one) & made_of(other)) is same


def test_the_same_content_under_another_id_is_the_same() -> None:
    other = a_conversion().with_spec(source={"gridfs": {"fileId": OTHER_FILE}})
    assert made_of(a_conversion(), SHA) & made_of(other, SHA)
    assert not made_of(a_conversion(), SHA) & made_of(other, "b" * 64)


WITH_LOUDNESS = {"loudness": {"integratedLufs": -16}}
NOTED = [
    # By the release that knew neither output.tags.id3Version nor output.loudness.mode.
    ({}, "5a0707db214d95b35e681360c23eba87cf56ec56d37b0bf799e210b6f581d0b5"),
    ({"tags": {"title": "x"}}, "9ad544da68ca219e040bc8e55334bb37673793b163aa4e4b91b4cfe2a868dcd4"),
    (WITH_LOUDNESS, "95359ddec9bc2708ca3a7eae9a322b9f2d2077be84fc53521a41dde5ce1dcfde"),
    (WITH_LOUDNESS | {"tags": {"title": "x"}}, "12d02373dcd2683eea0fa9d4996e684d1f41d580c769a3eb292ec60f52e6838e"),
    # By those that noted what both are by default.
    ({}, "0d6d379bf037f25ba6550e7766907ac9582f36709892cf1ffcbe5484692e9bef"),
    (WITH_LOUDNESS, "0ee6f13c72241a303fc88c0f85051f818ac35ac85cb372e5b09e83909b140cee"),
]


@pytest.mark.parametrize(("output", "digest"), NOTED)
def test_what_earlier_releases_noted_is_the_same(output: dict[str, Any], digest: str) -> None:
    assert digest in made_of(a_conversion().with_spec(output=output))


@pytest.mark.parametrize("output", [{"tags": {"id3Version": "2.4"}}, {"loudness": {"mode": "limit"}}])
def test_what_is_chosen_beside_the_default_is_another(output: dict[str, Any]) -> None:
    by_default = a_conversion().with_spec(output=WITH_LOUDNESS)
    assert not made_of(by_default) & made_of(by_default.with_spec(output=output))


def test_an_address_is_a_source_only_with_its_content() -> None:
    by_url = a_conversion().with_spec(source={"gridfs": None, "url": "https://example.com/a.mp4"})
    assert made_of(by_url) == set()
    assert made_of(by_url.with_spec(source={"sha256": SHA})) == made_of(a_conversion(), SHA) - made_of(a_conversion())


def retained(**more: Any) -> LedgerEntry:
    entry = an_entry(a_conversion("gone")).with_result().entry
    return entry.model_copy(update={"retained_at": "2026-01-01T00:00:00Z"} | more)


@pytest.mark.parametrize(
    ("entry", "found", "expected"),
    [
        (None, retained(), True),
        (an_entry().entry, retained(), True),
        (None, None, False),
        (None, retained(result=None), False),
        (None, an_entry(a_conversion("gone")).with_failure().entry, True),
        (None, retained(owner="b@example.com"), False),
        (an_entry().attempted().entry, retained(), False),
        (an_entry().with_failure().entry, retained(), False),
    ],
)
def test_what_may_be_adopted(entry: LedgerEntry | None, found: LedgerEntry | None, expected: bool) -> None:
    spec = Conversion.model_validate(a_conversion().document).spec
    assert adoptable(spec, entry, found) is expected


def made_and_deleted(world: World, conversion: ConversionBuilder = RETAINED) -> None:
    world.sources[FILE_ID] = SourceFile(OWNER, 1000, SHA)
    key = world.apply(conversion)
    operator = live(world)
    world.work(key)
    world.set_job_status(key, conditions=[{"type": "Complete", "status": "True"}])
    live(world, operator)
    world.delete(key)
    live(world, operator)
    assert (world.conversions, list(world.mp3s)) == ({}, [MP3_ID])


def again(world: World, conversion: ConversionBuilder = RETAINED, uid: str = "uid-2") -> Key:
    key = world.apply(conversion.with_metadata(uid=uid))
    live(world)
    return key


def test_the_same_conversion_made_anew_gets_its_mp3_without_a_job_or_a_source() -> None:
    world = World()
    made_and_deleted(world)
    world.sources.clear()
    jobs = world.jobs_ever_created
    key = world.apply(RETAINED.with_metadata(uid="uid-2"))
    world.sources.clear()
    live(world)
    told = status(world, key)
    assert (told["reason"], told["output"]["fileId"], world.jobs_ever_created) == ("Succeeded", MP3_ID, jobs)
    assert told["message"] == f"talk.mp3 is stored as {MP3_ID}. It was made before, by a Conversion that is gone."
    live(world)
    assert world.queue == []


def test_who_adopts_under_another_name_is_told() -> None:
    world = World()
    made_and_deleted(world)
    again(world, RETAINED.with_metadata(name="other").with_spec(output={"filename": "talk.mp3"}))
    live(world)
    assert [message.message_id for message in world.queue] == ["uid-2:succeeded"]


def test_another_upload_of_the_same_content_gets_it_too() -> None:
    world = World()
    made_and_deleted(world)
    world.sources[OTHER_FILE] = SourceFile(OWNER, 1000, SHA)
    key = again(world, RETAINED.with_spec(source={"gridfs": {"fileId": OTHER_FILE}}))
    assert (status(world, key)["reason"], world.jobs_ever_created) == ("Succeeded", 1)


def test_nobody_gets_somebody_elses() -> None:
    world = World()
    made_and_deleted(world)
    world.sources[FILE_ID] = SourceFile("b@example.com", 1000, SHA)
    key = again(world, RETAINED.owned_by("b@example.com"))
    assert (status(world, key)["reason"], world.jobs_ever_created) == ("Starting", 2)


def test_an_mp3_that_is_gone_is_made_again() -> None:
    world = World()
    made_and_deleted(world)
    world.mp3s.clear()
    key = again(world)
    assert (status(world, key)["reason"], world.jobs_ever_created) == ("Starting", 2)


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
def test_two_that_share_an_mp3_do_not_take_it_from_each_other(policy: str) -> None:
    world = World()
    made_and_deleted(world)
    first = again(world, RETAINED.with_spec(deletionPolicy=policy), "uid-2")
    second = again(world, RETAINED.with_metadata(name="other").with_spec(output={"filename": "talk.mp3"}), "uid-3")
    assert [status(world, key)["output"]["fileId"] for key in (first, second)] == [MP3_ID, MP3_ID]
    for key in (first, second):
        world.delete(key)
        live(world)
        assert list(world.mp3s) == [MP3_ID]
    assert "uid-media-talk" in world.entries


@pytest.mark.parametrize("after_effect", [False, True], ids=["before the effect", "after the effect"])
def test_killed_at_any_call_it_ends_the_same(after_effect: bool) -> None:
    calls = adopted(World(), 0, after_effect)
    for die_at in range(1, calls + 1):
        adopted(World(), die_at, after_effect)


def adopted(world: World, die_at: int, after_effect: bool) -> int:
    """See an adoption through, killed at that call; answers the calls."""
    made_and_deleted(world)
    world.calls, world.die_at, world.die_after_effect = 0, die_at, after_effect
    key = world.apply(RETAINED.with_metadata(uid="uid-2"))
    operator = an_operator(world)
    for _ in range(4):
        try:
            asyncio.run(settle(operator))
        except DiedError:
            operator = an_operator(world)
    assert (status(world, key)["reason"], world.jobs_ever_created) == ("Succeeded", 1)
    assert world.queue == []
    return world.calls


# --- lost, and made again ---


def done(world: World, conversion: ConversionBuilder = MADE) -> Key:
    """A Conversion that has ended well, its source removed and its owner told."""
    world.sources[FILE_ID] = SourceFile(OWNER, 1000, SHA)
    key = world.apply(conversion)
    operator = live(world)
    world.work(key)
    world.set_job_status(key, conditions=[{"type": "Complete", "status": "True"}])
    live(world, operator)
    assert (status(world, key)["reason"], world.sources) == ("Succeeded", {})
    return key


def lose(world: World) -> None:
    """The cluster is rebuilt: nobody deleted anything, and nothing is there."""
    world.conversions.clear()
    world.jobs.clear()
    world.pods.clear()


def restored(world: World, conversion: ConversionBuilder = MADE, uid: str = "uid-2") -> Key:
    key = world.apply(conversion.with_metadata(uid=uid))
    world.sources.pop(FILE_ID)
    return key


def test_a_lost_conversion_made_again_takes_its_mp3_over_and_tells_nobody() -> None:
    world = World()
    done(world)
    lose(world)
    key = restored(world)
    live(world)
    told = status(world, key)
    assert (told["reason"], told["output"]["fileId"], world.jobs_ever_created) == ("Succeeded", MP3_ID, 1)
    assert (world.queue, world.mp3s, set(world.entries)) == ([], {MP3_ID: "uid-2"}, {"uid-2"})
    world.delete(key)
    live(world)
    assert (world.conversions, world.mp3s, world.entries) == ({}, {}, {})


def test_a_failure_is_taken_over_too_and_told_once() -> None:
    world = World()
    conversion = MADE.with_spec(source={"gridfs": {"fileId": FILE_ID}})
    world.sources[FILE_ID] = SourceFile("b@example.com", 1000)
    world.apply(conversion)
    live(world)
    assert [message.kind for message in world.queue] == ["failed"]
    lose(world)
    world.sources[FILE_ID] = SourceFile(OWNER, 1000)
    key = world.apply(conversion.with_metadata(uid="uid-2"))
    live(world)
    live(world)
    told = status(world, key)
    assert (told["reason"], world.jobs_ever_created, len(world.queue)) == ("OwnerMismatch", 0, 1)


BY_ADDRESS = {"gridfs": None, "url": "https://example.com/a.mp4"}


def test_an_address_is_source_enough_for_a_conversion_of_the_same_name() -> None:
    world = World()
    conversion = MADE.with_spec(source=BY_ADDRESS)
    key = world.apply(conversion)
    operator = live(world, allowed_hosts=("example.com",))
    world.work(key)
    world.set_job_status(key, conditions=[{"type": "Complete", "status": "True"}])
    live(world, operator)
    lose(world)
    key = world.apply(conversion.with_metadata(uid="uid-2"))
    live(world, allowed_hosts=("example.com",))
    assert (status(world, key)["reason"], world.jobs_ever_created, world.queue) == ("Succeeded", 1, [])


@pytest.mark.parametrize(
    "other",
    [
        MADE.owned_by("b@example.com"),
        MADE.with_spec(output={"encoding": {"vbr": 3}}),
        MADE.with_spec(source={"gridfs": {"fileId": OTHER_FILE}}),
        MADE.with_metadata(name="other"),
    ],
    ids=["owner", "options", "source", "name"],
)
def test_what_asks_for_something_else_takes_over_nothing(other: ConversionBuilder) -> None:
    world = World()
    done(world)
    lose(world)
    for file_id in (FILE_ID, OTHER_FILE):
        world.sources[file_id] = SourceFile(str(other.document["spec"]["owner"]), 1000)
    world.apply(other.with_metadata(uid="uid-2"))
    live(world)
    assert (world.jobs_ever_created, world.mp3s) == (2, {MP3_ID: "uid-media-talk"})


def test_what_was_deleted_is_made_anew() -> None:
    world = World()
    key = done(world)
    world.delete(key)
    live(world)
    world.apply(MADE.with_metadata(uid="uid-2"))
    live(world)
    assert world.jobs_ever_created == 2


def test_an_mp3_of_an_older_version_is_taken_over_where_the_source_is_gone() -> None:
    world = World()
    key = done(world)
    world.entries = {uid: entry.model_copy(update={"fingerprints": ()}) for uid, entry in world.entries.items()}
    lose(world)
    key = restored(world)
    live(world)
    assert (status(world, key)["reason"], world.queue) == ("Succeeded", [])


def test_what_was_not_yet_told_is_told_once_to_the_restored_ones_address() -> None:
    world = World()
    world.sources[FILE_ID] = SourceFile(OWNER, 1000, SHA)
    key = world.apply(MADE)
    operator = live(world)
    world.work(key, publish=False)
    live(world, operator)
    lose(world)
    world.queue.clear()
    live(world)
    assert world.queue == []
    restored(world)
    live(world)
    live(world)
    assert [(message.message_id, message.email) for message in world.queue] == [("uid-2:succeeded", OWNER)]


def test_lost_again_and_made_again_it_is_the_same() -> None:
    world = World()
    done(world)
    for number in range(2, 5):
        lose(world)
        key = restored(world, uid=f"uid-{number}")
        live(world)
        assert (status(world, key)["reason"], set(world.entries)) == ("Succeeded", {f"uid-{number}"})
    assert world.queue == []


@pytest.mark.parametrize("after_effect", [False, True], ids=["before the effect", "after the effect"])
def test_killed_at_any_call_of_a_take_over_nothing_is_lost(after_effect: bool) -> None:
    calls = taken_over(World(), 0, after_effect)
    for die_at in range(1, calls + 1):
        taken_over(World(), die_at, after_effect)


def taken_over(world: World, die_at: int, after_effect: bool) -> int:
    """See a lost one's place taken, killed at that call; answers the calls until it was."""
    done(world)
    lose(world)
    world.calls, world.die_at, world.die_after_effect = 0, die_at, after_effect
    key = restored(world)
    operator = an_operator(world)
    calls = 0
    for _ in range(4):
        try:
            asyncio.run(settle(operator))
            calls = calls or world.calls
        except DiedError:
            operator = an_operator(world)
    assert (status(world, key)["reason"], world.jobs_ever_created, world.queue) == ("Succeeded", 1, [])
    world.pass_time(days=30)

    async def sweep() -> None:
        await operator.heartbeat.beat()
        await operator.collector.sweep_once()

    asyncio.run(sweep())
    assert (world.mp3s, set(world.entries)) == ({MP3_ID: "uid-2"}, {"uid-2"})
    return calls
