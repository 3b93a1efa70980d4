"""The command `video2mp3-auth`: accounts, signing keys and their backup, for whoever runs the installation."""

import argparse
import getpass
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import ValidationError

from video2mp3_auth import backup, bootstrap
from video2mp3_auth.commands import Accounts, rotation_line
from video2mp3_auth.errors import AuthError, StoreUnavailable, UnusableInput
from video2mp3_auth.key_rotation import rotate
from video2mp3_auth.passwords import generate_password
from video2mp3_auth.settings import AuthSettings
from video2mp3_contracts.api.validation_errors import of_variables
from video2mp3_contracts.runtime.logs import configure_logging

T = TypeVar("T")
Command = Callable[[AuthSettings, argparse.Namespace], None]

PASSWORD_VARIABLE = "AUTH_ACCOUNT_PASSWORD"  # noqa: S105 - a variable's name
_PAUSE_SECONDS = 2.0
_PASSWORD_HELP = (
    f"The password is read from standard input with --password-stdin, else from the variable {PASSWORD_VARIABLE}; "
    "without either one is generated and printed once. It is never an argument, which everybody on the machine sees."
)
_ENSURE_HELP = (
    "From AUTH_FIRST_ACCOUNT_EMAIL and AUTH_FIRST_ACCOUNT_PASSWORD; waits for a database that is starting. "
    "An account that exists keeps its password and its state."
)
_ROTATE_HELP = (
    "The new key is published at once and signs when every gateway knows it; old ones go by themselves. "
    "All keys are encrypted with the first key of AUTH_KEY_ENCRYPTION_KEY."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; answers the exit code: 0 done, 1 not done (standard error says why), 2 wrong usage."""
    parsed = _parser().parse_args(arguments)
    configure_logging("auth", level="WARNING")
    try:
        parsed.command(AuthSettings(), parsed)
    except ValidationError as error:
        return _fail(of_variables(error, "AUTH_"))
    except AuthError as error:
        return _fail(str(error))
    return 0


def _create_account(settings: AuthSettings, parsed: argparse.Namespace) -> None:
    password, generated = _password(parsed)
    account = _accounts(settings).create(parsed.email, password, bootstrap.now())
    _say(f"Created the account {account.email}.")
    _print_generated(password, generated)


def _set_password(settings: AuthSettings, parsed: argparse.Namespace) -> None:
    password, generated = _password(parsed)
    _accounts(settings).set_password(parsed.email, password)
    _say("The password is changed. Tokens that exist go on working until they expire.")
    _print_generated(password, generated)


def _disable_account(settings: AuthSettings, parsed: argparse.Namespace) -> None:
    _accounts(settings).disable(parsed.email, bootstrap.now())
    _say(f"Disabled. Tokens that exist go on working for at most {settings.token_lifetime_seconds} s.")


def _enable_account(settings: AuthSettings, parsed: argparse.Namespace) -> None:
    _accounts(settings).enable(parsed.email)
    _say("Enabled.")


def _list_accounts(settings: AuthSettings, _parsed: argparse.Namespace) -> None:
    sys.stdout.writelines(f"{line}\n" for line in _accounts(settings).lines())


def _ensure_account(settings: AuthSettings, _parsed: argparse.Namespace) -> None:
    if not settings.first_account_email or settings.first_account_password is None:
        raise UnusableInput("Set AUTH_FIRST_ACCOUNT_EMAIL and AUTH_FIRST_ACCOUNT_PASSWORD.")
    email, password = settings.first_account_email, settings.first_account_password.get_secret_value()
    accounts = _accounts(settings)
    made = _patiently(lambda: accounts.ensure(email, password, bootstrap.now()), settings.database_wait_seconds)
    _say("Created the first account." if made else "The account exists; nothing was changed.")


def _rotate_keys(settings: AuthSettings, _parsed: argparse.Namespace) -> None:
    now = bootstrap.now()
    store = bootstrap.key_store(bootstrap.engine(settings))
    rotation = rotate(store, settings.fernet, bootstrap.key_policy(settings), now)
    _say("All signing keys are encrypted with the first key of AUTH_KEY_ENCRYPTION_KEY.")
    _say(rotation_line(rotation, now))


def _dump(settings: AuthSettings, _parsed: argparse.Namespace) -> None:
    sys.stdout.write(f"{backup.dump(bootstrap.engine(settings))}\n")


def _load(settings: AuthSettings, _parsed: argparse.Namespace) -> None:
    # All of it is read first: `kubectl exec --stdin` would wait for ever for somebody to.
    _say(f"{backup.load(bootstrap.engine(settings), sys.stdin.buffer.read())} rows were put back. Restart auth now.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="video2mp3-auth",
        description="Accounts and signing keys of video2mp3.",
        epilog="The database and its keys come from the variables AUTH_…, as for the service: run it in its pod.",
    )
    add = _CommandAdder(parser)
    for name, command, summary in (
        ("create-account", _create_account, "Make an account."),
        ("set-password", _set_password, "Replace an account's password."),
    ):
        sub = add(name, command, summary, _PASSWORD_HELP)
        _add_email(sub)
        sub.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
    _add_email(add("disable-account", _disable_account, "Refuse an account's further logins."))
    _add_email(add("enable-account", _enable_account, "Accept a disabled account's logins again."))
    add("list-accounts", _list_accounts, "Print all accounts.")
    add("ensure-account", _ensure_account, "Make the first account, unless it exists.", _ENSURE_HELP)
    add("rotate-keys", _rotate_keys, "Add the next signing key, re-encrypt all keys.", _ROTATE_HELP)
    add("dump", _dump, "Write all accounts and signing keys to standard output.")
    add("load", _load, "Put back what `dump` wrote, from standard input, in the place of all that is there.")
    return parser


class _CommandAdder:
    """Adds commands to a parser; `command` of what it parses is the function to call."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def __call__(self, name: str, command: Command, summary: str, more: str = "") -> argparse.ArgumentParser:
        sub = self._commands.add_parser(name, help=summary, description=f"{summary} {more}".strip())
        sub.set_defaults(command=command)
        return sub


def _add_email(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("email", metavar="EMAIL", help="the account's email address")


def _accounts(settings: AuthSettings) -> Accounts:
    return Accounts(bootstrap.account_store(bootstrap.engine(settings)), bootstrap.hasher(settings))


def _password(parsed: argparse.Namespace) -> tuple[str, bool]:
    """The password, and whether it was generated."""
    if parsed.password_stdin:
        if sys.stdin.isatty():
            return getpass.getpass(), False
        try:
            return sys.stdin.read().removesuffix("\n").removesuffix("\r"), False
        except UnicodeDecodeError as error:
            raise UnusableInput("The password on standard input is not UTF-8.") from error
    given = os.environ.get(PASSWORD_VARIABLE)
    return (given, False) if given else (generate_password(), True)


def _print_generated(password: str, generated: bool) -> None:
    if generated:
        _say("Its password, which is shown only now:")
        sys.stdout.write(f"{password}\n")


def _patiently(work: Callable[[], T], seconds: float) -> T:
    """The work's result, tried again while the database is away, for at most `seconds` and one try."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return work()
        except StoreUnavailable as error:
            if time.monotonic() >= deadline:
                raise
            _say(f"{error} Trying again for {deadline - time.monotonic():.0f} s.")
            time.sleep(_PAUSE_SECONDS)


def _say(line: str) -> None:
    """To standard error: standard output is for what another program might read."""
    sys.stderr.write(f"{line}\n")


def _fail(message: str) -> int:
    sys.stderr.write(f"error: {message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
