"""What can go wrong, by what happens next; `problems` turns these into answers, `cli` into messages."""


class AuthError(Exception):
    """Base of all errors of this service. The text never holds a secret."""


class MissingCredentials(AuthError):
    """The request says nothing about who wants to log in."""


class MissingToken(AuthError):
    """The request brings no token."""


class MalformedCredentials(AuthError):
    """The Authorization header is not what its scheme asks for."""


class LoginRejected(AuthError):
    """Unknown account, disabled account or wrong password: nobody outside learns which."""


class InvalidToken(AuthError):
    """The token is not ours, not for us, expired, or its account may not log in any more."""


class Throttled(AuthError):
    """Too many logins from there, or for this account: try again in so many seconds."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__(
            f"Too many logins from your address or for this account. Try again in {retry_after_seconds} s."
        )
        self.retry_after_seconds = retry_after_seconds


class Overloaded(AuthError):
    """More logins at once than memory allows: try again in a moment."""


class StoreUnavailable(AuthError):
    """The database is away, too slow, or without its tables: try again later."""


class KeysUnreadable(AuthError):
    """A stored signing key was encrypted with a key that AUTH_KEY_ENCRYPTION_KEY does not hold."""


class AlreadyStored(AuthError):
    """A row with this id exists: someone else was faster, or it was always there."""


class AccountUnknown(AuthError):
    """There is no such account."""


class UnusableInput(AuthError):
    """A person gave an address or a password that cannot be used; the text says why."""
