"""The claims in a real ledger."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from tests.integration.conftest import ON_FERRETDB_TOO
from tests.integration.notifier.stored import Ledger
from tests.servers import MongoDBServer
from tests.unit.notifier.builders import a_message
from video2mp3_contracts.runtime import mongo
from video2mp3_notifier.ledger import LedgerClaims
from video2mp3_notifier.ports import Claimed, ClaimsUnavailableError, Held, Sent

pytestmark = ON_FERRETDB_TOO

LEASE = timedelta(seconds=60)
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
MESSAGE = a_message().build()
FAILED = a_message().failed("NoAudio", "It has no sound.").build()


@pytest.fixture
def claims(mongodb: MongoDBServer) -> Iterator[LedgerClaims]:
    """Claims as a notifier makes them."""
    with mongo.connect(mongodb.uri_of("notifier"), "test") as client:
        yield LedgerClaims(mongo.ledger(client), LEASE)


def claimed(claims: LedgerClaims, now: datetime = NOW) -> Claimed:
    """A claim that must succeed."""
    claim = claims.claim(MESSAGE, now)
    assert isinstance(claim, Claimed)
    return claim


def test_a_claim_keeps_others_out_until_its_lease_is_over(claims: LedgerClaims, ledger: Ledger) -> None:
    ledger.add(MESSAGE)
    first = claimed(claims)
    assert claims.claim(MESSAGE, NOW + LEASE / 2) == Held(NOW + LEASE)
    second = claimed(claims, NOW + LEASE + timedelta(seconds=1))
    assert second.token != first.token
    assert not claims.mark_sent(MESSAGE, first, NOW), "the first one's claim is gone"


def test_only_one_of_many_gets_it(claims: LedgerClaims) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: claims.claim(MESSAGE, NOW), range(32)))
    assert len([answer for answer in answers if isinstance(answer, Claimed)]) == 1
    assert len([answer for answer in answers if isinstance(answer, Held)]) == 31


def test_what_is_sent_stays_sent(claims: LedgerClaims) -> None:
    assert claims.mark_sent(MESSAGE, claimed(claims), NOW)
    assert claims.claim(MESSAGE, NOW + 100 * LEASE) == Sent()
    assert isinstance(claims.claim(FAILED, NOW), Claimed), "the other kind of message has an email of its own"


def test_what_is_released_can_be_claimed_at_once(claims: LedgerClaims) -> None:
    claims.release(MESSAGE, claimed(claims))
    claimed(claims)


def test_a_claim_that_is_not_ours_cannot_be_released(claims: LedgerClaims) -> None:
    claimed(claims)
    claims.release(MESSAGE, Claimed("somebody else's", NOW))
    assert isinstance(claims.claim(MESSAGE, NOW), Held)


def test_an_entry_that_was_there_is_not_marked_for_removal(claims: LedgerClaims, ledger: Ledger) -> None:
    ledger.add(MESSAGE)
    claimed(claims)
    entry = ledger.collection.find_one({"_id": MESSAGE.conversion.uid})
    assert entry is not None
    assert "orphanedAt" not in entry
    assert entry["owner"] == "ada@example.org"


def test_a_ledger_that_is_away_says_so(
    claims: LedgerClaims, mongodb: MongoDBServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = claimed(claims)
    monkeypatch.setattr(mongo, "MOVE_SECONDS", 1)
    mongodb.stop()
    for step in (
        lambda: claims.claim(FAILED, NOW),
        lambda: claims.release(MESSAGE, claim),
        lambda: claims.mark_sent(MESSAGE, claim, NOW),
    ):
        with pytest.raises(ClaimsUnavailableError):
            step()
    mongodb.start()
