"""The commands on accounts, on fakes."""

import pytest

from tests.unit.auth.builders import EMAIL, PASSWORD, POLICY, START, a_key, an_account
from tests.unit.auth.fakes import FakeAccountStore, FakeHasher
from video2mp3_auth.cli import main
from video2mp3_auth.commands import Accounts, rotation_line, usable_email
from video2mp3_auth.errors import AccountUnknown, UnusableInput
from video2mp3_auth.key_rotation import Rotation


def commands(*accounts) -> tuple[Accounts, FakeAccountStore]:
    store = FakeAccountStore(*accounts)
    return Accounts(store, FakeHasher()), store


def test_create() -> None:
    accounts, store = commands()
    accounts.create(" Someone@Example.com", PASSWORD, START)
    assert store.accounts == {EMAIL: an_account()}


def test_an_account_is_made_once() -> None:
    accounts, store = commands(an_account())
    with pytest.raises(UnusableInput, match="has an account already"):
        accounts.create("SOMEONE@example.com", "another password", START)
    assert store.accounts[EMAIL] == an_account()


@pytest.mark.parametrize(
    "email", ["", "me", "@example.com", "a b@example.com", "a@b@c", "a:b@example.com", "a@-", "a\n@b"]
)
def test_what_is_no_address_gets_no_account(email: str) -> None:
    accounts, store = commands()
    with pytest.raises(UnusableInput, match="is not an email address"):
        accounts.create(email, PASSWORD, START)
    assert not store.accounts


def test_an_address_has_a_longest_length() -> None:
    with pytest.raises(UnusableInput, match="at most 254"):
        usable_email("a" * 250 + "@example.com")


@pytest.mark.parametrize("email", ["a@corp.local", "jos\u00e9@example.com", "a+b@example.com", "a@b\u00fccher.example"])
def test_addresses_inside_a_company_and_in_any_script_are_fine(email: str) -> None:
    assert usable_email(email) == email


def test_ensure_makes_the_account_once_and_leaves_a_changed_password() -> None:
    accounts, store = commands()
    assert accounts.ensure(EMAIL, PASSWORD, START)
    accounts.set_password(EMAIL, "another password")
    accounts.disable(EMAIL, START)
    assert not accounts.ensure(EMAIL, PASSWORD, START)
    assert store.accounts[EMAIL].password_hash == "today:another password"
    assert store.accounts[EMAIL].disabled_at == START


class _RacingStore(FakeAccountStore):
    """Another process makes the account just before we do."""

    def find(self, email: str) -> None:
        self.accounts[email] = an_account(password="theirs")
        return


def test_ensure_twice_at_the_same_moment_makes_one() -> None:
    store = _RacingStore()
    assert not Accounts(store, FakeHasher()).ensure(EMAIL, PASSWORD, START)
    assert store.accounts[EMAIL].password_hash == "today:theirs"


def test_disable_and_enable() -> None:
    accounts, store = commands(an_account())
    accounts.disable(EMAIL.upper(), START)
    assert store.accounts[EMAIL].disabled_at == START
    accounts.disable(EMAIL, START.replace(year=2030))
    assert store.accounts[EMAIL].disabled_at == START
    accounts.enable(EMAIL)
    assert store.accounts[EMAIL].disabled_at is None


def test_commands_on_nobody_say_so() -> None:
    accounts, _ = commands()
    for command in (
        lambda: accounts.disable("x@example.com", START),
        lambda: accounts.enable("x@example.com"),
        lambda: accounts.set_password("x@example.com", PASSWORD),
    ):
        with pytest.raises(AccountUnknown, match="There is no account x@"):
            command()


def test_a_short_password_is_refused() -> None:
    accounts, store = commands(an_account())
    with pytest.raises(UnusableInput):
        accounts.set_password(EMAIL, "short")
    assert store.accounts[EMAIL] == an_account()


def test_the_list_shows_state_and_no_hash() -> None:
    accounts, _ = commands(an_account("b@example.com", disabled=True), an_account("a@example.com"))
    lines = list(accounts.lines())
    assert [line.split()[:2] for line in lines] == [
        ["EMAIL", "STATE"],
        ["a@example.com", "enabled"],
        ["b@example.com", "disabled"],
    ]
    assert PASSWORD not in "".join(lines)


def test_what_a_rotation_says() -> None:
    waiting = a_key(2, START + POLICY.activation_delay)
    assert rotation_line(Rotation(waiting, added=True), START) == (
        "A new key is published and signs from 2026-01-01 00:15:00Z: kid-2."
    )
    assert rotation_line(Rotation(waiting, added=False), START).startswith("No key was added")
    assert rotation_line(Rotation(a_key(1, START), added=True), START) == "A new key signs now: kid-1."


@pytest.mark.parametrize(
    "command",
    ["", "create-account", "set-password", "disable-account", "enable-account", "list-accounts", "ensure-account",
     "rotate-keys"],
)  # fmt: skip
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command.split(), "--help"])
    assert ended.value.code == 0
    assert "usage: video2mp3-auth" in capsys.readouterr().out


def test_no_command_takes_a_password_as_an_argument() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["create-account", EMAIL, PASSWORD])
    assert ended.value.code == 2
