"""Which key signs, which are published, which can go."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.auth.builders import POLICY, START, a_key
from video2mp3_auth.key_schedule import KeyPolicy, activation_time, next_generation, schedule
from video2mp3_auth.stores import StoredKey

DAY = timedelta(days=1)
LAST_TOKEN = POLICY.token_lifetime + POLICY.clock_leeway
ONE_KEY = [a_key(1, START)]
TWO_KEYS = [a_key(1, START), a_key(2, START + DAY)]
THREE_KEYS = [*TWO_KEYS, a_key(3, START + DAY + timedelta(minutes=15))]
MOMENT = timedelta(microseconds=1)

CASES = {
    # name: (keys, now, signing, published, pending, removable), keys by generation
    "the first key signs at once": (ONE_KEY, START, 1, {1}, None, set()),
    "a key from the future of a slow clock": (ONE_KEY, START - timedelta(seconds=5), 1, {1}, None, set()),
    "an old key goes on signing": (ONE_KEY, START + 1000 * DAY, 1, {1}, None, set()),
    "the next key is published before it signs": (TWO_KEYS, START + DAY - MOMENT, 1, {1, 2}, 2, set()),
    "the next key signs from its time": (TWO_KEYS, START + DAY, 2, {1, 2}, None, set()),
    "the old key stays for its last token": (TWO_KEYS, START + DAY + LAST_TOKEN - MOMENT, 2, {1, 2}, None, set()),
    "the old key goes after its last token": (TWO_KEYS, START + DAY + LAST_TOKEN, 2, {2}, None, {1}),
    "rotations in a row": (THREE_KEYS, START + DAY + timedelta(minutes=20), 3, {1, 2, 3}, None, set()),
    "each goes at its own time": (THREE_KEYS, START + DAY + LAST_TOKEN, 3, {2, 3}, None, {1}),
    "order of rows does not matter": (THREE_KEYS[::-1], START + 2 * DAY, 3, {3}, None, {1, 2}),
}


@pytest.mark.parametrize(("keys", "now", "signing", "published", "pending", "removable"), CASES.values(), ids=CASES)
def test_schedule(
    keys: list[StoredKey],
    now: datetime,
    signing: int,
    published: set[int],
    pending: int | None,
    removable: set[int],
) -> None:
    state = schedule(keys, now, POLICY)
    assert state.signing.generation == signing
    assert {key.generation for key in state.published} == published
    assert (state.pending.generation if state.pending else None) == pending
    assert {key.generation for key in state.removable} == removable


def test_a_key_waits_unless_it_is_the_first() -> None:
    assert activation_time([], START, POLICY) == START
    assert activation_time(ONE_KEY, START, POLICY) == START + POLICY.activation_delay


def test_generations_count_up_even_when_old_ones_are_gone() -> None:
    assert next_generation([]) == 1
    assert next_generation([a_key(7, START), a_key(4, START)]) == 8


def _stored(rotations: list[int], policy: KeyPolicy) -> list[StoredKey]:
    """The keys of rotations at these minutes; one that finds a key waiting adds none."""
    keys: list[StoredKey] = []
    for minute in sorted(rotations):
        now = START + timedelta(minutes=minute)
        if not keys or schedule(keys, now, policy).pending is None:
            keys.append(a_key(next_generation(keys), activation_time(keys, now, policy), now))
    return keys


@given(
    rotations=st.lists(st.integers(0, 600), min_size=1, max_size=12),
    issued=st.integers(0, 900),
    ring_age=st.floats(0, 1),
    token_age=st.floats(0, 1),
    jwks_age=st.floats(0, 1),
)
def test_every_valid_token_verifies_at_a_gateway_with_the_oldest_allowed_keys(
    rotations: list[int], issued: int, ring_age: float, token_age: float, jwks_age: float
) -> None:
    """Whenever keys are rotated: a replica's and the gateway's caches are never too old for a token in its lifetime."""
    refresh, jwks_max_age = timedelta(minutes=1), timedelta(minutes=14)
    keys = _stored(rotations, POLICY)
    signed_at = max(START + timedelta(minutes=issued), keys[0].created_at)
    signer = schedule(_known(keys, signed_at - ring_age * refresh), signed_at, POLICY).signing
    verified_at = signed_at + token_age * POLICY.token_lifetime
    fetched_at = max(verified_at - jwks_age * jwks_max_age, keys[0].created_at)
    served = schedule(_known(keys, fetched_at - ring_age * refresh), fetched_at, POLICY).published
    assert signer in served


def _known(keys: list[StoredKey], moment: datetime) -> list[StoredKey]:
    """What a process that read the store at this moment knows; it has read the first key at least."""
    return [key for key in keys if key.created_at <= moment] or keys[:1]
