"""The queue's message and its topology."""

import json
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from video2mp3_contracts.messaging import message
from video2mp3_contracts.messaging.message import ConversionFinished, ConversionRef

REF = ConversionRef(uid="u-1", namespace="default", name="talk")


def test_the_body_is_the_documented_json() -> None:
    finished = ConversionFinished(
        kind="succeeded",
        conversion=REF,
        owner="a@example.com",
        email="a@example.com",
        file_id="0123456789abcdef01234567",
        filename="talk.mp3",
        size=1234,
        duration_seconds=61.5,
        notes=("The cover is no picture, so it is left out.",),
        expires_at=datetime(2026, 3, 31, 12, tzinfo=UTC),
    )
    assert json.loads(finished.body()) == {
        "version": 1,
        "kind": "succeeded",
        "conversion": {"uid": "u-1", "namespace": "default", "name": "talk", "requestId": ""},
        "owner": "a@example.com",
        "email": "a@example.com",
        "fileId": "0123456789abcdef01234567",
        "filename": "talk.mp3",
        "bytes": 1234,
        "durationSeconds": 61.5,
        "reason": "",
        "message": "",
        "notes": ["The cover is no picture, so it is left out."],
        "expiresAt": "2026-03-31T12:00:00Z",
    }
    assert finished.message_id == "u-1:succeeded"


def test_log_lines_tell_the_conversion_and_the_request_that_made_it() -> None:
    known = {"namespace": "default", "conversion": "talk", "conversion_uid": "u-1"}

    assert REF.log_fields == known
    assert REF.model_copy(update={"request_id": "r-1"}).log_fields == known | {"request_id": "r-1"}


def test_a_message_survives_its_journey() -> None:
    failed = ConversionFinished(kind="failed", conversion=REF, reason="NoAudio", message="The video has no sound.")
    assert ConversionFinished.model_validate_json(failed.body()) == failed


def test_what_a_newer_publisher_adds_is_passed_over() -> None:
    body = json.loads(ConversionFinished(kind="failed", conversion=REF).body()) | {"colour": "blue"}
    assert ConversionFinished.model_validate(body).conversion == REF


BEFORE_NOTES = b"""{
  "version": 1, "kind": "succeeded", "conversion": {"uid": "u-1", "namespace": "default", "name": "talk"},
  "owner": "a@example.com", "email": "a@example.com", "fileId": "0123456789abcdef01234567", "filename": "talk.mp3",
  "bytes": 1234, "durationSeconds": 61.5, "reason": "Succeeded", "message": "The mp3 is ready."
}"""
"""What a worker publishes that knows neither of notes nor of an end of the mp3's time."""


class RefBeforeNotes(BaseModel):
    """Which Conversion it is about, for the same reader."""

    model_config = ConfigDict(extra="ignore")

    uid: str
    namespace: str
    name: str


class ReaderBeforeNotes(BaseModel):
    """What a notifier reads that knows of no notes: the fields of its time, by their names in JSON."""

    model_config = ConfigDict(extra="ignore")

    version: Literal[1]
    kind: Literal["succeeded", "failed"]
    conversion: RefBeforeNotes
    owner: str
    email: str
    fileId: str  # noqa: N815 - JSON's name
    filename: str
    bytes: int
    durationSeconds: float  # noqa: N815 - JSON's name
    reason: str
    message: str


def test_a_message_from_before_there_were_notes_is_read() -> None:
    read = ConversionFinished.model_validate_json(BEFORE_NOTES)
    assert (read.notes, read.expires_at) == ((), None)


def test_who_knows_of_no_notes_and_no_end_reads_a_message_with_both() -> None:
    old = ConversionFinished.model_validate_json(BEFORE_NOTES)
    notes, end = ("The cover is no picture, so it is left out.",), datetime(2026, 3, 31, 12, tzinfo=UTC)
    read = ReaderBeforeNotes.model_validate_json(old.model_copy(update={"notes": notes, "expires_at": end}).body())
    assert read == ReaderBeforeNotes.model_validate_json(BEFORE_NOTES)


def test_every_queue_is_a_quorum_queue_and_every_retry_returns() -> None:
    queues = {queue.name: queue.arguments for queue in message.QUEUES}
    assert all(arguments["x-queue-type"] == "quorum" for arguments in queues.values())
    for delay in message.RETRY_DELAYS_SECONDS:
        retry = queues[message.retry_queue(delay)]
        assert (retry["x-message-ttl"], retry["x-dead-letter-routing-key"]) == (delay * 1000, message.MP3_QUEUE)
