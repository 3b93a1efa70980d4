"""⑥⑦ The worker as a process: real MongoDB protocol, real RabbitMQ, real ffmpeg."""

import hashlib
import json
from pathlib import Path

import pytest
from mutagen.id3 import ID3

from tests.integration.conftest import ON_FERRETDB_TOO
from tests.integration.worker import without_landlock
from tests.integration.worker.installation import CONVERSION, OWNER, Installation
from tests.integration.worker.samples import Samples, duration, loudness
from video2mp3_contracts.api.conversion import GridFSSource, Source
from video2mp3_contracts.api.output import AudioTrack, Encoding, Loudness, Output, Trim
from video2mp3_contracts.api.tags import Tags
from video2mp3_contracts.jobs.exit_codes import ExitCode
from video2mp3_contracts.jobs.worker import WorkerLimits
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Converter


def progressing(entry: dict) -> bool:
    return bool(entry.get("progress", {}).get("processedSeconds"))


def nothing_stored(installation: Installation) -> bool:
    return installation.mp3s() == [] and installation.stray_chunks() == 0 and installation.messages() == []


def test_a_video_becomes_a_stored_and_announced_mp3(installation: Installation, samples: Samples) -> None:
    request = installation.request(installation.upload(samples.clip()))

    ended = installation.run(request)

    assert (ended.code, ended.words["reason"]) == (0, "Succeeded"), ended.log
    mp3, entry = installation.mp3(), installation.entry()
    (stored,) = installation.mp3s()
    content = mp3.read_bytes()
    assert duration(mp3) == pytest.approx(10, abs=0.1)
    assert ID3(mp3)["TIT2"].text == ["Ein Käfer"]
    assert ID3(mp3).version == (2, 3, 0)
    assert stored["filename"] == "film.mp3"
    assert stored["metadata"]["owner"] == OWNER
    assert stored["metadata"]["conversionUid"] == CONVERSION.uid
    assert stored["metadata"]["sha256"] == hashlib.sha256(content).hexdigest() == entry["result"]["sha256"]
    assert entry["result"]["fileId"] == str(stored["_id"])
    assert entry["result"]["bytes"] == len(content)
    assert entry["result"]["durationSeconds"] == pytest.approx(10, abs=0.1)
    ((properties, message),) = installation.messages()
    assert properties.message_id == f"{CONVERSION.uid}:succeeded"
    assert properties.delivery_mode == 2
    assert (message["fileId"], message["email"]) == (str(stored["_id"]), OWNER)
    assert entry["messages"]["succeeded"]["publishedAt"]


def test_the_options_are_obeyed(installation: Installation, samples: Samples) -> None:
    output = Output(
        encoding=Encoding(cbr=64),
        sample_rate=22050,
        channels="stereo",
        trim=Trim(start=2, end="00:00:05.5"),
        audio_track=AudioTrack(language="de"),
        tags=Tags(title="Ζωή", comment="zwei\u2028Zeilen"),
    )

    ended = installation.run(installation.request(installation.upload(samples.clip()), output=output))

    assert ended.code == 0, ended.log
    mp3 = installation.mp3()
    assert duration(mp3) == pytest.approx(3.5, abs=0.1)
    assert ID3(mp3)["TIT2"].text == ["Ζωή"]
    assert installation.entry()["result"]["encoding"] == "CBR 64 kbit/s, 22050 Hz, stereo"


@pytest.mark.parametrize("wanted", [-30.0, -20.0])
def test_the_loudness_is_reached(samples: Samples, tmp_path: Path, wanted: float) -> None:
    output = Output(loudness=Loudness(integrated_lufs=wanted), trim=Trim(start=1))

    mp3 = Converter(Stop()).convert(LocalSource.whole(samples.clip()), tmp_path / "output.mp3", output)

    assert loudness(mp3.file) == pytest.approx(wanted, abs=0.5)
    assert mp3.duration_seconds == pytest.approx(9, abs=0.1)


@pytest.mark.parametrize("index_first", [True, False])
def test_of_a_large_video_only_the_sound_is_read(
    installation: Installation, samples: Samples, tmp_path: Path, index_first: bool
) -> None:
    """And the mp3 is the one of the whole file."""
    video = samples.camera(index_first=index_first)
    whole = Converter(Stop()).convert(LocalSource.whole(video), tmp_path / "whole.mp3", Output())

    ended = installation.run(installation.request(installation.upload(video)))

    assert ended.code == 0, ended.log
    assert installation.entry()["result"]["sha256"] == whole.sha256
    (fetched,) = [line for line in map(json.loads, ended.log.splitlines()) if line["event"] == "source_at_hand"]
    assert fetched["size"] == video.stat().st_size
    assert fetched["fetched"] < 0.25 * video.stat().st_size


@pytest.mark.parametrize(
    ("kind", "code", "reason"),
    [
        ("silent film", 65, "NoAudio"),
        ("index cut off", 65, "Truncated"),
        ("media cut off", 65, "Truncated"),
        ("encrypted", 65, "Encrypted"),
        ("empty", 65, "EmptySource"),
        ("text", 65, "NotMedia"),
        ("noise", 65, "NotMedia"),
    ],
)
def test_a_source_that_cannot_become_an_mp3_is_refused_with_a_sentence(
    installation: Installation, samples: Samples, kind: str, code: int, reason: str
) -> None:
    content = {
        "silent film": samples.silent_film,
        "index cut off": lambda: samples.cut_at(samples.clip(), 0.5),
        "media cut off": lambda: samples.cut_at(samples.index_first(), 0.5),
        "encrypted": samples.encrypted,
        "empty": lambda: b"",
        "text": lambda: b"Dear diary, " * 100,
        "noise": lambda: hashlib.shake_256(b"noise").digest(50_000),
    }[kind]()

    ended = installation.run(installation.request(installation.upload(content)))

    assert (ended.code, ended.words["exitCode"], ended.words["reason"]) == (code, code, reason), ended.log
    assert ended.words["message"].endswith(".")
    assert installation.entry()["error"]["reason"] == reason
    assert nothing_stored(installation)


@pytest.mark.parametrize(
    ("request_changes", "upload_changes", "code", "reason"),
    [
        ({"source": Source(gridfs=GridFSSource(file_id="0" * 24))}, {}, 66, "SourceNotFound"),
        ({}, {"owner": "eve@example.org"}, 64, "OwnerMismatch"),
        ({"source": Source(url="https://example.org/film.mp4")}, {}, 64, "SourceNotAllowed"),
        ({"limits": WorkerLimits(max_source_bytes=1000)}, {}, 65, "TooLarge"),
        ({"limits": WorkerLimits(max_duration_seconds=5)}, {}, 65, "TooLong"),
        ({"limits": WorkerLimits(max_output_bytes=10_000)}, {}, 65, "LimitExceeded"),
        ({"output": Output(audio_track=AudioTrack(index=3))}, {}, 64, "BadRequest"),
        ({"output": Output(audio_track=AudioTrack(language="fr"))}, {}, 64, "BadRequest"),
        ({"output": Output(trim=Trim(start=60))}, {}, 64, "BadRequest"),
        ({}, {"sha256": "0" * 64}, 65, "Truncated"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_with_a_sentence(
    installation: Installation, samples: Samples, request_changes: dict, upload_changes: dict, code: int, reason: str
) -> None:
    file_id = installation.upload(samples.clip(), **upload_changes)

    ended = installation.run(installation.request(file_id, **request_changes))

    assert (ended.code, ended.words["reason"]) == (code, reason), ended.log
    assert nothing_stored(installation)


def test_an_environment_without_sense_is_refused_without_telling_its_secrets(installation: Installation) -> None:
    request = installation.request("0" * 24)

    ended = installation.run(request, {"WORKER_REQUEST": '{"owner": "someone-secret"}'})

    assert (ended.code, ended.words["reason"]) == (64, "BadRequest")
    assert "WORKER_REQUEST.source: Field required" in ended.words["message"]
    assert "secret" not in ended.log + ended.words["message"]


def test_a_crash_still_leaves_last_words(installation: Installation, samples: Samples) -> None:
    """A folder that cannot be made is nothing the worker knows: the last resort speaks."""
    request = installation.request(installation.upload(samples.clip()))

    ended = installation.run(request, {"WORKER_SCRATCH": "/dev/null"})

    assert ended.code == 1
    assert (ended.words["exitCode"], ended.words["reason"]) == (1, "WorkerCrashed")


def test_a_result_that_is_already_there_is_only_published(installation: Installation, samples: Samples) -> None:
    """Also when the source is gone by then."""
    request = installation.request(installation.upload(samples.clip()))
    assert installation.run(request).code == 0
    first = installation.entry()["result"]
    installation.messages()
    with installation.mongodb.client() as client:
        client["mp3s"]["conversions"].update_one({"_id": CONVERSION.uid}, {"$unset": {"messages": ""}})
        client.drop_database("videos")

    ended = installation.run(request)

    assert ended.code == 0, ended.log
    assert installation.entry()["result"] == first
    assert len(installation.messages()) == 1
    assert len(installation.mp3s()) == 1


def test_without_the_queue_the_mp3_waits_for_the_next_attempt(installation: Installation, samples: Samples) -> None:
    request = installation.request(installation.upload(samples.clip()))
    installation.rabbitmq.stop()

    first = installation.run(request)

    assert (first.code, first.words["reason"]) == (75, "ServiceUnavailable"), first.log
    assert len(installation.mp3s()) == 1
    installation.rabbitmq.start()
    assert installation.run(request).code == 0
    assert len(installation.mp3s()) == 1
    assert len(installation.messages()) == 1


def test_without_the_database_it_is_tried_again(installation: Installation) -> None:
    installation.mongodb.stop()

    ended = installation.run(installation.request("0" * 24))

    assert (ended.code, ended.words["reason"]) == (75, "ServiceUnavailable"), ended.log


def test_the_later_of_two_workers_wins(installation: Installation, samples: Samples) -> None:
    request = installation.request(installation.upload(samples.long()))
    first = installation.start(request)
    installation.await_entry(progressing)
    first.pause()

    second = installation.start(request)
    installation.await_entry(lambda entry: entry["attempt"]["pod"] == "pod-1")
    first.resume()

    overtaken, winner = first.finish(), second.finish()
    assert (overtaken.code, overtaken.words["reason"]) == (75, "Stopped"), overtaken.log
    assert winner.code == 0, winner.log
    assert len(installation.mp3s()) == 1
    assert installation.stray_chunks() == 0
    assert len(installation.messages()) == 1
    assert installation.entry()["attempt"]["pod"] == "pod-1"


def test_asked_to_stop_it_ends_its_child_and_leaves_nothing(installation: Installation, samples: Samples) -> None:
    worker = installation.start(installation.request(installation.upload(samples.long())))
    installation.await_entry(progressing)
    assert any("ffmpeg" in line for line in worker.children())

    worker.terminate()

    ended = worker.finish(seconds=10)
    assert (ended.code, ended.words["reason"]) == (143, "Stopped"), ended.log
    assert worker.children() == []
    assert list(worker.scratch.iterdir()) == []
    assert nothing_stored(installation)


@ON_FERRETDB_TOO
def test_killed_half_way_its_child_dies_too_and_the_next_attempt_succeeds(
    installation: Installation, samples: Samples
) -> None:
    request = installation.request(installation.upload(samples.long()))
    worker = installation.start(request)
    installation.await_entry(progressing)

    worker.kill()

    ended = installation.run(request)
    assert ended.code == 0, ended.log
    assert worker.children() == []
    assert len(installation.mp3s()) == 1
    assert len(installation.messages()) == 1


def test_killed_while_it_stores_the_mp3_the_next_attempt_removes_the_half(
    installation: Installation, samples: Samples
) -> None:
    output = Output(encoding=Encoding(cbr=320))
    request = installation.request(installation.upload(samples.long()), output=output)
    worker = installation.start(request)
    (half,) = installation.await_entry(lambda entry: entry.get("uploads"))["uploads"]
    worker.kill()
    assert "result" not in installation.entry(), "the test came too late: it shows nothing"

    ended = installation.run(request)

    assert ended.code == 0, ended.log
    entry = installation.entry()
    assert entry["uploads"] == [half, entry["result"]["fileId"]]
    assert len(installation.mp3s()) == 1
    assert installation.stray_chunks() == 0


@ON_FERRETDB_TOO
def test_what_any_attempt_left_is_removed(installation: Installation, samples: Samples) -> None:
    left = [installation.leave_half_an_mp3() for _ in range(3)]
    with installation.mongodb.client() as client:
        client["mp3s"]["conversions"].insert_one({"_id": CONVERSION.uid, "uploads": left})

    assert installation.run(installation.request(installation.upload(samples.clip()))).code == 0

    assert installation.stray_chunks() == 0


def test_a_conversion_that_was_given_up_stays_so(installation: Installation, samples: Samples) -> None:
    failure = {"reason": "RetriesExhausted", "message": "Every attempt failed.", "failedAt": "2026-03-01T00:00:00Z"}
    with installation.mongodb.client() as client:
        client["mp3s"]["conversions"].insert_one({"_id": CONVERSION.uid, "failure": failure})

    ended = installation.run(installation.request(installation.upload(samples.clip())))

    assert ended.code == 64
    assert "Every attempt failed." in ended.words["message"]
    assert nothing_stored(installation)


def test_a_node_without_landlock_is_told_of_and_worked_on(installation: Installation, samples: Samples) -> None:
    request = installation.request(installation.upload(samples.clip()))

    ended = installation.start(request, through=without_landlock.COMMAND).finish()

    assert (ended.code, ended.words["landlock"]) == (ExitCode.DONE, False)
    assert installation.entry()["attempt"]["landlock"] is False
    assert ended.log.count("landlock_missing") == 1


def test_a_node_with_landlock_says_so(installation: Installation, samples: Samples) -> None:
    request = installation.request(installation.upload(samples.clip()))

    ended = installation.run(request, {"WORKER_REQUIRE_LANDLOCK": "true"})

    assert (ended.code, ended.words["landlock"]) == (ExitCode.DONE, True)
    assert installation.entry()["attempt"]["landlock"] is True
    assert "landlock" not in ended.log


def test_where_landlock_is_required_nothing_is_read_without(installation: Installation, samples: Samples) -> None:
    request = installation.request(installation.upload(samples.clip()))
    required = {"WORKER_REQUIRE_LANDLOCK": "true"}

    ended = installation.start(request, required, through=without_landlock.COMMAND).finish()

    assert (ended.code, ended.words["reason"]) == (ExitCode.TRY_AGAIN, "NodeUnsuitable")
    assert "worker.requireLandlock" in ended.words["message"]
    assert installation.entry() == {}
    assert not installation.mp3s()
