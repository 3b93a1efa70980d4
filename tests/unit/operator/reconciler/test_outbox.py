"""Messages that the ledger owes the queue."""

import asyncio

import pytest

from tests.builders import MP3_ID, NOW, OWNER, a_result, an_entry
from tests.unit.operator.fakes import FakePublisher, FakeStore, World
from tests.unit.operator.harness import until
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_operator.ports.errors import UnavailableError
from video2mp3_operator.reconciler.outbox import Outbox, Recipient, message_from

UID = "uid-media-talk"


def an_outbox(world: World) -> Outbox:
    return Outbox(FakePublisher(world), FakeStore(world), world.clock, retry_seconds=0.001)


def owed(entry: LedgerEntry) -> str | None:
    message = message_from(entry, Recipient(OWNER))
    return message.kind if message else None


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (an_entry().entry, None),
        (an_entry().with_result().entry, "succeeded"),
        (an_entry().with_result(published=True).entry, None),
        (an_entry().with_failure().entry, "failed"),
        (an_entry().with_failure(published=True).entry, None),
        (an_entry().with_failure().with_result().entry, "succeeded"),
    ],
)
def test_what_an_entry_owes(entry: LedgerEntry, expected: str | None) -> None:
    assert owed(entry) == expected


def test_a_failed_message_is_made_from_the_ledger_alone() -> None:
    message = message_from(an_entry().with_failure().entry)
    assert message is not None
    assert message.model_dump() == {
        "version": 1,
        "kind": "failed",
        "conversion": {"uid": UID, "namespace": "media", "name": "talk", "request_id": ""},
        "owner": OWNER,
        "email": OWNER,
        "file_id": "",
        "filename": "talk.mp3",
        "size": 0,
        "duration_seconds": 0.0,
        "reason": "NotMedia",
        "message": "No media.",
        "notes": (),
        "expires_at": None,
    }


def test_a_message_tells_the_request_that_made_the_conversion() -> None:
    entry = an_entry().with_failure().entry.model_copy(update={"request_id": "r-1"})

    message = message_from(entry)

    assert message is not None
    assert message.conversion.request_id == "r-1"


def test_the_message_of_a_success_has_the_result_s_notes() -> None:
    result = a_result().model_copy(update={"notes": ("The cover is no picture, so it is left out.",)})
    entry = an_entry().with_result().entry.model_copy(update={"result": result})
    message = message_from(entry, Recipient(OWNER))
    assert message is not None
    assert message.notes == result.notes


def test_the_message_of_a_success_tells_until_when_the_mp3_is_there() -> None:
    message = message_from(an_entry().with_result().entry, Recipient(OWNER, expires_at=NOW))
    assert message is not None
    assert (message.email, message.expires_at) == (OWNER, NOW)


def test_an_mp3_that_was_taken_over_does_not_go_with_who_took_it() -> None:
    entry = an_entry().with_result().entry.model_copy(update={"adopted_from": "uid-before"})
    message = message_from(entry, Recipient(OWNER, expires_at=NOW))
    assert message is not None
    assert message.expires_at is None


def test_what_is_put_twice_is_published_once_and_marked() -> None:
    world = World(entries={UID: an_entry().with_failure().entry})
    outbox = an_outbox(world)
    message = message_from(world.entries[UID])
    assert message is not None
    outbox.put(message)
    outbox.put(message)
    asyncio.run(outbox.flush())
    assert (len(world.queue), len(outbox)) == (1, 0)
    assert world.entries[UID].messages["failed"].published_at == NOW


def test_a_message_that_could_not_be_marked_is_not_published_again_by_this_process() -> None:
    world = World(entries={UID: an_entry().with_failure().entry})
    outbox = an_outbox(world)
    message = message_from(world.entries[UID])
    assert message is not None
    outbox.put(message)
    world.away.add("mongodb")
    with pytest.raises(UnavailableError):
        asyncio.run(outbox.flush())
    outbox.put(message)
    world.away.clear()
    asyncio.run(outbox.flush())
    assert (len(world.queue), len(outbox)) == (1, 0)


def test_it_keeps_trying_while_the_broker_is_away() -> None:
    world = World(entries={UID: an_entry().with_failure().entry}, away={"rabbitmq"})
    outbox = an_outbox(world)
    message = message_from(world.entries[UID])
    assert message is not None

    async def main() -> None:
        outbox.put(message)
        task = asyncio.create_task(outbox.run())
        await until(lambda: world.calls >= 3)
        world.away.clear()
        await until(lambda: not len(outbox))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert len(world.queue) == 1


@pytest.mark.parametrize(
    ("entries", "live", "published", "watched"),
    [
        ({UID: an_entry().with_result().entry}, {UID}, [], {UID}),
        ({UID: an_entry().with_result().entry}, set(), [MP3_ID], set()),
        ({UID: an_entry().with_result(published=True).entry}, set(), [], set()),
        ({}, set(), [], set()),
    ],
    ids=["worker still runs", "worker is gone", "worker published", "entry is gone"],
)
def test_a_watched_result_is_published_when_nobody_else_will(
    entries: dict[str, LedgerEntry], live: set[str], published: list[str], watched: set[str]
) -> None:
    world = World(entries=entries)
    outbox = an_outbox(world)
    outbox.watch(UID)
    outbox.settle({UID}, entries, live, {UID: Recipient(OWNER)})
    asyncio.run(outbox.flush())
    assert [message.file_id for message in world.queue] == published
    assert set(outbox.watched) == watched
