"""⑨ What the SMTP adapter does within a claim's lease, and what it makes of half an answer."""

import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.integration.notifier.process import LEASE
from tests.integration.notifier.scripted import ScriptedServer
from tests.integration.notifier.test_smtp import an_email, now
from video2mp3_localcluster.node.pki import create_self_signed
from video2mp3_mailsink.tls import server_context
from video2mp3_notifier.ports import MailNotSentError, MailRefusedError
from video2mp3_notifier.smtp import MailServer, SmtpMailer, TimeLimits, tls_context

UNKNOWN = b"502 not known\r\n"
SHORT = TimeLimits(opening=timedelta(seconds=20), step=timedelta(seconds=0.5))
CLEAR = MailServer("localhost", 0, TimeLimits.within(LEASE))
LOGIN = {"username": "video2mp3", "password": "secret"}
SECURITY = ("clear", "STARTTLS", "465")


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    """A folder with the server's certificate and key."""
    create_self_signed(tmp_path, "tls", "localhost")
    return tmp_path


def scripted(pair: Path, security: str = "clear", **changes: object) -> ScriptedServer:
    """A server that speaks first in TLS where that is asked for."""
    tls = server_context(pair)
    assert tls is not None
    return ScriptedServer(tls, tls_first=security == "465", **changes)


def send(server: ScriptedServer, pair: Path, security: str, mail_server: MailServer) -> list[str]:
    """Send; the commands until the lease was looked at."""
    opening: list[str] = []

    def look() -> datetime:
        opening.extend(server.asked)
        return datetime.now(UTC)

    tls = None if security == "clear" else tls_context(pair / "tls.crt")
    with server.running():
        found = replace(mail_server, port=server.port, tls=tls, tls_first=security == "465")
        SmtpMailer(found, look).send(an_email(), claimed_at=now())
    return opening


@pytest.mark.parametrize(
    ("security", "login", "answers"),
    [
        ("clear", {}, {}),
        ("clear", {}, {"EHLO": UNKNOWN}),
        ("clear", LOGIN, {}),
        ("STARTTLS", {}, {}),
        ("STARTTLS", {}, {"EHLO over TLS": UNKNOWN}),
        ("STARTTLS", LOGIN, {}),
        ("465", {}, {}),
        ("465", {}, {"EHLO": UNKNOWN}),
        ("465", LOGIN, {}),
    ],
)
def test_the_lease_outlasts_every_session(
    pair: Path, security: str, login: dict[str, str], answers: dict[str, bytes]
) -> None:
    """What follows the look at the lease is the same for all: no hello is among it."""
    server = scripted(pair, security, answers=answers)

    opening = send(server, pair, security, replace(CLEAR, **login))

    steps = [command for command in server.asked[len(opening) :] if command != "QUIT"]
    assert steps == ["MAIL", "RCPT", "DATA", "."]
    the_email_itself = 1
    assert CLEAR.limits.opening + (len(steps) + the_email_itself) * CLEAR.limits.step < LEASE


@pytest.mark.parametrize(("at", "steps"), [("RCPT", ["MAIL", "RCPT"]), (".", ["MAIL", "RCPT", "DATA", "."])])
def test_a_refusal_costs_no_further_step(pair: Path, at: str, steps: list[str]) -> None:
    server = scripted(
        pair,
        answers={
            at: b"550 5.1.1 no such user\r\n",
        },
    )
    with pytest.raises(MailRefusedError):
        send(server, pair, "clear", replace(CLEAR, limits=SHORT))
    assert server.asked == ["EHLO", *steps]


@pytest.mark.parametrize("hangs_up", [False, True], ids=["in-time", "hung-up"])
@pytest.mark.parametrize("security", SECURITY)
@pytest.mark.parametrize(
    ("at", "half"),
    [("RCPT", b"501 "), ("RCPT", b"553 5"), ("RCPT", b"550 No such user"), (".", b"554 5.6.0"), (".", b"25")],
)
def test_half_a_refusal_is_none(pair: Path, at: str, half: bytes, security: str, hangs_up: bool) -> None:
    """`501 4.` and `553 5.7.1` may have been on their way."""
    server = scripted(pair, security, answers={at: half}, hangs_up=hangs_up)
    with pytest.raises(MailNotSentError) as error:
        send(server, pair, security, replace(CLEAR, limits=SHORT))
    assert type(error.value) is MailNotSentError


@pytest.mark.parametrize("hangs_up", [False, True], ids=["in-time", "hung-up"])
@pytest.mark.parametrize("security", SECURITY)
def test_half_a_yes_to_the_email_is_one(pair: Path, security: str, hangs_up: bool) -> None:
    """Its code is there, and a second try would be a second email."""
    server = scripted(pair, security, answers={".": b"250 2.0.0 queu"}, hangs_up=hangs_up)
    send(server, pair, security, replace(CLEAR, limits=SHORT))
    assert "." in server.asked


def test_hanging_up_leaves_tls_to_who_reads(pair: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`SSLSocket.shutdown` takes it from under the reader, which then raises ValueError."""
    taken: list[int] = []
    monkeypatch.setattr(ssl.SSLSocket, "shutdown", lambda _socket, how: taken.append(how))
    server = scripted(pair, "465", answers={"MAIL": b"250-"})
    with pytest.raises(MailNotSentError, match="not complete in time"):
        send(server, pair, "465", replace(CLEAR, limits=SHORT))
    assert taken == []
