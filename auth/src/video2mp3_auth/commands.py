"""What `video2mp3-auth` does, on ports: one function a command, each answers the lines to print."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from video2mp3_auth.credentials import LONGEST_EMAIL, normalise_email
from video2mp3_auth.errors import AccountUnknown, AlreadyStored, UnusableInput
from video2mp3_auth.key_rotation import Rotation
from video2mp3_auth.passwords import PasswordHasher, usable_password
from video2mp3_auth.stores import Account, AccountStore
from video2mp3_contracts.text.address import InvalidAddressError, parse_address
from video2mp3_contracts.text.harm import harmless


@dataclass(frozen=True)
class Accounts:
    """The commands on accounts."""

    store: AccountStore
    hasher: PasswordHasher

    def create(self, email: str, password: str, now: datetime) -> Account:
        """Make an account; raise UnusableInput if the address has one."""
        account = Account(usable_email(email), self.hasher.hash(usable_password(password)), now)
        try:
            self.store.add(account)
        except AlreadyStored as error:
            raise UnusableInput(f"{account.email} has an account already; see set-password.") from error
        return account

    def ensure(self, email: str, password: str, now: datetime) -> bool:
        """Make an account unless there is one, whose password and state are left alone. True if it was made."""
        address = usable_email(email)
        if self.store.find(address) is not None:
            return False
        try:
            self.store.add(Account(address, self.hasher.hash(usable_password(password)), now))
        except AlreadyStored:
            return False
        return True

    def set_password(self, email: str, password: str) -> None:
        """Replace an account's password."""
        password_hash = self.hasher.hash(usable_password(password))
        self._found(email, self.store.set_password_hash(normalise_email(email), password_hash))

    def disable(self, email: str, now: datetime) -> None:
        """Refuse further logins. One that is disabled stays disabled since it was."""
        address = normalise_email(email)
        account = self.store.find(address)
        if account is None or account.disabled_at is None:
            self._found(email, self.store.set_disabled_at(address, now))

    def enable(self, email: str) -> None:
        """Accept logins again."""
        self._found(email, self.store.set_disabled_at(normalise_email(email), None))

    def lines(self) -> Iterable[str]:
        """A table of all accounts."""
        yield f"{'EMAIL':<40} {'STATE':<8} CREATED"
        for account in self.store.all():
            state = "disabled" if account.disabled_at else "enabled"
            yield f"{account.email:<40} {state:<8} {account.created_at:%Y-%m-%d %H:%M:%S}Z"

    def _found(self, email: str, found: bool) -> None:
        if not found:
            raise AccountUnknown(f"There is no account {normalise_email(email)}.")


def usable_email(text: str) -> str:
    """The normalised form of a new account's address; raise UnusableInput if it may not be one."""
    email = normalise_email(text)
    if len(email) > LONGEST_EMAIL:
        raise UnusableInput(f"An email address has at most {LONGEST_EMAIL} characters.")
    try:
        # The domain need not exist on the internet: an installation may serve one company's network.
        parse_address(email)
    except InvalidAddressError as error:
        raise UnusableInput(f"{harmless(email)!r} is {error}.") from error
    return email


def rotation_line(rotation: Rotation, now: datetime) -> str:
    """What a rotation came to, for the person who ran it."""
    key = rotation.key
    what = "A new key" if rotation.added else "No key was added: one that was added before"
    if key.activates_at <= now:
        return f"{what} signs now: {key.kid}."
    return f"{what} is published and signs from {key.activates_at:%Y-%m-%d %H:%M:%S}Z: {key.kid}."
