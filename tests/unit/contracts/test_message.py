"""The queue's message and its topology."""

import json

from video2mp3_contracts import message
from video2mp3_contracts.message import ConversionFinished, ConversionRef

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
    )
    assert json.loads(finished.body()) == {
        "version": 1,
        "kind": "succeeded",
        "conversion": {"uid": "u-1", "namespace": "default", "name": "talk"},
        "owner": "a@example.com",
        "email": "a@example.com",
        "fileId": "0123456789abcdef01234567",
        "filename": "talk.mp3",
        "bytes": 1234,
        "durationSeconds": 61.5,
        "reason": "",
        "message": "",
    }
    assert finished.message_id == "u-1:succeeded"


def test_a_message_survives_its_journey() -> None:
    failed = ConversionFinished(kind="failed", conversion=REF, reason="NoAudio", message="The video has no sound.")
    assert ConversionFinished.model_validate_json(failed.body()) == failed


def test_what_a_newer_publisher_adds_is_passed_over() -> None:
    body = json.loads(ConversionFinished(kind="failed", conversion=REF).body()) | {"colour": "blue"}
    assert ConversionFinished.model_validate(body).conversion == REF


def test_every_queue_is_a_quorum_queue_and_every_retry_returns() -> None:
    queues = {queue.name: queue.arguments for queue in message.QUEUES}
    assert all(arguments["x-queue-type"] == "quorum" for arguments in queues.values())
    for delay in message.RETRY_DELAYS_SECONDS:
        retry = queues[message.retry_queue(delay)]
        assert (retry["x-message-ttl"], retry["x-dead-letter-routing-key"]) == (delay * 1000, message.MP3_QUEUE)
