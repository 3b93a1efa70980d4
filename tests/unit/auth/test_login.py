"""Every way to fail does the same work and gives the same answer."""

import pytest

from tests.unit.auth.builders import EMAIL, PASSWORD, an_account, some_guesses
from tests.unit.auth.fakes import FakeAccountStore, FakeHasher
from video2mp3_auth.credentials import Credentials
from video2mp3_auth.errors import LoginRejected
from video2mp3_auth.login import Login, rejection

NETWORK = "192.0.2.0/24"


def a_login(accounts: FakeAccountStore, hasher: FakeHasher) -> Login:
    return Login(accounts, hasher, some_guesses())


def test_the_right_password_gives_the_account() -> None:
    account = an_account()
    assert (
        a_login(FakeAccountStore(account), FakeHasher()).authenticate(Credentials(EMAIL, PASSWORD), NETWORK) == account
    )


FAILURES = {
    "unknown account": (FakeAccountStore(), PASSWORD),
    "wrong password": (FakeAccountStore(an_account()), "wrong"),
    "empty password": (FakeAccountStore(an_account()), ""),
    "disabled account": (FakeAccountStore(an_account(disabled=True)), PASSWORD),
    "disabled account and wrong password": (FakeAccountStore(an_account(disabled=True)), "wrong"),
}


@pytest.mark.parametrize(("store", "password"), FAILURES.values(), ids=FAILURES)
def test_every_failure_costs_one_verification_with_todays_parameters(store: FakeAccountStore, password: str) -> None:
    hasher = FakeHasher()
    login = a_login(store, hasher)
    hasher.work.clear()
    with pytest.raises(LoginRejected) as rejected:
        login.authenticate(Credentials(EMAIL, password), NETWORK)
    assert hasher.work == {"matches": 1}
    assert [verified.partition(":")[0] for verified in hasher.verified] == ["today"]
    assert str(rejected.value) == "The email address or the password is wrong, or the account is disabled."


def test_nobody_knows_the_password_of_the_dummy_hash() -> None:
    hasher = FakeHasher()
    login = a_login(FakeAccountStore(), hasher)
    with pytest.raises(LoginRejected):
        login.authenticate(Credentials(EMAIL, "guess"), NETWORK)
    secret = hasher.verified[0].partition(":")[2]
    with pytest.raises(LoginRejected):
        login.authenticate(Credentials(EMAIL, secret), NETWORK)
    assert len(secret) >= 32


def test_a_hash_with_old_parameters_is_replaced_at_login() -> None:
    store = FakeAccountStore(an_account(parameters="yesterday"))
    a_login(store, FakeHasher()).authenticate(Credentials(EMAIL, PASSWORD), NETWORK)
    assert store.accounts[EMAIL].password_hash == f"today:{PASSWORD}"


def test_a_wrong_password_replaces_no_hash() -> None:
    store = FakeAccountStore(an_account(parameters="yesterday"))
    with pytest.raises(LoginRejected):
        a_login(store, FakeHasher()).authenticate(Credentials(EMAIL, "wrong"), NETWORK)
    assert store.accounts[EMAIL].password_hash == f"yesterday:{PASSWORD}"


class _ChangingStore(FakeAccountStore):
    """Somebody sets a new password just before the old one's hash is replaced."""

    def replace_password_hash(self, email: str, known: str, password_hash: str) -> None:
        self.set_password_hash(email, "today:new password")
        super().replace_password_hash(email, known, password_hash)


def test_replacing_a_hash_never_undoes_a_change_of_password() -> None:
    store = _ChangingStore(an_account(parameters="yesterday"))
    a_login(store, FakeHasher()).authenticate(Credentials(EMAIL, PASSWORD), NETWORK)
    assert store.accounts[EMAIL].password_hash == "today:new password"


def test_a_hash_that_cannot_be_replaced_does_not_stop_the_login() -> None:
    store = FakeAccountStore(an_account(parameters="yesterday"))
    store.away_for_writes = True
    assert a_login(store, FakeHasher()).authenticate(Credentials(EMAIL, PASSWORD), NETWORK).email == EMAIL


def test_reasons_for_the_log() -> None:
    assert rejection(None, matches=True) == "UnknownAccount"
    assert rejection(an_account(), matches=False) == "WrongPassword"
    assert rejection(an_account(disabled=True), matches=False) == "WrongPassword"
    assert rejection(an_account(disabled=True), matches=True) == "AccountDisabled"
    assert rejection(an_account(), matches=True) is None
