"""argon2id, and what a new password must be."""

import threading

import pytest

from video2mp3_auth import passwords
from video2mp3_auth.errors import Overloaded, UnusableInput
from video2mp3_auth.passwords import Argon2Hasher, generate_password, usable_password

SMALL = {"memory_kib": 64, "time_cost": 1, "concurrency": 2}


def test_a_hash_is_argon2id_with_the_given_parameters_and_matches_its_password_only() -> None:
    hasher = Argon2Hasher(**SMALL)
    password_hash = hasher.hash("correct horse")
    assert password_hash.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert hasher.matches(password_hash, "correct horse")
    assert not hasher.matches(password_hash, "correct hors")
    assert password_hash != hasher.hash("correct horse")


@pytest.mark.parametrize("unreadable", ["", "plain", "$argon2id$v=19$m=64,t=1,p=1$x"])
def test_an_unreadable_hash_matches_nothing(unreadable: str) -> None:
    assert not Argon2Hasher(**SMALL).matches(unreadable, "plain")


def test_other_parameters_call_for_a_new_hash() -> None:
    password_hash = Argon2Hasher(**SMALL).hash("correct horse")
    assert not Argon2Hasher(**SMALL).needs_rehash(password_hash)
    assert Argon2Hasher(**(SMALL | {"time_cost": 2})).needs_rehash(password_hash)


def test_no_more_run_at_once_than_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    """With every place taken, the next waits a bounded time and is then sent away; a free place is used again."""
    monkeypatch.setattr(passwords, "_LONGEST_WAIT_SECONDS", 0.01)
    hasher = Argon2Hasher(**SMALL)
    inside, go_on = threading.Barrier(3), threading.Event()

    def occupy() -> None:
        with hasher._place():
            inside.wait(10)
            assert go_on.wait(10)

    threads = [threading.Thread(target=occupy) for _ in range(2)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    with pytest.raises(Overloaded):
        hasher.hash("correct horse")
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert hasher.hash("correct horse")


@pytest.mark.parametrize(
    ("text", "why"),
    [("short", "at least 8"), ("x" * 1025, "at most 1024"), ("é" * 513, "at most 1024"), ("correct\nhorse", "control")],
)
def test_passwords_that_may_not_be_set(text: str, why: str) -> None:
    with pytest.raises(UnusableInput, match=why):
        usable_password(text)


def test_generated_passwords_are_usable_and_differ() -> None:
    assert usable_password(generate_password()) != generate_password()
