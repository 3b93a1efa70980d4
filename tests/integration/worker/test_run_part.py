"""⑥⑦ One sound, several workers: real processes, stores and ffmpeg. The mp3 is the one that a single worker makes."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from bson import ObjectId

from tests.integration.worker.installation import CONVERSION, Finished, Installation, RunningWorker
from tests.integration.worker.samples import Samples
from video2mp3_contracts.api.output import Encoding, Loudness, Output, Trim
from video2mp3_contracts.api.tags import Tags
from video2mp3_contracts.jobs.worker import Division, WorkerRequest
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Converter

OUTPUTS = {
    "vbr": Output(),
    "vbr, mono": Output(encoding=Encoding(vbr=6), channels="mono", sample_rate=22050),
    "cbr": Output(encoding=Encoding(cbr=128), tags=Tags(title="Ζωή")),
    "cbr, mono": Output(encoding=Encoding(cbr=64), channels="mono"),
    "trimmed and levelled": Output(trim=Trim(start="10.25", end=71), loudness=Loudness(integrated_lufs=-20)),
    "limited": Output(loudness=Loudness(integrated_lufs=-9, mode="limit"), encoding=Encoding(cbr=128)),
    "only measured": Output(loudness=Loudness(mode="measureOnly")),
}


class Division3:
    """Three workers of one conversion."""

    parts = 3

    def __init__(self, installation: Installation, source: Path, output: Output | None = None) -> None:
        self.installation = installation
        self.request: WorkerRequest = installation.request(
            installation.upload(source), parts=self.parts, output=output or Output()
        )

    def start(self, part: int) -> RunningWorker:
        return self.installation.start(self.request, {"WORKER_PART": str(part)})

    def run(self, part: int) -> Finished:
        return self.start(part).finish()

    def until_it_works(self, worker: RunningWorker, part: int) -> None:
        """Wait until a part has been begun, and hold its worker there."""
        self.installation.await_entry(lambda entry: str(part) in entry.get("parts", {}))
        worker.pause()
        assert "fileId" not in self.installation.entry()["parts"][str(part)], "the test came too late"

    def until_it_joins(self, worker: RunningWorker, part: int) -> None:
        self.installation.await_entry(lambda entry: entry.get("attempt", {}).get("part") == part)
        worker.pause()
        assert "result" not in self.installation.entry(), "the test came too late: it shows nothing"

    def until_it_opens_again(self, worker: RunningWorker, part: int, token: str) -> None:
        """Wait until a part has a worker after the one of that token, and hold it there."""
        self.installation.await_entry(lambda entry: entry["parts"][str(part)]["token"] != token)
        worker.pause()
        assert "result" not in self.installation.entry(), "the test came too late: it shows nothing"

    def unclaim(self) -> None:
        """As if nobody had begun to join."""
        with self.installation.mongodb.client() as client:
            client["mp3s"]["conversions"].update_one({"_id": CONVERSION.uid}, {"$unset": {"attempt": ""}})


@pytest.fixture
def division(installation: Installation, samples: Samples) -> Division3:
    return Division3(installation, samples.song())


def by_one_worker(source: Path, folder: Path, output: Output | None = None) -> str:
    """The SHA-256 of the mp3 that nobody divided."""
    return Converter(Stop()).convert(LocalSource.whole(source), folder / "whole.mp3", output or Output()).sha256


def is_whole(installation: Installation, sha256: str) -> bool:
    """There is this mp3 and nothing else, announced once."""
    (mp3,) = installation.mp3s()
    entry = installation.entry()
    return (
        entry["result"]["sha256"] == mp3["metadata"]["sha256"] == sha256
        and entry["result"]["fileId"] == str(mp3["_id"])
        and mp3["metadata"]["kind"] == "mp3"
        and installation.stray_chunks() == 0
        and len(installation.messages()) == 1
    )


@pytest.mark.parametrize("output", OUTPUTS.values(), ids=OUTPUTS)
def test_side_by_side_they_make_the_mp3_of_one(
    installation: Installation, samples: Samples, tmp_path: Path, output: Output
) -> None:
    division = Division3(installation, samples.song(), output)

    workers = [division.start(part) for part in range(division.parts)]
    ended = [worker.finish() for worker in workers]

    assert [each.code for each in ended] == [0, 0, 0], [each.log for each in ended]
    assert is_whole(installation, by_one_worker(samples.song(), tmp_path, output))
    assert max(each.words["message"] for each in ended) == "The mp3 is stored."
    assert all(list(worker.scratch.iterdir()) == [] for worker in workers)


def test_a_sound_shorter_than_its_parts_is_divided_all_the_same(
    installation: Installation, samples: Samples, tmp_path: Path
) -> None:
    division = Division3(installation, samples.clip())

    assert [division.run(part).code for part in (2, 0, 1)] == [0, 0, 0]

    assert is_whole(installation, by_one_worker(samples.clip(), tmp_path))


def test_a_lost_part_is_made_again_alone(division: Division3, samples: Samples, tmp_path: Path) -> None:
    installation = division.installation
    lost = division.start(1)
    division.until_it_works(lost, 1)
    lost.kill()
    assert [division.run(part).words["message"] for part in (0, 2)] == [
        "Part 1 of 3 is stored.",
        "Part 3 of 3 is stored.",
    ]
    before = installation.entry()["parts"]

    ended = division.run(1)

    assert ended.code == 0, ended.log
    after = installation.entry()["parts"]
    assert [after[part]["files"] for part in "02"] == [before[part]["files"] for part in "02"]
    assert is_whole(installation, by_one_worker(samples.song(), tmp_path))


def test_a_joiner_that_dies_is_followed_by_the_next_worker_of_its_part(
    division: Division3, samples: Samples, tmp_path: Path
) -> None:
    installation = division.installation
    assert [division.run(part).code for part in (0, 2)] == [0, 0]
    joiner = division.start(1)
    division.until_it_joins(joiner, 1)
    joiner.kill()

    others = [division.run(part) for part in (0, 2)]
    assert [each.code for each in others] == [0, 0], [each.log for each in others]
    assert "result" not in installation.entry()
    ended = division.run(1)

    assert (ended.code, ended.words["message"]) == (0, "The mp3 is stored."), ended.log
    assert all(len(part["files"]) == 1 for part in installation.entry()["parts"].values()), "no part was made twice"
    assert is_whole(installation, by_one_worker(samples.song(), tmp_path))


def test_of_several_who_could_join_one_does(division: Division3, samples: Samples, tmp_path: Path) -> None:
    installation = division.installation
    assert [division.run(part).code for part in (0, 2)] == [0, 0]
    joiner = division.start(1)
    division.until_it_joins(joiner, 1)
    joiner.kill()
    division.unclaim()

    tokens = [part["token"] for _, part in sorted(installation.entry()["parts"].items())]
    workers = []
    for part, token in enumerate(tokens):
        workers.append(division.start(part))
        division.until_it_opens_again(workers[-1], part, token)
    for worker in workers:
        worker.resume()
    ended = [worker.finish() for worker in workers]

    assert [each.code for each in ended] == [0, 0, 0], [each.log for each in ended]
    assert is_whole(installation, by_one_worker(samples.song(), tmp_path))


def test_a_late_worker_of_a_part_changes_nothing_any_more(
    division: Division3, samples: Samples, tmp_path: Path
) -> None:
    installation = division.installation
    late = division.start(0)
    division.until_it_works(late, 0)
    assert [division.run(part).code for part in (1, 2, 0)] == [0, 0, 0]

    late.resume()

    overtaken = late.finish()
    assert (overtaken.code, overtaken.words["reason"]) == (75, "Stopped"), overtaken.log
    assert is_whole(installation, by_one_worker(samples.song(), tmp_path))


def test_a_late_joiner_changes_nothing_any_more(division: Division3, samples: Samples, tmp_path: Path) -> None:
    installation = division.installation
    assert [division.run(part).code for part in (0, 2)] == [0, 0]
    late = division.start(1)
    division.until_it_joins(late, 1)
    assert division.run(1).code == 0

    late.resume()

    assert late.finish().code in (0, 75), "0 where it finds the other's result"
    assert is_whole(installation, by_one_worker(samples.song(), tmp_path))


def test_what_a_killed_worker_of_a_part_left_is_removed(division: Division3, samples: Samples, tmp_path: Path) -> None:
    installation = division.installation
    half = installation.leave_half_an_mp3()
    part = {"token": "killed", "startedAt": datetime(2026, 3, 1, tzinfo=UTC), "files": [half]}
    with installation.mongodb.client() as client:
        client["mp3s"]["conversions"].insert_one({"_id": CONVERSION.uid, "uploads": [half], "parts": {"0": part}})

    assert [division.run(part).code for part in (0, 1, 2)] == [0, 0, 0]

    assert is_whole(installation, by_one_worker(samples.song(), tmp_path))


def test_a_part_in_a_format_of_another_time_is_made_again(
    division: Division3, samples: Samples, tmp_path: Path
) -> None:
    installation = division.installation
    assert [division.run(part).code for part in (0, 1)] == [0, 0]
    with installation.mongodb.client() as client:
        client["mp3s"]["conversions"].update_one({"_id": CONVERSION.uid}, {"$set": {"parts.1.madeOf": "0:old"}})

    assert [division.run(part).code for part in (2, 1)] == [0, 0]

    assert len(installation.entry()["parts"]["1"]["files"]) == 2
    assert is_whole(installation, by_one_worker(samples.song(), tmp_path))


def test_parts_of_another_lame_are_not_joined_and_it_still_becomes_one_mp3(
    division: Division3, samples: Samples, tmp_path: Path
) -> None:
    """As on nodes whose processors are of different kinds: the loader takes another library on each."""
    installation = division.installation
    assert [division.run(part).code for part in (0, 1)] == [0, 0]
    with installation.mongodb.client() as client:
        part = installation.entry()["parts"]["1"]
        version, _build, source = part["madeOf"].split(":")
        other = f"{version}:another-build:{source}"
        client["mp3s"]["conversions"].update_one({"_id": CONVERSION.uid}, {"$set": {"parts.1.madeOf": other}})
        # What an equal part has no need of: joined, this would not be an mp3.
        client["mp3s"]["fs.chunks"].update_many({"files_id": ObjectId(part["fileId"])}, {"$set": {"data": b"other"}})

    ended = division.run(2)

    assert ended.code == 0, ended.log
    assert is_whole(installation, by_one_worker(samples.song(), tmp_path))


def test_parts_of_different_sources_are_not_joined(division: Division3) -> None:
    installation = division.installation
    assert [division.run(part).code for part in (0, 1)] == [0, 0]
    made_of = installation.entry()["parts"]["1"]["madeOf"]
    with installation.mongodb.client() as client:
        client["mp3s"]["conversions"].update_one(
            {"_id": CONVERSION.uid}, {"$set": {"parts.1.madeOf": f"{made_of[:-4]}beef"}}
        )

    ended = division.run(2)

    assert (ended.code, ended.words["reason"]) == (64, "BadRequest")
    assert "The source changed" in ended.words["message"]


def test_asked_to_stop_it_leaves_nothing_of_its_part(division: Division3) -> None:
    worker = division.start(2)
    division.until_it_works(worker, 2)

    worker.terminate()
    worker.resume()

    ended = worker.finish(seconds=10)
    assert (ended.code, ended.words["reason"]) == (143, "Stopped"), ended.log
    assert (worker.children(), list(worker.scratch.iterdir())) == ([], [])
    assert (division.installation.mp3s(), division.installation.stray_chunks()) == ([], 0)
    assert division.installation.entry()["error"]["reason"] == "Stopped"


def test_words_that_are_final_stay_the_last(installation: Installation, samples: Samples) -> None:
    """The others are stopped then, and what they say of that is of no use to anybody."""
    division = Division3(installation, samples.silent_film())
    assert division.run(0).code == 65
    with installation.mongodb.client() as client:
        client.drop_database("videos")

    assert division.run(1).code == 66

    assert installation.entry()["error"]["reason"] == "NoAudio"


def test_a_conversion_that_was_given_up_stays_so(division: Division3) -> None:
    installation = division.installation
    failure = {"reason": "RetriesExhausted", "message": "Every attempt failed.", "failedAt": "2026-03-01T00:00:00Z"}
    with installation.mongodb.client() as client:
        client["mp3s"]["conversions"].insert_one({"_id": CONVERSION.uid, "failure": failure})

    ended = division.run(0)

    assert ended.code == 64
    assert "Every attempt failed." in ended.words["message"]
    assert (installation.mp3s(), installation.stray_chunks()) == ([], 0)


def test_a_result_that_is_already_there_is_only_published(division: Division3) -> None:
    installation = division.installation
    assert [division.run(part).code for part in range(3)] == [0, 0, 0]
    installation.messages()
    with installation.mongodb.client() as client:
        client["mp3s"]["conversions"].update_one({"_id": CONVERSION.uid}, {"$unset": {"messages": ""}})
        client.drop_database("videos")

    ended = division.run(1)

    assert ended.code == 0, ended.log
    assert len(installation.messages()) == 1


@pytest.mark.parametrize(("part_seconds", "parts"), [(10, 5), (35, 2)])
def test_a_long_sound_is_found_to_be_worth_dividing(
    installation: Installation, samples: Samples, part_seconds: int, parts: int
) -> None:
    request = installation.request(
        installation.upload(samples.song()), division=Division(part_seconds=part_seconds, max_parts=5)
    )

    ended = [installation.run(request) for _ in range(2)]

    assert [(each.code, each.words["reason"]) for each in ended] == [(0, "Divided")] * 2, ended[0].log
    assert installation.entry()["parallelism"] == parts
    assert (installation.mp3s(), installation.messages()) == ([], [])


def test_a_short_sound_is_not(installation: Installation, samples: Samples, tmp_path: Path) -> None:
    request = installation.request(
        installation.upload(samples.clip()), division=Division(part_seconds=100, max_parts=5)
    )

    assert installation.run(request).code == 0

    assert "parallelism" not in installation.entry()
    assert is_whole(installation, by_one_worker(samples.clip(), tmp_path))
