"""Login: from credentials to the account, with the same work done for every way to fail."""

import secrets

import structlog

from video2mp3_auth.credentials import Credentials
from video2mp3_auth.errors import LoginRejected, Overloaded, StoreUnavailable
from video2mp3_auth.guesses import Guesses
from video2mp3_auth.passwords import PasswordHasher
from video2mp3_auth.stores import Account, AccountStore

_log = structlog.get_logger(__name__)


class Login:
    """Checks credentials.

    Each check looks up one account and verifies exactly one hash, made with today's parameters: the account's own, or
    a dummy where there is no account; and it is counted the same way for both. So neither the answer nor its time tells
    which accounts exist. (A hash made with other parameters takes another time, until its owner's next login replaces
    it.)
    """

    def __init__(self, accounts: AccountStore, hasher: PasswordHasher, guesses: Guesses) -> None:
        self._accounts = accounts
        self._hasher = hasher
        self._guesses = guesses
        self._dummy_hash = hasher.hash(secrets.token_urlsafe())

    def authenticate(self, credentials: Credentials, network: str) -> Account:
        """The account whose password this is; raise LoginRejected, Throttled, StoreUnavailable or Overloaded.

        `network` is where the login comes from.
        """
        self._guesses.admit(credentials.email, network)
        account = self._accounts.find(credentials.email)
        password_hash = account.password_hash if account else self._dummy_hash
        matches = self._hasher.matches(password_hash, credentials.password)
        reason = rejection(account, matches=matches)
        self._guesses.conclude(credentials.email, network, rejected=reason is not None)
        if account is None or reason is not None:
            # An address that has no account is not logged: people type passwords into the wrong field.
            _log.info("login_rejected", reason=reason, owner=account.email if account else None)
            raise LoginRejected("The email address or the password is wrong, or the account is disabled.")
        self._rehash(account, credentials.password)
        return account

    def _rehash(self, account: Account, password: str) -> None:
        if not self._hasher.needs_rehash(account.password_hash):
            return
        try:
            new_hash = self._hasher.hash(password)
            self._accounts.replace_password_hash(account.email, account.password_hash, new_hash)
        except (StoreUnavailable, Overloaded) as error:
            # The login itself is fine; the next one tries again.
            _log.warning("rehash_failed", owner=account.email, error=str(error))
        else:
            _log.info("password_rehashed", owner=account.email)


def rejection(account: Account | None, *, matches: bool) -> str | None:
    """Why a login is refused, for the log; None if it is not."""
    if account is None:
        return "UnknownAccount"
    if not matches:
        return "WrongPassword"
    return "AccountDisabled" if account.disabled_at is not None else None
