"""One size: a cluster of its own, so many Conversions, and what they cost."""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bson import ObjectId
from pymongo import AsyncMongoClient

from benchmarks.operator.audit import Requests, read_requests
from benchmarks.operator.bare_jobs import BareJobs, measured_bare
from benchmarks.operator.client import Client
from benchmarks.operator.control_plane import ControlPlane
from benchmarks.operator.operator_process import USER, OperatorProcess
from benchmarks.operator.processes import cpu_by_name, peak_bytes
from benchmarks.operator.uploads import CONTENT, upload_of
from benchmarks.operator.workers import Workers
from tests.contract.chart.helm import NAMESPACE
from tests.servers import SecantusDBServer, Server
from video2mp3_contracts.api import names
from video2mp3_contracts.ledger.storage import MP3S_DATABASE, VIDEOS_DATABASE, FileMetadata

_CREATORS = 16
"""Conversions that are created at the same time."""

_OWNERS = 20
_LOOK_SECONDS = 1.0
_TELL_SECONDS = 5.0
_STUCK_SECONDS = 120.0
_PATH = f"/apis/{names.API_VERSION}/namespaces/{NAMESPACE}/{names.PLURAL}"


@dataclass
class Result:
    """What a run showed. Times in seconds, memory in bytes."""

    conversions: int
    bare: BareJobs
    """The same Jobs without an operator."""

    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = 0
    """From the first creation to the last status."""

    phases: Counter[str] = field(default_factory=Counter)
    """Phase, and reason where it is not the phase's own."""

    waits: list[float] = field(default_factory=list)
    """From each Conversion's creation to its Job's, sorted."""

    requests: Requests = field(default_factory=Requests)
    cpu: dict[str, float] = field(default_factory=dict)
    """By process."""

    memory: int = 0
    """The operator's peak."""

    restart_seconds: float = 0
    restart_memory: int = 0

    @property
    def succeeded(self) -> int:
        """How many came to their end as they should."""
        return self.phases["Succeeded"]


class _Store(SecantusDBServer):
    """The stand-in without the fsync that it makes at each write while nobody else may write; MongoDB shares those."""

    def command(self) -> Sequence[str]:
        return [word for word in super().command() if word != "--sync-on-commit"]


class Cluster:
    """All that runs."""

    def __init__(self, cap: int) -> None:
        self._plane = ControlPlane(USER)
        self.api = self._plane.api
        self.mongodb = _Store()
        self.operator = OperatorProcess(self.api, self.mongodb, cap)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Everything started, and ended afterwards whatever happens."""
        with ExitStack() as stack:
            for server in (*self._plane.to_start, self.mongodb, self.operator):
                stack.enter_context(server)
            yield

    @property
    def _servers(self) -> tuple[Server, ...]:
        return (self.operator, *self._plane.servers, self.mongodb)

    def cpu(self) -> Mapping[str, float]:
        """Processor seconds so far, by process."""
        return cpu_by_name(self._servers)

    def keep_logs(self, folder: Path) -> None:
        """Copy the logs into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for server in self._servers:
            shutil.copy(server.log_file, folder / f"{server.name}.log")


def measured(conversions: int, cap: int, logs: Path | None) -> Result:
    """Run one size; `logs` is a folder that keeps what the programs said."""
    bare = measured_bare(conversions, cap)
    print(f"{conversions} conversions: starting a cluster", flush=True)
    cluster = Cluster(cap)
    with cluster.running():
        try:
            result = asyncio.run(_Run(cluster, Result(conversions, bare)).measured())
            _restart(cluster.operator, result)
        finally:
            if logs:
                cluster.keep_logs(logs)
    return result


def _restart(operator: OperatorProcess, result: Result) -> None:
    operator.stop()
    started = time.monotonic()
    operator.start()
    result.restart_seconds = time.monotonic() - started
    result.restart_memory = peak_bytes(operator.pid)


class _Run:
    def __init__(self, cluster: Cluster, result: Result) -> None:
        self._cluster = cluster
        self._created: dict[str, datetime] = {}
        self._result = result

    async def measured(self) -> Result:
        mongodb: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(self._cluster.mongodb.uri)
        async with mongodb, Client(self._cluster.api) as client:
            sources = await self._upload(mongodb)
            workers = Workers(client, mongodb)
            before = self._cluster.cpu()
            self._result.began = datetime.now(UTC)
            work = asyncio.create_task(workers.run())
            creation = asyncio.create_task(self._create(client, sources))
            await self._watched(workers, work, creation)
            work.cancel()
            self._result.cpu = {name: spent - before[name] for name, spent in self._cluster.cpu().items()}
            self._result.memory = peak_bytes(self._cluster.operator.pid)
            await self._look(client)
        return self._result

    async def _upload(self, mongodb: AsyncMongoClient[dict[str, Any]]) -> list[tuple[str, str]]:
        """Store the sources, as the gateway does; answers ids and owners."""
        now = datetime.now(UTC)
        sources = [(ObjectId(), f"owner-{number % _OWNERS}@example.com") for number in range(self._result.conversions)]
        files = [
            {
                "_id": file_id,
                "filename": "talk.mp4",
                "length": len(CONTENT),
                "chunkSize": 255 * 1024,
                "uploadDate": now,
                "metadata": FileMetadata(owner=owner, content_type="video/mp4", uploaded_at=now).as_document(),
            }
            for file_id, owner in sources
        ]
        database = mongodb[VIDEOS_DATABASE]
        for each in (database, mongodb[MP3S_DATABASE]):
            await each["fs.chunks"].create_index([("files_id", 1), ("n", 1)], unique=True)
        await database["fs.chunks"].insert_many(
            [{"files_id": file_id, "n": 0, "data": CONTENT} for file_id, _ in sources]
        )
        await database["fs.files"].insert_many(files)
        return [(str(file_id), owner) for file_id, owner in sources]

    async def _create(self, client: Client, sources: list[tuple[str, str]]) -> None:
        waiting = iter(sources)

        async def creator() -> None:
            for file_id, owner in waiting:
                conversion = upload_of(owner, file_id)
                await client.create(_PATH, conversion.manifest())
                self._created[conversion.metadata.name] = datetime.now(UTC)

        async with asyncio.TaskGroup() as creators:
            for _ in range(_CREATORS):
                creators.create_task(creator())

    async def _watched(self, workers: Workers, work: "asyncio.Task[None]", creation: "asyncio.Task[None]") -> None:
        """Tell how it goes until all have finished."""
        started = moved = told = time.monotonic()
        finished = 0
        while finished < self._result.conversions:
            await asyncio.sleep(_LOOK_SECONDS)
            for task in (work, creation):
                if task.done():
                    task.result()
            now, before = time.monotonic(), finished
            finished = await asyncio.to_thread(self._cluster.operator.finished)
            moved = now if finished > before else moved
            if now - moved > _STUCK_SECONDS:
                raise TimeoutError(f"nothing has finished for {_STUCK_SECONDS:g} s, {finished} have")
            if now - told > _TELL_SECONDS:
                told = now
                print(
                    f"  {now - started:5.0f} s: {len(self._created):6} created, {workers.running:4} workers, "
                    f"{finished:6} finished, {finished / (now - started):5.1f} a second",
                    flush=True,
                )

    async def _look(self, client: Client) -> None:
        """What the API server says in the end."""
        async for conversion in client.list(_PATH):
            phase, reason = conversion["status"]["phase"], conversion["status"]["reason"]
            self._result.phases[phase if phase == reason else f"{phase} {reason}"] += 1
        requests = read_requests(self._cluster.api.audit_file, self._result.began)
        self._result.requests = requests
        if requests.last_status is not None:
            self._result.seconds = (requests.last_status - self._result.began).total_seconds()
        self._result.waits = sorted(
            (there - self._created[job.rpartition("-")[0]]).total_seconds() for job, there in requests.jobs.items()
        )
