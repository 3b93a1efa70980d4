"""A worker's surroundings as a cluster gives them, and what is found in the stores afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import gridfs
import pika
from bson import ObjectId

from tests.servers import MongoDBServer, RabbitMQServer
from video2mp3_contracts.api.conversion import GridFSSource, Source
from video2mp3_contracts.api.output import Output
from video2mp3_contracts.jobs.worker import WorkerLimits, WorkerRequest
from video2mp3_contracts.ledger.storage import FileMetadata
from video2mp3_contracts.messaging.message import MP3_QUEUE, QUEUES, ConversionRef

OWNER = "ada@example.org"
CONVERSION = ConversionRef(uid="6b1c7f6e-0001", namespace="media", name="upload-1")
_PATIENCE_SECONDS = 60.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Finished:
    """How a worker ended: exit code, termination message, log."""

    code: int
    words: dict[str, Any]
    log: str


@dataclass
class RunningWorker:
    """A worker process."""

    process: subprocess.Popen[str]
    folder: Path

    @property
    def scratch(self) -> Path:
        return self.folder / "scratch"

    def finish(self, seconds: float = _PATIENCE_SECONDS) -> Finished:
        """Wait for its end."""
        _, log = self.process.communicate(timeout=seconds)
        words = self.folder / "termination-log"
        return Finished(self.process.returncode, json.loads(words.read_text()) if words.exists() else {}, log)

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def pause(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=_PATIENCE_SECONDS)

    def children(self) -> list[str]:
        """Command lines of the processes that work on this worker's files."""
        lines = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if str(self.scratch) in line:
                lines.append(line)
        return lines


@dataclass
class Installation:
    """MongoDB, RabbitMQ, and a folder for each worker."""

    mongodb: MongoDBServer
    rabbitmq: RabbitMQServer
    folder: Path
    inside: Callable[[Sequence[str]], Sequence[str]] = lambda command: command
    """The command that runs a worker's where it is to run."""

    _workers: list[RunningWorker] = field(default_factory=list)

    def upload(self, content: bytes | Path, *, owner: str = OWNER, **metadata: Any) -> str:
        """Store a source as the gateway does; answer its id."""
        data = content if isinstance(content, bytes) else content.read_bytes()
        described = FileMetadata(owner=owner, content_type="video/mp4", **metadata)
        with self.mongodb.client() as client:
            bucket = gridfs.GridFSBucket(client["videos"])
            return str(bucket.upload_from_stream("film.mp4", data, metadata=described.as_document()))

    @staticmethod
    def request(file_id: str, **changes: Any) -> WorkerRequest:
        """A request as the operator writes it."""
        wanted: dict[str, Any] = {
            "conversion": CONVERSION,
            "owner": OWNER,
            "email": OWNER,
            "source": Source(gridfs=GridFSSource(file_id=file_id)),
            "output": Output(),
            "filename": "film.mp3",
            "limits": WorkerLimits(),
        }
        return WorkerRequest(**(wanted | changes))

    def environment(self, request: WorkerRequest, folder: Path) -> dict[str, str]:
        """What a pod's variables are, with all of its files in a folder."""
        (folder / "scratch").mkdir(parents=True, exist_ok=True)
        return {
            "WORKER_REQUEST": request.model_dump_json(by_alias=True),
            "WORKER_MONGODB_URI": self.mongodb.uri_of("worker"),
            "WORKER_RABBITMQ_URI": self.rabbitmq.url,
            "WORKER_POD_NAME": folder.name,
            "WORKER_SCRATCH": str(folder / "scratch"),
            "WORKER_TERMINATION_MESSAGE_PATH": str(folder / "termination-log"),
            "PATH": os.environ["PATH"],
        }

    def start(
        self, request: WorkerRequest, environment: Mapping[str, str] | None = None, through: Sequence[str] = ()
    ) -> RunningWorker:
        """Start a worker in a new pod; `through` is a command that becomes it."""
        folder = self.folder / f"pod-{len(self._workers)}"
        process = subprocess.Popen(
            self.inside([*through, sys.executable, "-m", "video2mp3_worker"]),
            env=self.environment(request, folder) | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        worker = RunningWorker(process, folder)
        self._workers.append(worker)
        return worker

    def run(self, request: WorkerRequest, environment: Mapping[str, str] | None = None) -> Finished:
        """Run a worker to its end."""
        return self.start(request, environment).finish()

    def entry(self) -> dict[str, Any]:
        """The conversion's ledger entry."""
        with self.mongodb.client() as client:
            return client["mp3s"]["conversions"].find_one({"_id": CONVERSION.uid}) or {}

    def await_entry(self, holds: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Wait until the ledger entry is as wanted."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        with self.mongodb.client() as client:
            while time.monotonic() < deadline:
                entry = client["mp3s"]["conversions"].find_one({"_id": CONVERSION.uid}) or {}
                if holds(entry):
                    return entry
                time.sleep(_POLL_SECONDS)
        raise AssertionError(f"the ledger entry did not become as wanted: {entry}")

    def mp3s(self) -> list[dict[str, Any]]:
        """The stored mp3s' documents."""
        with self.mongodb.client() as client:
            return list(client["mp3s"]["fs.files"].find())

    def stray_chunks(self) -> int:
        """Chunks of mp3s that belong to no file."""
        ids = [file["_id"] for file in self.mp3s()]
        with self.mongodb.client() as client:
            return client["mp3s"]["fs.chunks"].count_documents({"files_id": {"$nin": ids}})

    def leave_half_an_mp3(self) -> str:
        """Chunks without a file, as a worker leaves them that is killed while it stores its mp3."""
        half = ObjectId()
        with self.mongodb.client() as client:
            client["mp3s"]["fs.chunks"].insert_one({"files_id": half, "n": 0, "data": b"half"})
        return str(half)

    def mp3(self) -> Path:
        """The one mp3, downloaded."""
        (document,) = self.mp3s()
        path = self.folder / "downloaded.mp3"
        with self.mongodb.client() as client, path.open("wb") as file:
            gridfs.GridFSBucket(client["mp3s"]).download_to_stream(document["_id"], file)
        return path

    def messages(self) -> list[tuple[pika.BasicProperties, dict[str, Any]]]:
        """Take everything out of the queue."""
        found = []
        connection = pika.BlockingConnection(pika.URLParameters(self.rabbitmq.url))
        try:
            channel = connection.channel()
            channel.queue_declare(MP3_QUEUE, durable=True, arguments=QUEUES[0].arguments)
            while True:
                method, properties, body = channel.basic_get(MP3_QUEUE, auto_ack=True)
                if method is None:
                    return found
                found.append((properties, json.loads(body)))
        finally:
            connection.close()

    def close(self) -> None:
        """End what still runs."""
        for worker in self._workers:
            if worker.process.poll() is None:
                worker.kill()
