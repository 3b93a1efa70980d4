"""⑨ The notifier with mail servers of every kind: what it does is what their row says, and one email is one email.

The table of all of them stands at the end of the run.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.integration.notifier.process import LEASE
from tests.integration.notifier.providers import PROPERTY, ROWS, Does, Row
from tests.integration.notifier.stored import Ledger
from tests.integration.notifier.strict_reader import read_emails
from tests.servers import MailsinkServer
from tests.unit.notifier.builders import FILE_ID, a_message
from video2mp3_contracts.messaging.message import ConversionFinished
from video2mp3_mailsink.behaviour import Mode
from video2mp3_notifier.attempts import Attempts
from video2mp3_notifier.compose import Composer
from video2mp3_notifier.dispositions import DeadLetter, DeadReason, Disposition, Done, Outcome, Retry
from video2mp3_notifier.ledger import LedgerClaims
from video2mp3_notifier.notify import Notify
from video2mp3_notifier.retry import MOST_RETRIES, delay_after
from video2mp3_notifier.smtp import MailServer, SmtpMailer

COMPOSER = Composer('"Vidéo, to mp3" <noreply@example.org>', "https://mp3.example.org")
NAME = "Où être né à Évreux, 日本 🎵.mp3"
ALERTS = Path(__file__).parents[3] / "charts/video2mp3/templates/metrics/prometheusrule.yaml"


@dataclass
class Clock:
    """The real time, put forward by what was waited."""

    waited: timedelta = timedelta()

    def __call__(self) -> datetime:
        """Tell the time."""
        return datetime.now(UTC) + self.waited


@dataclass
class Telling:
    """One message, handled until it is done or given up. The waits are skipped, and the middle of a day of them."""

    notify: Notify
    message: ConversionFinished
    clock: Clock
    after_first: Callable[[], None]
    attempts: int = 0
    outcomes: set[Outcome] = field(default_factory=set)
    longest: float = 0.0
    """Seconds of the longest try."""

    def run(self) -> Done | DeadLetter:
        """How it ends."""
        attempts = Attempts()
        while isinstance(verdict := self._handled(attempts), Retry):
            self.outcomes.add(verdict.outcome)
            self.clock.waited += timedelta(seconds=verdict.delay_seconds)
            attempts = verdict.attempts
            if attempts.failed == 1:
                self.after_first()
            if attempts.failed == 2:
                attempts = self._late(attempts)
        return verdict

    def _handled(self, attempts: Attempts) -> Disposition:
        began = time.monotonic()
        verdict = self.notify.handle(self.message.body(), attempts)
        self.longest = max(self.longest, time.monotonic() - began)
        self.attempts = attempts.failed + 1
        return verdict

    def _late(self, attempts: Attempts) -> Attempts:
        """Before the last retry but one."""
        late = replace(attempts, failed=MOST_RETRIES - 1)
        skipped = range(attempts.failed + 1, late.failed + 1)
        self.clock.waited += timedelta(seconds=sum(map(delay_after, skipped)))
        return late


def does(end: Done | DeadLetter, told: Telling) -> str:
    """What the notifier did, in the words of the rows."""
    match end:
        case Done(Outcome.SENT):
            assert told.outcomes <= {Outcome.RETRIED}
            return Does.RETRIED if told.outcomes else Does.SENT
        case DeadLetter(DeadReason.TRIES_EXHAUSTED):
            assert timedelta(hours=24) <= told.clock.waited <= timedelta(hours=25)
            [outcome] = told.outcomes
            return f"tried for a day, {alert_of(outcome)}"
        case DeadLetter(reason) if not told.outcomes:
            return f"given up at once: {reason}"
    raise AssertionError(f"nobody expects this: {end}")


def check_why(end: Done | DeadLetter, row: Row) -> None:
    """Who looks at a dead letter reads what the server said, without the address."""
    if isinstance(end, DeadLetter):
        assert row.recipient not in end.why
        said = row.treatment.reply.partition("\r\n")[0][len("550 ") :]
        assert said.replace(row.recipient, "the recipient") in end.why


def alert_of(outcome: Outcome) -> str:
    """The chart's alert that such an outcome raises."""
    alerts = re.findall(r"- alert: (\w+)\n +expr: (.*)", ALERTS.read_text())
    [name] = [name for name, expression in alerts if f'outcome="{outcome}"}}[30m])) > 0' in expression]
    return str(name)


def check_email(content: bytes, row: Row) -> str:
    """Read it by Python's parser and by the strict one, which agree; return its Message-ID."""
    email = message_from_bytes(content, policy=policy.SMTP)
    [read] = read_emails([content])
    strict = dict(read.fields)
    assert not [part.defects for part in email.walk() if part.defects]
    assert [(name.lower(), str(value)) for name, value in email.items()] == [
        (name, text if name != "from" else str(email["from"])) for name, text in read.fields
    ]
    assert strict["subject"] == f"Your mp3 is ready: {NAME}"
    assert strict["from"] == "Vidéo, to mp3 <noreply@example.org>"
    assert strict["to"] == row.at
    assert (body(email, "plain"), body(email, "html")) == (read.text, read.html)
    assert f"\n  {NAME}\n" in read.text
    assert f"https://mp3.example.org/download?fid={FILE_ID}" in read.html
    check_octets(content, row)
    return strict["message-id"]


def body(email: EmailMessage, subtype: str) -> str:
    """One of its texts."""
    part = email.get_body((subtype,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def check_octets(content: bytes, row: Row) -> None:
    """What RFC 5321 and 5322 ask of every line, and that only an address that needs it is beyond ASCII."""
    lines = content.split(b"\r\n")
    assert lines.pop() == b""
    assert not [line for line in lines if b"\r" in line or b"\n" in line or len(line) > 78]
    assert content.isascii() or row.at in next(line.decode() for line in lines if line.startswith(b"To:"))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_the_notifier_does_what_the_row_says(
    row: Row,
    server: MailServer,
    mailsink: MailsinkServer,
    ledger: Ledger,
    record_property: Callable[[str, object], None],
) -> None:
    clock, message = Clock(), a_message().named(NAME).to(row.recipient).build()
    if row.tls_first:
        server = replace(server, port=mailsink.smtps_port, tls_first=True)
    notify = Notify(LedgerClaims(ledger.collection, LEASE), SmtpMailer(server, clock), COMPOSER.compose, clock)
    told = Telling(notify, message, clock, lambda: mailsink.behave(Mode.ACCEPT) if row.mended else None)
    mailsink.behave(row.treatment)

    end = told.run()

    arrived = mailsink.messages()
    did = does(end, told)
    record_property(PROPERTY, f"{row.title} | {did} | {told.attempts} | {len(arrived)}")
    assert (did, len(arrived)) == (row.does, row.arrives)
    check_why(end, row)
    assert told.longest < LEASE.total_seconds(), "another notifier would have taken it over"
    assert [email["to"] for email in arrived] == [[row.at]] * row.arrives
    assert len({check_email(content, row) for content in mailsink.contents()}) <= 1, "copies can be told as such"
    state = ledger.state(message)
    assert (state.sent_at is not None) == (row.arrives > 0)
    assert state.sent_at is not None or state.claim_token is None, "the claim was given back"


def test_every_row_is_another_one() -> None:
    assert len({row.title for row in ROWS}) == len(ROWS)
