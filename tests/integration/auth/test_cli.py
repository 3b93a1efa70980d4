"""The command `video2mp3-auth` on a real database."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import jwt
import pytest

from tests.integration.auth.conftest import AuthService
from tests.servers import DatabaseServer

EMAIL = "someone@example.com"


@pytest.fixture
def cli(make_service: Callable[..., AuthService]) -> AuthService:
    """The command line; no service runs."""
    return make_service()


def _logs_in(service: AuthService, password: str) -> bool:
    return service.login(EMAIL, password).status_code == 200


def test_a_generated_password_is_all_that_goes_to_standard_output(service: AuthService) -> None:
    done = service.command("create-account", EMAIL)
    assert done.returncode == 0
    assert _logs_in(service, done.stdout.removesuffix("\n"))


def test_a_password_from_standard_input_and_its_change(service: AuthService) -> None:
    made = service.command("create-account", "Someone@Example.com", "--password-stdin", input="pass word 1\n")
    assert (made.returncode, made.stdout) == (0, "")
    assert _logs_in(service, "pass word 1")
    changed = service.command("set-password", EMAIL, "--password-stdin", input="pass word 2")
    assert changed.returncode == 0
    assert not _logs_in(service, "pass word 1")
    assert _logs_in(service, "pass word 2")


def test_errors_are_one_line_and_exit_1(cli: AuthService) -> None:
    cli.an_account(EMAIL, "correct horse")
    for arguments, expected in (
        (("create-account", EMAIL), "someone@example.com has an account already"),
        (("create-account", "nobody"), "is not an email address"),
        (("disable-account", "x@example.com"), "There is no account x@example.com."),
        (("ensure-account",), "Set AUTH_FIRST_ACCOUNT_EMAIL and AUTH_FIRST_ACCOUNT_PASSWORD."),
    ):
        done = cli.command(*arguments)
        assert (done.returncode, done.stdout) == (1, "")
        assert expected in done.stderr
        assert done.stderr.startswith("error: ")
        assert done.stderr.count("\n") == 1


def test_a_short_password_is_refused(cli: AuthService) -> None:
    done = cli.command("create-account", EMAIL, "--password-stdin", input="short\n")
    assert done.returncode == 1
    assert "at least 8" in done.stderr
    assert cli.command("list-accounts").stdout.count("\n") == 1


def test_wrong_settings_are_named_without_their_value(make_service: Callable[..., AuthService]) -> None:
    done = make_service(AUTH_DATABASE_URL="hunter2", AUTH_ARGON2_TIME_COST="0").command("list-accounts")
    assert done.returncode == 1
    assert "AUTH_DATABASE_URL: " in done.stderr
    assert "AUTH_ARGON2_TIME_COST: " in done.stderr
    assert "hunter2" not in done.stderr


def test_the_first_account_is_made_once_and_then_left_alone(service: AuthService) -> None:
    first = {"AUTH_FIRST_ACCOUNT_EMAIL": EMAIL, "AUTH_FIRST_ACCOUNT_PASSWORD": "first password"}
    assert service.command("ensure-account", environment=first).returncode == 0
    assert _logs_in(service, "first password")
    service.command("set-password", EMAIL, "--password-stdin", input="second password")
    again = service.command("ensure-account", environment=first)
    assert (again.returncode, again.stderr) == (0, "The account exists; nothing was changed.\n")
    assert _logs_in(service, "second password")


def test_ensure_account_waits_for_a_database_that_is_starting(
    make_service: Callable[..., AuthService], database: DatabaseServer
) -> None:
    cli = make_service(AUTH_FIRST_ACCOUNT_EMAIL=EMAIL, AUTH_FIRST_ACCOUNT_PASSWORD="first password")
    database.stop()
    with ThreadPoolExecutor(1) as background:
        waiting = background.submit(cli.command, "ensure-account")
        database.start()
        assert waiting.result().returncode == 0
    assert EMAIL in cli.command("list-accounts").stdout


def test_ensure_account_gives_up_after_its_time(
    make_service: Callable[..., AuthService], database: DatabaseServer
) -> None:
    cli = make_service(
        AUTH_FIRST_ACCOUNT_EMAIL=EMAIL, AUTH_FIRST_ACCOUNT_PASSWORD="first password", AUTH_DATABASE_WAIT_SECONDS="1"
    )
    database.stop()
    done = cli.command("ensure-account")
    assert done.returncode == 1
    assert "error: The database does not answer" in done.stderr


def test_rotating_twice_is_one_rotation(cli: AuthService) -> None:
    for expected in ("A new key signs now", "A new key is published and signs from", "No key was added"):
        done = cli.command("rotate-keys")
        assert done.returncode == 0
        assert expected in done.stderr


def test_what_was_dumped_is_put_back_in_the_place_of_what_is_there(service: AuthService) -> None:
    service.an_account(EMAIL, "correct horse")
    service.an_account("left@example.com", "correct horse")
    service.command("disable-account", "left@example.com")
    token = service.login(EMAIL, "correct horse").text
    dump, before = service.command("dump"), service.command("list-accounts").stdout
    assert dump.returncode == 0
    assert set(json.loads(dump.stdout)) == {"accounts", "signing_keys"}, "counts of wrong passwords stay out"
    # Another installation, with an account and a key of its own.
    service.command("set-password", EMAIL, "--password-stdin", input="battery staple")
    service.command("enable-account", "left@example.com")
    service.an_account("new@example.com", "correct horse")
    service.command("rotate-keys")
    done = service.command("load", input=dump.stdout)
    assert (done.returncode, done.stderr) == (0, "3 rows were put back. Restart auth now.\n")
    assert service.command("list-accounts").stdout == before
    assert service.command("dump").stdout == dump.stdout
    service.stop()
    service.start()
    assert _logs_in(service, "correct horse")
    keys = {key["kid"] for key in service.get("/.well-known/jwks.json").json()["keys"]}
    assert jwt.get_unverified_header(token)["kid"] in keys


@pytest.mark.parametrize("cut", [0, 1, 100], ids=["nothing", "a brace", "the middle"])
def test_a_dump_that_was_cut_short_changes_nothing(cli: AuthService, cut: int) -> None:
    cli.an_account(EMAIL, "correct horse")
    dump = cli.command("dump").stdout
    done = cli.command("load", input=dump[:cut])
    assert (done.returncode, done.stderr.count("Nothing was changed.")) == (1, 1)
    assert cli.command("dump").stdout == dump


def test_what_is_no_dump_changes_nothing(cli: AuthService) -> None:
    for text in ("[]", "{}", '{"accounts": [{}], "signing_keys": []}', "-- SQL"):
        assert cli.command("load", input=text).returncode == 1
