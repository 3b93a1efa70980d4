"""Our worker beside plain ffmpeg and the tutorial's converter, on the same files and stores: see ../README.md."""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import gridfs
import pika
from pymongo import MongoClient

from benchmarks.worker import measure
from benchmarks.worker.measure import Cost
from benchmarks.worker.media import Video
from benchmarks.worker.sound import snr_db
from tests.integration.worker import in_image
from tests.integration.worker.installation import OWNER, Installation
from tests.servers import MongoDBServer, RabbitMQServer, SecantusDBServer
from video2mp3_contracts.ledger.storage import FileMetadata

_CHUNK_BYTES = 255 * 1024
_PEERS = Path(__file__).parents[1] / "peers"
_QUEUES = ("video", "mp3-of-tutorial")


@dataclass(frozen=True)
class Result:
    """What a contender took, and made."""

    cost: Cost
    size: int
    """Bytes of the mp3."""

    snr_db: float
    """See `sound`."""


class Contest:
    """The stores, and one source in them at a time."""

    def __init__(
        self, mongodb: MongoDBServer, rabbitmq: RabbitMQServer, image: Path, folder: Path, peer_python: str
    ) -> None:
        self._mongodb = mongodb
        self._rabbitmq = rabbitmq
        self._image = image
        self._folder = folder
        self._peer_python = peer_python
        self._file_id = ""
        self._path = folder

    def store(self, path: Path) -> None:
        """Make a file the only source."""
        self._mongodb.reset()
        self._path = path
        with self._mongodb.client() as client, path.open("rb") as file:
            # As the gateway stores it: with a checksum, which the worker compares where it reads all of it.
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            metadata = FileMetadata(owner=OWNER, content_type="video/mp4", sha256=sha256).as_document()
            bucket = gridfs.GridFSBucket(client["videos"], chunk_size_bytes=_CHUNK_BYTES)
            self._file_id = str(bucket.upload_from_stream("film.mp4", file, metadata=metadata))

    def heard(self, name: str) -> tuple[int, float]:
        """The size of what a contender made last, and its signal-to-noise ratio (dB)."""
        mp3 = self._folder / "plain.mp3"
        if name != "ffmpeg":
            mp3 = self._folder / "stored.mp3"
            with self._mongodb.client() as client, mp3.open("wb") as file:
                gridfs.GridFSBucket(client["mp3s"]).download_to_stream(self._stored(client), file)
        return mp3.stat().st_size, snr_db(self._path, mp3)

    @staticmethod
    def _stored(client: "MongoClient[dict[str, Any]]") -> Any:
        newest = client["mp3s"]["fs.files"].find_one(sort=[("uploadDate", -1)])
        assert newest is not None
        return newest["_id"]

    def worker(self) -> Cost:
        """One attempt of ours."""
        with self._mongodb.client() as client:
            client["mp3s"]["conversions"].delete_many({})
        log = self._folder / "worker.log"
        variables = Installation(self._mongodb, self._rabbitmq, self._folder).environment(
            Installation.request(self._file_id), self._folder / "pod"
        )
        started = time.time()
        cost = measure.run(self._in_image(["video2mp3-worker"], variables), log=log)
        events = {event["event"]: event for event in map(json.loads, log.read_text().splitlines())}
        published = datetime.fromisoformat(events["message_published"]["timestamp"]).timestamp()
        fetched = events["source_at_hand"]
        return replace(cost, seconds=published - started, read=fetched["fetched"] / fetched["size"])

    def ffmpeg(self) -> Cost:
        """Plain ffmpeg on the local file: the image's, with the LAME that Debian compiled."""
        result = str(self._folder / "plain.mp3")
        command = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", str(self._path), "-q:a", "2", result]
        return measure.run(self._in_image(command, {"LD_PRELOAD": "/usr/lib/x86_64-linux-gnu/libmp3lame.so.0"}))

    def _in_image(self, command: list[str], variables: Mapping[str, str]) -> list[str]:
        return in_image.inside(self._image, command, variables, [self._folder, self._path.parent])

    def tutorial(self) -> Cost:
        """The tutorial's consumer, from the message in one queue to the end of its work."""
        connection = pika.BlockingConnection(pika.URLParameters(self._rabbitmq.url))
        channel = connection.channel()
        for queue in _QUEUES:
            channel.queue_declare(queue, durable=True)

        def publish(process: subprocess.Popen[bytes]) -> None:
            assert process.stdout is not None
            process.stdout.readline()
            channel.basic_publish("", "video", json.dumps({"video_fid": self._file_id}).encode())
            connection.close()

        command = [self._peer_python, str(_PEERS / "tutorial.py"), self._mongodb.uri, self._rabbitmq.url]
        cost = measure.run(command, log=self._folder / "tutorial.log", begin=publish)
        return Cost(cost.seconds, cost.cpu_seconds, cost.peak_bytes, 1.0)


def main() -> None:
    """Run what the arguments ask for and print a table."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="video2mp3-bench-") as temporary:
        folder = Path(temporary)
        with SecantusDBServer() as mongodb, RabbitMQServer() as rabbitmq, in_image.unpacked() as image:
            contest = Contest(mongodb, rabbitmq, image, folder, options.peer_python)
            columns = f"{'seconds':>9}{'cpu s':>9}{'MiB':>7}{'read':>7}{'SNR dB':>8}"
            print(f"{'':34}{columns}   ratios to ffmpeg: seconds, cpu, mp3's size")
            for video in _videos(options):
                contest.store(video.made_in((options.files or folder).resolve()))
                _print_results(video, _results(contest, options))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench-worker BENCH=...")
    parser.add_argument("--minutes", type=float, nargs="+", default=[1 / 6, 1, 10, 60])
    parser.add_argument("--megabits", type=int, nargs="+", default=[1, 20])
    parser.add_argument("--index", choices=("first", "last"), nargs="+", default=["first", "last"])
    parser.add_argument("--contenders", nargs="+", default=["ffmpeg", "worker", "tutorial"])
    parser.add_argument("--repeat", type=int, default=1, help="the best of so many runs counts")
    parser.add_argument("--files", type=Path, help="a folder that keeps the videos for the next time")
    parser.add_argument("--peer-python", default=sys.executable, help="the interpreter that has moviepy")
    return parser.parse_args()


def _videos(options: argparse.Namespace) -> list[Video]:
    return [
        Video(minutes, megabits, index == "first")
        for minutes in options.minutes
        for megabits in options.megabits
        for index in options.index
    ]


def _results(contest: Contest, options: argparse.Namespace) -> dict[str, Result]:
    runs: dict[str, list[Cost]] = {name: [] for name in options.contenders}
    heard: dict[str, tuple[int, float]] = {}
    for number in range(options.repeat):
        for name in options.contenders:
            contend: Callable[[], Cost] = getattr(contest, name)
            runs[name].append(contend())
            if number == options.repeat - 1:
                heard[name] = contest.heard(name)
    return {name: Result(_best(costs), *heard[name]) for name, costs in runs.items()}


def _best(costs: list[Cost]) -> Cost:
    return Cost(
        min(cost.seconds for cost in costs),
        min(cost.cpu_seconds for cost in costs),
        max(cost.peak_bytes for cost in costs),
        costs[0].read,
    )


def _print_results(video: Video, results: dict[str, Result]) -> None:
    print(video)
    plain = results.get("ffmpeg")
    for name, result in results.items():
        cost = result.cost
        read = "" if cost.read is None else f"{cost.read:.0%}"
        figures = f"{cost.seconds:9.2f}{cost.cpu_seconds:9.2f}{cost.peak_bytes / 2**20:7.0f}{read:>7}"
        line = f"  {name:32}{figures}{result.snr_db:8.2f}"
        if plain is not None and result is not plain:
            seconds, processor = cost.seconds / plain.cost.seconds, cost.cpu_seconds / plain.cost.cpu_seconds
            line += f"   {seconds:.2f}, {processor:.2f}, {result.size / plain.size:.3f}"
        print(line, flush=True)


if __name__ == "__main__":
    main()
