"""What becomes of a message: every way it can go, with a crash between any two steps."""

from dataclasses import dataclass, field
from datetime import timedelta
from email import message_from_bytes

import pytest

from tests.unit.notifier.builders import MessageBuilder, a_message
from tests.unit.notifier.fakes import FakeClaims, FakeClock, FakeMailer
from video2mp3_notifier.attempts import Attempts
from video2mp3_notifier.compose import Composer
from video2mp3_notifier.dispositions import DeadLetter, DeadReason, Disposition, Done, Outcome, Retry
from video2mp3_notifier.notify import Notify
from video2mp3_notifier.ports import MailNotSentError, MailRefusedError
from video2mp3_notifier.retry import MOST_RETRIES

LEASE = timedelta(seconds=300)
COMPOSER = Composer("noreply@example.org", "https://mp3.example.org")


class Crash(BaseException):
    """The process ends here."""


@dataclass
class World:
    """The outside, and a notifier in it."""

    clock: FakeClock = field(default_factory=FakeClock)
    claims: FakeClaims = field(default_factory=lambda: FakeClaims(LEASE))
    mailer: FakeMailer = field(default_factory=FakeMailer)

    def handle(self, message: MessageBuilder | None = None, attempts: Attempts | None = None) -> Disposition:
        """Let a notifier handle the message."""
        notify = Notify(self.claims, self.mailer, COMPOSER.compose, self.clock)
        return notify.handle((message or a_message()).build().body(), attempts or Attempts())


def test_the_email_is_sent_to_the_address() -> None:
    world = World()
    assert world.handle() == Done(Outcome.SENT)
    assert [str(email.recipient) for email in world.mailer.emails] == ["ada@example.org"]


def test_a_duplicate_sends_nothing() -> None:
    world = World()
    world.handle()
    assert world.handle() == Done(Outcome.ALREADY_SENT)
    assert len(world.mailer.emails) == 1


def test_success_and_failure_of_one_conversion_are_two_emails() -> None:
    world = World()
    assert world.handle() == Done(Outcome.SENT)
    assert world.handle(a_message().failed("NoAudio", "It has no sound.")) == Done(Outcome.SENT)
    assert len(world.mailer.emails) == 2


def test_nobody_to_tell() -> None:
    world = World()
    assert world.handle(a_message().to("")) == Done(Outcome.NO_ADDRESS)
    assert not world.claims.entries


@pytest.mark.parametrize(
    ("body", "reason"), [(b"nonsense", DeadReason.MALFORMED), (b'{"version": 7}', DeadReason.UNKNOWN_VERSION)]
)
def test_a_body_that_cannot_be_read_is_given_up_at_once(body: bytes, reason: DeadReason) -> None:
    world = World()
    verdict = Notify(world.claims, world.mailer, COMPOSER.compose, world.clock).handle(body, Attempts())
    assert isinstance(verdict, DeadLetter)
    assert verdict.reason is reason


def test_an_address_that_is_none_is_given_up_before_the_claim() -> None:
    world = World()
    verdict = world.handle(a_message().to("eve@example.com,ada@example.org"))
    assert isinstance(verdict, DeadLetter)
    assert verdict.reason is DeadReason.INVALID_ADDRESS
    assert not world.claims.entries


def test_a_mail_server_that_is_away_is_tried_again_and_the_claim_given_back() -> None:
    world = World(mailer=FakeMailer(error=MailNotSentError("connection refused")))
    assert world.handle(attempts=Attempts(failed=1)) == Retry(
        Outcome.RETRIED, 60, Attempts(failed=2), "connection refused"
    )
    world.mailer.error = None
    assert world.handle() == Done(Outcome.SENT)


def test_a_refusal_is_given_up_at_once() -> None:
    world = World(mailer=FakeMailer(error=MailRefusedError("550 no such user")))
    assert world.handle() == DeadLetter(DeadReason.REFUSED, "550 no such user")


def test_the_last_try_gives_up_with_the_last_reason() -> None:
    world = World(mailer=FakeMailer(error=MailNotSentError("connection refused")))
    verdict = world.handle(attempts=Attempts(failed=MOST_RETRIES))
    assert isinstance(verdict, DeadLetter)
    assert verdict.reason is DeadReason.TRIES_EXHAUSTED
    assert "connection refused" in verdict.why


def test_without_the_ledger_nothing_is_sent() -> None:
    world = World(claims=FakeClaims(LEASE, away=True))
    verdict = world.handle()
    assert isinstance(verdict, Retry)
    assert verdict.outcome is Outcome.RETRIED
    assert not world.mailer.emails


def test_when_the_claim_cannot_be_given_back_it_runs_out() -> None:
    world = World()
    world.mailer = FakeMailer(error=MailNotSentError("away"), on_send=lambda: setattr(world.claims, "away", True))
    assert isinstance(world.handle(), Retry)
    world.claims.away, world.mailer = False, FakeMailer()
    assert world.handle() == Retry(
        Outcome.CLAIM_HELD, 300, Attempts(waited=1), "another notifier is sending this email"
    )
    world.clock.advance(LEASE + timedelta(seconds=1))
    assert world.handle() == Done(Outcome.SENT)


def test_a_crash_before_the_email_is_accepted_leaves_it_to_the_next_after_the_lease() -> None:
    world = World()

    def crash() -> None:
        raise Crash

    world.mailer.on_send = crash
    with pytest.raises(Crash):
        world.handle()
    world.mailer.on_send = None
    world.clock.advance(timedelta(seconds=100))
    assert world.handle() == Retry(Outcome.CLAIM_HELD, 60, Attempts(waited=1), "another notifier is sending this email")
    world.clock.advance(timedelta(seconds=201))
    assert world.handle() == Done(Outcome.SENT)
    assert len(world.mailer.emails) == 1


def test_a_crash_after_the_mark_sends_nothing_more() -> None:
    world = World()
    world.handle()  # and the acknowledgement is lost
    world.clock.advance(timedelta(days=1))
    assert world.handle() == Done(Outcome.ALREADY_SENT)


def test_two_copies_that_had_to_be_sent_carry_one_message_id() -> None:
    world = World()
    world.handle()
    world.claims.entries.clear()  # the crash that no order of steps avoids: accepted, but not marked
    world.handle()
    assert len({message_from_bytes(email.content)["Message-ID"] for email in world.mailer.emails}) == 1


def test_an_email_that_is_out_is_done_even_when_the_ledger_goes_away() -> None:
    world = World()
    world.mailer.on_send = lambda: setattr(world.claims, "away", True)
    assert world.handle() == Done(Outcome.SENT)


def test_a_ledger_that_is_away_for_a_moment_is_told_all_the_same() -> None:
    world = World()
    world.mailer.on_send = lambda: setattr(world.claims, "away_for", 2)
    assert world.handle() == Done(Outcome.SENT)
    assert world.handle() == Done(Outcome.ALREADY_SENT)


def test_a_conversion_deleted_meanwhile_is_told_of_all_the_same() -> None:
    world = World()
    world.mailer.on_send = world.claims.entries.clear
    assert world.handle() == Done(Outcome.SENT)
