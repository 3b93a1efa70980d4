"""What is nobody's any more is collected, and nothing else."""

import asyncio
from datetime import datetime, timedelta

import pytest
from bson import ObjectId

from tests.builders import MP3_ID, NOW, OWNER, a_conversion, an_entry
from tests.unit.operator.fakes import World
from tests.unit.operator.harness import an_operator, live
from video2mp3_contracts.ledger import LedgerEntry
from video2mp3_operator.bootstrap import Operator
from video2mp3_operator.observed import SourceFile, StoredFile
from video2mp3_operator.orphans import orphaned_entry, orphaned_mp3, orphaned_upload

DAY = timedelta(days=1)
DONE = an_entry().with_result(published=True).entry


def an_id(moment: datetime) -> str:
    return str(ObjectId.from_datetime(moment))


def test_an_upload_that_no_conversion_names() -> None:
    file = StoredFile("a", OWNER)
    assert orphaned_upload(file, set())
    assert not orphaned_upload(file, {"a"})


def test_an_mp3_that_no_entry_knows() -> None:
    file = StoredFile("a", OWNER, "uid-1")
    assert orphaned_mp3(file, set(), set())
    assert not orphaned_mp3(file, {"uid-1"}, set())
    assert not orphaned_mp3(file, set(), {"uid-1"})
    assert not orphaned_mp3(StoredFile("a", OWNER), set(), set())


@pytest.mark.parametrize(
    ("entry", "present", "namespaces", "expected"),
    [
        (DONE, set(), ("media",), True),
        (DONE, set(), (), True),
        (DONE, set(), ("others",), False),
        (DONE, {DONE.uid}, ("media",), False),
        (DONE.model_copy(update={"retained_at": NOW}), set(), (), False),
        (DONE.model_copy(update={"fingerprints": ("x",)}), set(), (), False),
        (an_entry().with_result().entry, set(), (), False),
        (an_entry().with_failure().entry, set(), (), False),
        (an_entry().with_failure(published=True).entry, set(), (), True),
        (an_entry().attempted().entry, set(), (), True),
    ],
)
def test_an_entry_whose_conversion_is_gone(
    entry: LedgerEntry, present: set[str], namespaces: tuple[str, ...], expected: bool
) -> None:
    assert orphaned_entry(entry, present, namespaces) is expected


def swept(world: World, operator: Operator | None = None) -> Operator:
    operator = operator or an_operator(world)

    async def sweep() -> None:
        await operator.prime()
        await operator.orphans.sweep_once()

    asyncio.run(sweep())
    return operator


def removed(operator: Operator, kind: str) -> float | None:
    return operator.metrics.registry.get_sample_value("video2mp3_operator_orphans_removed_total", {"kind": kind})


def test_uploads_without_a_conversion_go_once_they_are_old() -> None:
    world = World()
    old, fresh = an_id(NOW - 2 * DAY), an_id(NOW - DAY / 2)
    world.sources = {each: SourceFile(OWNER, 1) for each in (old, fresh)}
    used = an_id(NOW - 3 * DAY)
    world.apply(a_conversion().with_spec(source={"gridfs": {"fileId": used}}))
    operator = swept(world)
    assert set(world.sources) == {fresh, used}
    assert removed(operator, "upload") == 1


def test_chunks_without_a_file_go_once_they_are_old() -> None:
    world = World(torn=[an_id(NOW - 2 * DAY), an_id(NOW)])
    operator = swept(world)
    assert world.torn == [an_id(NOW)]
    assert removed(operator, "chunks") == 1


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
    swept(world, operator)
    assert list(world.sources) == [source]


def test_what_an_abandoned_deletion_left_goes() -> None:
    world = World()
    mp3 = an_id(NOW - 2 * DAY)
    world.mp3s[mp3] = "uid-gone"
    world.entries["uid-gone"] = DONE.model_copy(update={"uid": "uid-gone", "uploads": (mp3,)})
    world.mp3s[MP3_ID] = "uid-without-entry"
    lost = an_id(NOW - 3 * DAY)
    world.mp3s[lost] = "uid-without-entry"
    operator = swept(world)
    assert (world.entries, list(world.mp3s)) == ({}, [])
    assert (removed(operator, "entry"), removed(operator, "mp3")) == (1, 1)


def test_what_belongs_to_somebody_stays() -> None:
    world = World()
    key = world.apply(a_conversion())
    operator = live(world)
    world.work(key)
    live(world, operator)
    world.pass_time(days=400)
    swept(world, operator)
    assert (list(world.mp3s), list(world.entries)) == ([MP3_ID], ["uid-media-talk"])


def test_a_round_looks_at_some_and_the_next_goes_on() -> None:
    world = World()
    ids = [an_id(NOW - 10 * DAY + timedelta(seconds=second)) for second in range(450)]
    world.sources = {each: SourceFile(OWNER, 1) for each in ids}
    operator = an_operator(world)
    left = []
    for _ in range(3):
        swept(world, operator)
        left.append(len(world.sources))
    assert left == [250, 50, 0]
