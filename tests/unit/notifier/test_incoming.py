"""Which bodies are messages."""

import json

import pytest

from tests.unit.notifier.builders import a_message
from video2mp3_notifier.dispositions import DeadReason
from video2mp3_notifier.incoming import UnreadableMessageError, about, read_message

GOOD = json.loads(a_message().build().body())


def test_log_lines_tell_what_a_message_is_about() -> None:
    message = a_message().build()

    assert about(message.body()) == {"namespace": "media", "conversion": "talk", "conversion_uid": "4f6c"}
    assert about(b"no JSON") == {}


def test_a_message_is_read() -> None:
    assert read_message(a_message().build().body()) == a_message().build()


def test_a_field_of_a_newer_minor_version_is_passed_over() -> None:
    assert read_message(json.dumps(GOOD | {"colour": "blue"}).encode()) == a_message().build()


@pytest.mark.parametrize(
    ("body", "reason", "why"),
    [
        (b"", DeadReason.MALFORMED, "not JSON"),
        (b"\xff\xfe", DeadReason.MALFORMED, "not JSON"),
        (b"[" * 100_000, DeadReason.MALFORMED, "not JSON"),
        (b"[1]", DeadReason.MALFORMED, "not a JSON object"),
        (b"{}", DeadReason.MALFORMED, "kind: Field required"),
        (json.dumps(GOOD | {"version": 2}).encode(), DeadReason.UNKNOWN_VERSION, "only version 1"),
        (json.dumps(GOOD | {"version": "1"}).encode(), DeadReason.UNKNOWN_VERSION, "only version 1"),
        (json.dumps(GOOD | {"kind": "paused"}).encode(), DeadReason.MALFORMED, "kind"),
        (json.dumps(GOOD | {"bytes": -1}).encode(), DeadReason.MALFORMED, "bytes"),
        (json.dumps(GOOD | {"durationSeconds": float("inf")}).encode(), DeadReason.MALFORMED, "durationSeconds"),
        (json.dumps(GOOD | {"expiresAt": "2026-03-31T12:00:00"}).encode(), DeadReason.MALFORMED, "expiresAt"),
        (json.dumps(GOOD | {"fileId": "../../etc/passwd"}).encode(), DeadReason.MALFORMED, "fileId: not a file id"),
        (json.dumps(GOOD | {"conversion": {"uid": "u"}}).encode(), DeadReason.MALFORMED, "conversion.namespace"),
    ],
)
def test_anything_else_is_refused_with_the_field_s_name(body: bytes, reason: DeadReason, why: str) -> None:
    with pytest.raises(UnreadableMessageError, match=why) as error:
        read_message(body)
    assert error.value.reason is reason


def test_contents_do_not_reach_the_reason() -> None:
    with pytest.raises(UnreadableMessageError) as error:
        read_message(json.dumps(GOOD | {"kind": "a secret"}).encode())
    assert "a secret" not in str(error.value)
