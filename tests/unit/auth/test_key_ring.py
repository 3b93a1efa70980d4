"""What a process knows of the signing keys: from the first one to the last of an old one."""

import threading
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet, MultiFernet

from tests.unit.auth.builders import POLICY, START, a_fernet, a_ring
from tests.unit.auth.fakes import FakeClock, FakeKeyStore
from video2mp3_auth.errors import KeysUnreadable, StoreUnavailable
from video2mp3_auth.key_rotation import rotate
from video2mp3_auth.signing_keys import new_key


@pytest.fixture
def store() -> FakeKeyStore:
    return FakeKeyStore()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(START)


@pytest.fixture
def fernet() -> MultiFernet:
    return a_fernet()


def test_the_first_key_is_made_on_first_use_and_signs(
    store: FakeKeyStore, clock: FakeClock, fernet: MultiFernet
) -> None:
    ring = a_ring(store, clock, fernet)
    kid, _ = ring.signing()
    assert [key.kid for key in store.keys] == [kid]
    assert set(ring.published()) == {kid}


def test_of_two_replicas_that_start_together_one_makes_the_key(
    store: FakeKeyStore, clock: FakeClock, fernet: MultiFernet
) -> None:
    """The other finds the generation taken and uses what is there."""
    theirs = new_key(fernet, 1, START, START)
    store.before_add = [theirs]
    assert a_ring(store, clock, fernet).signing()[0] == theirs.kid
    assert store.keys == [theirs]


def test_keys_are_read_once_until_they_are_stale(store: FakeKeyStore, clock: FakeClock, fernet: MultiFernet) -> None:
    ring = a_ring(store, clock, fernet, refresh_seconds=30)
    ring.signing()
    reads = store.reads
    clock.advance(seconds=29)
    ring.signing()
    assert store.reads == reads
    clock.advance(seconds=1)
    ring.signing()
    assert store.reads == reads + 1


def test_a_rotation_from_publishing_to_removal(store: FakeKeyStore, clock: FakeClock, fernet: MultiFernet) -> None:
    ring = a_ring(store, clock, fernet)
    old = ring.signing()[0]
    clock.advance(days=1)
    new = rotate(store, fernet, POLICY, clock()).key.kid
    assert (ring.signing()[0], set(ring.published())) == (old, {old, new})

    clock.now += POLICY.activation_delay
    assert (ring.signing()[0], set(ring.published())) == (new, {old, new})
    assert ring.signing_key_age() == timedelta(0)

    clock.now += POLICY.token_lifetime + POLICY.clock_leeway
    assert set(ring.published()) == {new}
    assert [key.kid for key in store.keys] == [new]


def test_an_expired_key_is_not_published_even_before_it_is_removed(
    store: FakeKeyStore, clock: FakeClock, fernet: MultiFernet
) -> None:
    ring = a_ring(store, clock, fernet)
    ring.signing()
    new = rotate(store, fernet, POLICY, clock()).key.kid
    clock.advance(minutes=1)
    ring.signing()
    store.away = True
    clock.advance(days=1)
    assert set(ring.published()) == {new}


def test_a_store_that_only_reads_is_read(store: FakeKeyStore, clock: FakeClock, fernet: MultiFernet) -> None:
    """As after a failover: a new process with an old key to remove finds the keys, and removes it later."""
    old = a_ring(store, clock, fernet).signing()[0]
    new = rotate(store, fernet, POLICY, clock()).key.kid
    clock.advance(days=1)
    store.read_only = True
    ring = a_ring(store, clock, fernet)
    assert (ring.signing()[0], set(ring.published())) == (new, {new})
    assert [key.kid for key in store.keys] == [old, new]
    store.read_only = False
    clock.advance(minutes=1)
    ring.signing()
    assert [key.kid for key in store.keys] == [new]


def test_a_second_rotation_waits_for_the_first(store: FakeKeyStore, clock: FakeClock, fernet: MultiFernet) -> None:
    a_ring(store, clock, fernet).signing()
    first = rotate(store, fernet, POLICY, clock())
    clock.advance(minutes=1)
    second = rotate(store, fernet, POLICY, clock())
    assert (first.added, second.added) == (True, False)
    assert second.key.kid == first.key.kid
    assert len(store.keys) == 2


def test_rotations_at_the_same_moment_are_one(store: FakeKeyStore, clock: FakeClock, fernet: MultiFernet) -> None:
    a_ring(store, clock, fernet).signing()
    theirs = new_key(fernet, 2, clock(), clock() + POLICY.activation_delay)
    store.before_add = [theirs]
    rotation = rotate(store, fernet, POLICY, clock())
    assert (rotation.added, rotation.key) == (False, theirs)


def test_rotating_an_empty_store_makes_the_first_key(
    store: FakeKeyStore, clock: FakeClock, fernet: MultiFernet
) -> None:
    rotation = rotate(store, fernet, POLICY, clock())
    assert rotation.added
    assert a_ring(store, clock, fernet).signing()[0] == rotation.key.kid


def test_rotating_encrypts_old_keys_with_the_first_encryption_key(store: FakeKeyStore, clock: FakeClock) -> None:
    old, new = Fernet(Fernet.generate_key()), Fernet(Fernet.generate_key())
    kid = a_ring(store, clock, MultiFernet([old])).signing()[0]
    rotate(store, MultiFernet([new, old]), POLICY, clock())
    assert a_ring(store, clock, MultiFernet([new])).signing()[0] == kid


def test_known_keys_outlive_the_store(store: FakeKeyStore, clock: FakeClock, fernet: MultiFernet) -> None:
    ring = a_ring(store, clock, fernet)
    kid = ring.signing()[0]
    store.away = True
    clock.advance(hours=1)
    assert ring.signing()[0] == kid
    store.away = False
    rotate(store, fernet, POLICY, clock())
    clock.advance(seconds=5)
    assert len(ring.published()) == 2


def test_without_ever_reading_the_store_there_are_no_keys(
    store: FakeKeyStore, clock: FakeClock, fernet: MultiFernet
) -> None:
    ring = a_ring(store, clock, fernet)
    store.away = True
    with pytest.raises(StoreUnavailable):
        ring.signing()
    assert ring.signing_key_age() is None
    store.away = False
    assert ring.signing()[0]


def test_a_lost_encryption_key_is_said_so(store: FakeKeyStore, clock: FakeClock, fernet: MultiFernet) -> None:
    a_ring(store, clock, fernet).signing()
    with pytest.raises(KeysUnreadable):
        a_ring(store, clock, a_fernet()).signing()


class _SlowStore(FakeKeyStore):
    """A store whose next read lasts until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.slow = False
        self.entered = threading.Event()
        self.go_on = threading.Event()

    def all(self) -> list:
        if self.slow:
            self.entered.set()
            assert self.go_on.wait(10)
        return super().all()


def test_nobody_waits_while_another_thread_refreshes(clock: FakeClock, fernet: MultiFernet) -> None:
    store = _SlowStore()
    ring = a_ring(store, clock, fernet)
    kid = ring.signing()[0]
    clock.advance(minutes=1)
    store.slow = True
    refreshing = threading.Thread(target=ring.signing)
    refreshing.start()
    assert store.entered.wait(10)
    assert ring.signing()[0] == kid
    assert refreshing.is_alive()
    store.go_on.set()
    refreshing.join(10)
