"""What nothing wants any more is marked, and goes days later; nothing else does, and nobody else's."""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from tests.builders import MP3_ID, NOW, OWNER, a_conversion, an_entry
from tests.unit.operator.fakes import INSTALLATION, World
from tests.unit.operator.harness import an_operator, live
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_operator.app.bootstrap import Operator
from video2mp3_operator.gc.rules import Halt, Rules, Verdict, halt, held, judge, judge_entry, mp3_wanted
from video2mp3_operator.objects.stored import Census, Presence, SourceFile, StoredFile

DAY = timedelta(days=1)
RULES = Rules(INSTALLATION, NOW, patience=7 * DAY)
OLD_MARK, FRESH_MARK = NOW - 7 * DAY, NOW - 6 * DAY
DONE = an_entry().with_result(published=True).entry.model_copy(update={"installation": INSTALLATION})
FAILED = an_entry().with_failure(published=True).entry.model_copy(update={"installation": INSTALLATION})
BEGUN = an_entry().attempted().entry.model_copy(update={"installation": INSTALLATION})


def an_id(moment: datetime) -> str:
    return str(ObjectId.from_datetime(moment))


@pytest.mark.parametrize(
    ("installation", "mark", "wanted", "expected"),
    [
        (INSTALLATION, None, True, Verdict.LEAVE),
        (INSTALLATION, None, False, Verdict.MARK),
        (INSTALLATION, FRESH_MARK, False, Verdict.LEAVE),
        (INSTALLATION, OLD_MARK, False, Verdict.REMOVE),
        (INSTALLATION, OLD_MARK, True, Verdict.UNMARK),
        ("elsewhere/video2mp3", OLD_MARK, False, Verdict.LEAVE),
        ("elsewhere/video2mp3", None, False, Verdict.LEAVE),
        ("", OLD_MARK, False, Verdict.LEAVE),
        ("", None, False, Verdict.LEAVE),
    ],
)
def test_who_may_delete_what(installation: str, mark: datetime | None, wanted: bool, expected: Verdict) -> None:
    thing = StoredFile("a", OWNER, installation=installation, unwanted_since=mark)
    assert judge(thing, wanted, RULES) is expected


def test_an_installation_without_a_name_touches_nothing() -> None:
    nameless = Rules("", NOW, 7 * DAY)
    assert judge(StoredFile("a", OWNER, unwanted_since=OLD_MARK), wanted=False, rules=nameless) is Verdict.LEAVE
    entry = DONE.model_copy(update={"installation": "", "unwanted_since": OLD_MARK})
    assert judge_entry(entry, set(), (), None, nameless) is Verdict.LEAVE


RETAINED = {"retained_at": NOW - 30 * DAY}
MARKED = {"unwanted_since": OLD_MARK}


@pytest.mark.parametrize(
    ("entry", "change", "present", "namespaces", "expected"),
    [
        (FAILED, {}, {FAILED.uid}, ("media",), Verdict.LEAVE),
        (FAILED, MARKED, {FAILED.uid}, ("media",), Verdict.UNMARK),
        (FAILED, {}, set(), ("media",), Verdict.MARK),
        (FAILED, {}, set(), (), Verdict.MARK),
        (FAILED, {}, set(), ("others",), Verdict.LEAVE),
        (FAILED, MARKED, set(), ("others",), Verdict.UNMARK),
        (FAILED, MARKED, set(), ("media",), Verdict.REMOVE),
        (BEGUN, MARKED, set(), ("media",), Verdict.REMOVE),
        (DONE, {}, set(), ("media",), Verdict.MARK),
        (DONE, MARKED, set(), ("media",), Verdict.KEEP),
        (DONE, MARKED | {"messages": {}}, set(), ("media",), Verdict.KEEP),
        (FAILED, MARKED | {"messages": {}}, set(), ("media",), Verdict.UNMARK),
        (DONE, MARKED | {"installation": ""}, set(), ("media",), Verdict.LEAVE),
        (DONE, MARKED | {"installation": "elsewhere"}, set(), ("media",), Verdict.LEAVE),
        (DONE, RETAINED, set(), ("media",), Verdict.LEAVE),
    ],
)
def test_an_entry_whose_conversion_is_gone(
    entry: LedgerEntry, change: dict[str, Any], present: set[str], namespaces: tuple[str, ...], expected: Verdict
) -> None:
    assert judge_entry(entry.model_copy(update=change), present, namespaces, None, RULES) is expected


@pytest.mark.parametrize(
    ("days", "present", "installation", "expected"),
    [
        (31, set(), INSTALLATION, Verdict.LEAVE),
        (30, set(), INSTALLATION, Verdict.REMOVE),
        (30, {DONE.uid}, INSTALLATION, Verdict.LEAVE),
        (30, set(), "elsewhere", Verdict.LEAVE),
    ],
)
def test_a_kept_mp3_goes_when_its_time_is_over(
    days: int, present: set[str], installation: str, expected: Verdict
) -> None:
    entry = DONE.model_copy(update=RETAINED | {"installation": installation})
    rules = Rules(INSTALLATION, NOW, 7 * DAY, retention=days * DAY)
    assert judge_entry(entry, present, ("media",), None, rules) is expected


def shown(uid: str = "uid-2", owner: str = OWNER, file_id: str = MP3_ID) -> Mapping[str, Any]:
    made = a_conversion().owned_by(owner).with_metadata(uid=uid)
    return made.with_status(output={"fileId": file_id}).document


@pytest.mark.parametrize(
    ("namesake", "expected"),
    [
        (shown(), Verdict.HAND_OVER),
        (shown(owner="b@example.com"), Verdict.MARK),
        (shown(file_id="f" * 24), Verdict.MARK),
        (a_conversion().with_metadata(uid="uid-2").document, Verdict.MARK),
        (None, Verdict.MARK),
    ],
)
def test_a_conversion_that_was_restored_with_its_status_keeps_its_mp3(
    namesake: Mapping[str, Any] | None, expected: Verdict
) -> None:
    assert judge_entry(DONE, {"uid-2"}, ("media",), namesake, RULES) is expected


def test_an_mp3_that_no_entry_knows() -> None:
    file = StoredFile("a", OWNER, "uid-1")
    assert not mp3_wanted(file, set(), set())
    assert mp3_wanted(file, {"uid-1"}, set())
    assert mp3_wanted(file, set(), {"uid-1"})
    assert mp3_wanted(StoredFile("a", OWNER), set(), set())


@pytest.mark.parametrize(
    ("census", "rival", "expected"),
    [
        (Census(20, 20), None, None),
        (Census(21, 21), None, Halt.ABNORMAL),
        (Census(104, 21), None, Halt.ABNORMAL),
        (Census(105, 21), None, None),
        (Census(10_000, 2_001), None, Halt.ABNORMAL),
        (Census(0, 0), NOW - 6 * DAY, Halt.SHARED),
        (Census(0, 0), NOW - 7 * DAY, None),
        (Census(21, 21), NOW, Halt.SHARED),
    ],
)
def test_what_stops_a_sweep(census: Census, rival: datetime | None, expected: Halt | None) -> None:
    assert halt(census, Presence(rival), RULES) is expected


@pytest.mark.parametrize(
    ("reason", "confirmed", "expected"),
    [
        (None, None, False),
        (Halt.ABNORMAL, None, True),
        (Halt.ABNORMAL, OLD_MARK - DAY, True),
        (Halt.ABNORMAL, OLD_MARK, False),
        (Halt.SHARED, NOW, True),
    ],
)
def test_what_an_administrator_has_seen_may_go(reason: Halt | None, confirmed: datetime | None, expected: bool) -> None:
    thing = StoredFile("a", OWNER, unwanted_since=OLD_MARK)
    assert held(thing, reason, Presence(confirmed_at=confirmed)) is expected


# --- the rounds ---


def swept(world: World, operator: Operator | None = None, *, rounds: int = 1) -> Operator:
    operator = operator or an_operator(world)

    async def sweep() -> None:
        await operator.prime()
        await operator.heartbeat.beat()
        for _ in range(rounds):
            await operator.collector.sweep_once()

    asyncio.run(sweep())
    return operator


def swept_twice(world: World, operator: Operator | None = None) -> Operator:
    """Marked, and a week later removed."""
    operator = swept(world, operator)
    world.pass_time(days=7)
    return swept(world, operator)


def sample(operator: Operator, name: str, **labels: str) -> float | None:
    return operator.metrics.registry.get_sample_value(f"video2mp3_operator_{name}", labels)


def removed(operator: Operator, kind: str) -> float | None:
    return sample(operator, "orphans_removed_total", kind=kind)


def test_uploads_without_a_conversion_go_a_week_after_they_were_found() -> None:
    world = World()
    old, fresh = an_id(NOW - 2 * DAY), an_id(NOW - DAY / 2)
    world.sources = {each: SourceFile(OWNER, 1) for each in (old, fresh)}
    used = an_id(NOW - 3 * DAY)
    world.apply(a_conversion().with_spec(source={"gridfs": {"fileId": used}}))
    operator = swept(world)
    world.pass_time(days=6.9)
    swept(world, operator)
    assert set(world.sources) == {old, fresh, used}
    world.pass_time(days=0.1)
    swept(world, operator)
    assert set(world.sources) == {fresh, used}
    assert removed(operator, "upload") == 1


def test_a_mark_goes_when_a_conversion_names_the_upload_again() -> None:
    world = World()
    upload = an_id(NOW - 2 * DAY)
    world.sources = {upload: SourceFile(OWNER, 1)}
    operator = swept(world)
    assert upload in world.marks
    key = world.apply(a_conversion().with_spec(source={"gridfs": {"fileId": upload}}, suspend=True))
    swept(world, operator)
    assert world.marks == {}
    del world.conversions[key]
    world.pass_time(days=30)
    swept(world, operator)
    assert upload in world.sources


def test_another_installations_things_stay() -> None:
    world = World()
    upload, mp3 = an_id(NOW - 2 * DAY), an_id(NOW - 3 * DAY)
    world.sources, world.mp3s = {upload: SourceFile(OWNER, 1)}, {mp3: "uid-elsewhere"}
    world.entries["uid-elsewhere"] = FAILED.model_copy(update={"uid": "uid-elsewhere", "uploads": (mp3,)})
    world.others = {upload, mp3, "uid-elsewhere"}
    swept_twice(world)
    assert (set(world.sources), set(world.mp3s), set(world.entries)) == ({upload}, {mp3}, {"uid-elsewhere"})
    assert world.marks == {}


def test_chunks_without_a_file_go_a_week_after_they_were_found() -> None:
    world = World(torn=[an_id(NOW - 2 * DAY), an_id(NOW + 6.5 * DAY)])
    operator = swept(world)
    assert len(world.torn) == 2
    world.pass_time(days=7)
    swept(world, operator)
    assert world.torn == [an_id(NOW + 6.5 * DAY)]
    assert removed(operator, "chunks of videos") == 1


@pytest.mark.parametrize("policy", ["deletionPolicy", "sourcePolicy"])
def test_a_source_that_was_to_stay_stays(policy: str) -> None:
    world = World()
    source = an_id(NOW - 2 * DAY)
    conversion = a_conversion().with_spec(**{policy: "Retain"}, source={"gridfs": {"fileId": source}})
    key = world.apply(conversion)
    operator = live(world)
    world.delete(key)
    live(world, operator)
    assert world.conversions == {}
    swept_twice(world, operator)
    assert list(world.sources) == [source]


def test_what_an_abandoned_deletion_left_of_a_failure_goes() -> None:
    world = World()
    part = an_id(NOW - 2 * DAY)
    world.mp3s[part] = "uid-gone"
    world.entries["uid-gone"] = FAILED.model_copy(update={"uid": "uid-gone", "uploads": (part,)})
    lost = an_id(NOW - 3 * DAY)
    world.mp3s[lost] = "uid-without-entry"
    world.pass_time(days=2)
    operator = swept_twice(world)
    assert (world.entries, list(world.mp3s)) == ({}, [])
    assert (removed(operator, "entry"), removed(operator, "mp3")) == (1, 1)


def test_a_finished_mp3_whose_conversion_was_lost_is_kept_for_its_owner() -> None:
    world = World()
    world.mp3s[MP3_ID] = "uid-gone"
    world.entries["uid-gone"] = DONE.model_copy(update={"uid": "uid-gone", "uploads": (MP3_ID,)})
    operator = swept_twice(world)
    kept_at = world.entries["uid-gone"].retained_at
    assert (kept_at, list(world.mp3s)) == (world.now, [MP3_ID])
    world.pass_time(days=4000)
    swept(world, operator, rounds=2)
    assert list(world.mp3s) == [MP3_ID]


@pytest.mark.parametrize("adopted", [False, True])
def test_a_kept_mp3_expires_unless_another_conversion_has_adopted_it(adopted: bool) -> None:
    world = World()
    world.mp3s[MP3_ID] = "uid-gone"
    gone = DONE.model_copy(update={"uid": "uid-gone", "uploads": (MP3_ID,), "retained_at": NOW})
    world.entries["uid-gone"] = gone
    if adopted:
        world.apply(a_conversion("heir").with_metadata(uid="uid-heir").succeeded())
        world.entries["uid-heir"] = gone.model_copy(
            update={"uid": "uid-heir", "uploads": (), "retained_at": None, "adopted_from": "uid-gone"}
        )
    operator = swept(world, an_operator(world, retained_days=30))
    world.pass_time(days=30)
    swept(world, operator, rounds=2)
    assert list(world.mp3s) == ([MP3_ID] if adopted else [])


def test_what_belongs_to_somebody_stays() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.work(key)
    live(world, operator)
    world.pass_time(days=400)
    swept_twice(world, operator)
    assert (list(world.mp3s), list(world.entries)) == ([MP3_ID], ["uid-media-talk"])
    assert world.marks == {}


def many_uploads(world: World, count: int) -> list[str]:
    ids = [an_id(NOW - 10 * DAY + timedelta(seconds=second)) for second in range(count)]
    world.sources |= {each: SourceFile(OWNER, 1) for each in ids}
    return ids


def test_more_than_can_be_by_accident_stops_the_sweep_until_somebody_has_looked() -> None:
    world = World()
    ids = many_uploads(world, 21)
    operator = swept_twice(world)
    assert sorted(world.sources) == ids
    assert sample(operator, "orphan_sweep_halted", kind="upload", reason="abnormal") == 1
    asyncio.run(operator.collector.store.confirm(world.now))
    swept(world, operator, rounds=2)
    assert world.sources == {}
    assert sample(operator, "orphan_sweep_halted", kind="upload", reason="abnormal") == 0


def test_a_restarted_operator_removes_nothing_before_it_has_looked_through_all() -> None:
    """It may have died while it marked: then what is marked is the smaller part of what nothing wants."""
    world = World()
    ids = many_uploads(world, 300)
    for each in ids[:10]:
        world.marks[each] = NOW - 30 * DAY
    swept(world, rounds=2)
    assert sorted(world.sources) == ids
    assert len(world.marks) == 300


def test_another_cluster_under_the_same_name_stops_the_sweep() -> None:
    world = World(clusters={"lease-2": NOW})
    many_uploads(world, 1)
    operator = swept(world)
    assert sample(operator, "orphan_sweep_halted", kind="upload", reason="shared") == 1
    world.pass_time(days=6)
    world.clusters["lease-2"] = world.now
    world.pass_time(days=2)
    swept(world, operator)
    assert len(world.sources) == 1
    world.pass_time(days=6)
    swept(world, operator, rounds=2)
    assert world.sources == {}


def test_a_large_store_is_looked_through_in_several_rounds() -> None:
    world = World()
    many_uploads(world, 4_050)
    operator = swept(world)
    assert len(world.marks) == 4_000
    swept(world, operator)
    assert len(world.marks) == 4_050


def test_a_dry_run_tells_and_changes_nothing() -> None:
    world = World()
    [upload] = many_uploads(world, 1)
    torn = an_id(NOW - 3 * DAY)
    world.torn = [torn]
    world.mp3s[MP3_ID] = "uid-gone"
    world.entries["uid-gone"] = DONE.model_copy(update={"uid": "uid-gone", "uploads": (MP3_ID,)})
    operator = swept(world)
    world.pass_time(days=7)
    before = (dict(world.marks), dict(world.sources), dict(world.entries), world.writes.copy())

    async def told() -> list[tuple[str, str, Verdict, bool]]:
        return [(each.kind, each.name, each.verdict, each.held) async for each in operator.collector.findings()]

    assert set(asyncio.run(told())) == {
        ("upload", upload, Verdict.REMOVE, False),
        ("entry", "uid-gone", Verdict.KEEP, False),
        ("chunks of videos", torn, Verdict.REMOVE, False),
    }
    assert (dict(world.marks), dict(world.sources), dict(world.entries), world.writes) == before
