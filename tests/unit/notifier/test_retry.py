"""When a message is tried again, as a table."""

from datetime import timedelta

import pytest

from video2mp3_notifier.attempts import CRASHED_HEADER, FAILED_HEADER, WAITED_HEADER, Attempts
from video2mp3_notifier.dispositions import DeadLetter, DeadReason, Outcome, Retry
from video2mp3_notifier.retry import (
    MOST_CRASHES,
    MOST_RETRIES,
    MOST_WAITS,
    after_crash,
    after_failure,
    delay_after,
    while_claimed,
)


@pytest.mark.parametrize(
    ("failed_before", "delay"),
    [(0, 10), (1, 60), (2, 300), (3, 1800), (4, 1800), (MOST_RETRIES - 1, 1800)],
)
def test_the_delay_grows_with_the_failures(failed_before: int, delay: int) -> None:
    verdict = after_failure(Attempts(failed_before, waited=2), "away")
    assert verdict == Retry(Outcome.RETRIED, delay, Attempts(failed_before + 1, waited=2), "away")


def test_a_message_that_always_fails_is_given_up() -> None:
    assert after_failure(Attempts(MOST_RETRIES), "535 bad login") == DeadLetter(
        DeadReason.TRIES_EXHAUSTED, f"{MOST_RETRIES + 1} tries failed, at last: 535 bad login"
    )


def test_a_mail_server_may_be_away_for_a_day() -> None:
    horizon = sum(delay_after(failures) for failures in range(1, MOST_RETRIES + 1))
    assert timedelta(days=1) <= timedelta(seconds=horizon) <= timedelta(days=1, hours=1)


@pytest.mark.parametrize(
    ("remaining", "delay"), [(-5, 10), (0, 10), (9, 10), (10, 10), (59, 10), (60, 60), (299, 60), (300, 300)]
)
def test_a_held_claim_is_waited_for_without_counting_as_a_failure(remaining: int, delay: int) -> None:
    verdict = while_claimed(Attempts(failed=3, waited=1), timedelta(seconds=remaining))
    assert verdict == Retry(
        Outcome.CLAIM_HELD, delay, Attempts(failed=3, waited=2), "another notifier is sending this email"
    )


def test_waits_without_end_become_failures() -> None:
    verdict = while_claimed(Attempts(failed=0, waited=MOST_WAITS), timedelta(seconds=60))
    assert isinstance(verdict, Retry)
    assert verdict.attempts.failed == 1


def test_a_message_that_crashes_the_notifier_has_few_tries_of_its_own() -> None:
    error = ZeroDivisionError("what the message holds")
    assert after_crash(Attempts(failed=40), error) == Retry(
        Outcome.CRASHED, 10, Attempts(failed=40, crashed=1), "the notifier crashed: ZeroDivisionError"
    )
    assert after_crash(Attempts(crashed=MOST_CRASHES - 1), error) == DeadLetter(
        DeadReason.CRASHED, f"{MOST_CRASHES} tries crashed, at last: ZeroDivisionError"
    )


@pytest.mark.parametrize(
    ("headers", "attempts"),
    [
        (None, Attempts()),
        ({}, Attempts()),
        ({FAILED_HEADER: 3, WAITED_HEADER: 1, "x-death": []}, Attempts(3, 1)),
        ({CRASHED_HEADER: 2}, Attempts(crashed=2)),
        ({FAILED_HEADER: -1, WAITED_HEADER: "many"}, Attempts()),
    ],
)
def test_tries_are_read_from_the_headers(headers: dict[str, object] | None, attempts: Attempts) -> None:
    assert Attempts.from_headers(headers) == attempts


def test_tries_travel_in_the_headers() -> None:
    assert Attempts.from_headers(Attempts(4, 7, 2).headers()) == Attempts(4, 7, 2)
