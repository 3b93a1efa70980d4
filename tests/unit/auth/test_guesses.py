"""Few guesses from one network, more from all; the owner gets in beside them."""

from datetime import timedelta

import pytest

from tests.unit.auth.builders import EMAIL, START
from tests.unit.auth.fakes import FakeClock, FakeTallyStore
from video2mp3_auth.errors import StoreUnavailable, Throttled
from video2mp3_auth.guesses import (
    Guesses,
    Limit,
    Limits,
    Standing,
    after_rejection,
    after_success,
    refused_until,
)
from video2mp3_auth.stores import Tally

WINDOW, LONGER = timedelta(minutes=5), timedelta(hours=1)
LIMITS = Limits(per_network=Limit(2, WINDOW), per_account=Limit(5, LONGER))
SOON, LATER = START + WINDOW, START + LONGER
HOME, STRANGER = "192.0.2.0/24", "198.51.100.0/24"
NONE = Tally(0, START)
KNOWN = Tally(0, START, START + timedelta(days=1))

REFUSED = {
    "nothing happened": (Standing(NONE, NONE), None),
    "one left in the network": (Standing(Tally(1, LATER), Tally(1, SOON)), None),
    "none left in the network": (Standing(Tally(2, LATER), Tally(2, SOON)), SOON),
    "the network's window is over": (Standing(Tally(2, LATER), Tally(2, START)), None),
    "one left in all": (Standing(Tally(4, LATER), NONE), None),
    "none left in all": (Standing(Tally(5, LATER), NONE), LATER),
    "none left in all, the owner's network": (Standing(Tally(5, LATER), KNOWN), None),
    "none left in all, the owner was there long ago": (Standing(Tally(5, LATER), Tally(0, START, START)), LATER),
    "none left in the owner's network": (Standing(NONE, Tally(2, SOON, KNOWN.known_until)), SOON),
    "all windows are over": (Standing(Tally(9, START), Tally(9, START)), None),
}


@pytest.mark.parametrize(("standing", "until"), REFUSED.values(), ids=REFUSED)
def test_until_when_a_login_is_refused(standing: Standing, until: object) -> None:
    assert refused_until(standing, LIMITS, START) == until


def test_a_rejection_begins_a_window_and_later_ones_do_not_move_its_end() -> None:
    once = after_rejection(Standing(NONE, KNOWN), LIMITS, START)
    assert once == Standing(Tally(1, LATER), Tally(1, SOON, KNOWN.known_until))
    twice = after_rejection(once, LIMITS, START + timedelta(minutes=1))
    assert twice == Standing(Tally(2, LATER), Tally(2, SOON, KNOWN.known_until))
    assert after_rejection(twice, LIMITS, SOON).network == Tally(1, SOON + WINDOW, KNOWN.known_until)


def test_a_success_makes_the_network_known_and_forgives_nothing() -> None:
    standing = Standing(Tally(1, LATER), Tally(1, SOON))
    assert after_success(standing, START) == Standing(Tally(1, LATER), Tally(1, SOON, START + timedelta(days=30)))


@pytest.fixture
def store() -> FakeTallyStore:
    return FakeTallyStore()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def guesses(store: FakeTallyStore, clock: FakeClock) -> Guesses:
    return Guesses(store, LIMITS, clock)


def reject(guesses: Guesses, network: str, times: int = 1, email: str = EMAIL) -> None:
    for _ in range(times):
        guesses.admit(email, network)
        guesses.conclude(email, network, rejected=True)


def test_a_stranger_is_out_after_a_few_and_the_owner_elsewhere_is_in(guesses: Guesses, clock: FakeClock) -> None:
    reject(guesses, STRANGER, 2)
    clock.advance(seconds=60.5)
    with pytest.raises(Throttled) as throttled:
        guesses.admit(EMAIL, STRANGER)
    assert throttled.value.retry_after_seconds == 240
    guesses.admit(EMAIL, HOME)
    guesses.conclude(EMAIL, HOME, rejected=False)
    guesses.admit("other@example.com", STRANGER)
    clock.advance(minutes=5)
    guesses.admit(EMAIL, STRANGER)


def test_many_networks_together_are_bounded_but_not_the_owners_own(guesses: Guesses) -> None:
    guesses.conclude(EMAIL, HOME, rejected=False)
    for host in range(5):
        reject(guesses, f"203.0.{host}.0/24")
    with pytest.raises(Throttled):
        guesses.admit(EMAIL, STRANGER)
    guesses.admit(EMAIL, HOME)
    guesses.conclude(EMAIL, HOME, rejected=False)


@pytest.mark.parametrize("rejected", [True, False], ids=["wrong", "right"])
def test_of_guesses_at_one_time_no_more_than_the_limit_learn_how_they_ended(guesses: Guesses, rejected: bool) -> None:
    for _ in range(3):
        guesses.admit(EMAIL, STRANGER)
    for _ in range(2):
        guesses.conclude(EMAIL, STRANGER, rejected=True)
    with pytest.raises(Throttled):
        guesses.conclude(EMAIL, STRANGER, rejected=rejected)


def test_right_passwords_are_never_too_many(guesses: Guesses) -> None:
    for _ in range(20):
        guesses.admit(EMAIL, HOME)
        guesses.conclude(EMAIL, HOME, rejected=False)


@pytest.mark.parametrize("rejected", [True, False], ids=["wrong", "right"])
def test_a_store_that_cannot_be_written_tells_nobody_how_a_guess_ended(
    guesses: Guesses, store: FakeTallyStore, rejected: bool
) -> None:
    store.read_only = True
    guesses.admit(EMAIL, STRANGER)
    with pytest.raises(StoreUnavailable):
        guesses.conclude(EMAIL, STRANGER, rejected=rejected)


def test_what_expired_is_removed_a_few_at_a_time(guesses: Guesses, store: FakeTallyStore, clock: FakeClock) -> None:
    for name in range(15):
        reject(guesses, STRANGER, email=f"{name}@example.com")
    assert len(store.tallies) == 30
    clock.advance(hours=2)
    for left in (22, 12, 2, 2):
        reject(guesses, HOME, email="someone-else@example.com")
        clock.advance(hours=2)
        assert len(store.tallies) == left


def test_what_cannot_be_removed_does_not_stop_a_login(guesses: Guesses, store: FakeTallyStore) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("away")

    store.forget = away
    guesses.conclude(EMAIL, HOME, rejected=False)
    assert store.changes == 1


def test_nothing_stored_names_an_account_or_a_network(guesses: Guesses, store: FakeTallyStore) -> None:
    reject(guesses, STRANGER, email="x" * 10_000)
    assert {len(key) for key in store.tallies} == {64}
