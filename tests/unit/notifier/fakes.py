"""A ledger and a mail server in memory, with the same rules as the real ones."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from video2mp3_contracts.messaging.message import ConversionFinished
from video2mp3_notifier.ports import Claimed, ClaimsUnavailableError, Email, Held, Sent

START = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


@dataclass
class FakeClock:
    """A clock that a test moves."""

    time: datetime = START

    def __call__(self) -> datetime:
        """Tell the time."""
        return self.time

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.time += by


@dataclass
class _Entry:
    token: str | None = None
    until: datetime | None = None
    sent: bool = False


@dataclass
class FakeClaims:
    """Claims by message id; `away` makes every call fail, `away_for` only that many."""

    lease: timedelta
    entries: dict[str, _Entry] = field(default_factory=dict)
    away: bool = False
    away_for: int = 0
    made: int = 0

    def claim(self, message: ConversionFinished, now: datetime) -> Claimed | Held | Sent:
        """As the ledger does it."""
        self._answer()
        entry = self.entries.setdefault(message.message_id, _Entry())
        if entry.sent:
            return Sent()
        if entry.until is not None and entry.until >= now:
            return Held(entry.until)
        self.made += 1
        entry.token, entry.until = f"token-{self.made}", now + self.lease
        return Claimed(entry.token, now)

    def release(self, message: ConversionFinished, claim: Claimed) -> None:
        """As the ledger does it."""
        self._answer()
        entry = self.entries[message.message_id]
        if entry.token == claim.token and not entry.sent:
            entry.token = entry.until = None

    def mark_sent(self, message: ConversionFinished, claim: Claimed, now: datetime) -> bool:
        """As the ledger does it."""
        self._answer()
        entry = self.entries.get(message.message_id)
        if entry is None or entry.token != claim.token:
            return False
        entry.sent = True
        return True

    def _answer(self) -> None:
        if self.away_for:
            self.away_for -= 1
            raise ClaimsUnavailableError("the ledger did not answer")
        if self.away:
            raise ClaimsUnavailableError("the ledger did not answer")


@dataclass
class FakeMailer:
    """Keeps what it is given; `error` is raised instead, `on_send` happens just before."""

    error: Exception | None = None
    on_send: Callable[[], None] | None = None
    emails: list[Email] = field(default_factory=list)

    def send(self, email: Email, claimed_at: datetime) -> None:
        """Accept or fail."""
        if self.on_send is not None:
            self.on_send()
        if self.error is not None:
            raise self.error
        self.emails.append(email)
