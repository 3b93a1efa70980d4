"""The workers that the simulated pods would run: to the ledger they do what the real one does, in its order.

A worker opens its attempt when its pod runs, reports progress once a second, names its upload, stores the mp3 and the
result, and marks its message as published; then its container has ended, and the pod with it. The queue is left out.

The documents that come of it are the same, but not all commands: the stand-in for MongoDB reads a whole collection for
`findAndModify` and for GridFS's own look at its indexes.
"""

import asyncio
import secrets
from datetime import UTC, datetime
from typing import Any

from bson import ObjectId
from pymongo import AsyncMongoClient

from benchmarks.operator import pods
from benchmarks.operator.client import Client
from benchmarks.operator.pods import RUN_SECONDS
from video2mp3_contracts.api import names
from video2mp3_contracts.api.status import OutputReport, Progress
from video2mp3_contracts.jobs.worker import REQUEST_VARIABLE, WorkerRequest
from video2mp3_contracts.ledger import moves
from video2mp3_contracts.ledger.documents import LedgerAttempt
from video2mp3_contracts.ledger.moves import Move
from video2mp3_contracts.ledger.storage import LEDGER_COLLECTION, MP3S_DATABASE, FileMetadata

Document = dict[str, Any]
_MP3 = secrets.token_bytes(24 * 1024)


class Workers:
    """One worker for each pod that runs."""

    def __init__(self, client: Client, mongodb: AsyncMongoClient[Document]) -> None:
        self._client = client
        self._ledger = mongodb[MP3S_DATABASE][LEDGER_COLLECTION]
        self._files = mongodb[MP3S_DATABASE]["fs.files"]
        self._chunks = mongodb[MP3S_DATABASE]["fs.chunks"]
        self.running = 0

    async def run(self) -> None:
        """Work until cancelled. Raises what goes wrong with any worker."""
        async with asyncio.TaskGroup() as workers:
            async for pod in pods.started(self._client):
                workers.create_task(self._work(pod))

    async def _work(self, pod: Document) -> None:
        self.running += 1
        started = asyncio.get_running_loop().time()
        request, token = _request(pod), secrets.token_hex(16)
        uid = request.conversion.uid
        attempt = LedgerAttempt(token=token, pod=pod["metadata"]["name"], started_at=datetime.now(UTC))
        await self._move(moves.open_attempt(request.conversion, request.owner, attempt))
        for second in range(1, RUN_SECONDS + 1):
            await asyncio.sleep(started + second - asyncio.get_running_loop().time())
            progress = Progress(
                percent=100 * second // RUN_SECONDS,
                processed_seconds=60 * second,
                duration_seconds=60 * RUN_SECONDS,
                speed=60,
                updated_at=datetime.now(UTC),
            )
            await self._move(moves.report_progress(uid, token, progress))
        await self._store(request, token)
        await self._move(moves.mark_published(uid, "succeeded", datetime.now(UTC)))
        await pods.end(self._client, pod)
        self.running -= 1

    async def _store(self, request: WorkerRequest, token: str) -> None:
        file_id, uid = ObjectId(), request.conversion.uid
        await self._move(moves.name_upload(uid, token, str(file_id)))
        await self._chunks.insert_one({"files_id": file_id, "n": 0, "data": _MP3})
        await self._files.insert_one(_file(file_id, request))
        result = OutputReport(
            file_id=str(file_id),
            filename=request.filename,
            size=len(_MP3),
            duration_seconds=60 * RUN_SECONDS,
            sha256="0" * 64,
            encoding="vbr 2",
        )
        await self._move(moves.store_result(uid, token, result))

    async def _move(self, move: Move) -> None:
        answer = await self._ledger.update_one(move.filter, move.update, upsert=move.upsert)
        if not answer.matched_count and not move.upsert:
            raise AssertionError(f"the worker of {move.filter['_id']} was superseded")


def _file(file_id: ObjectId, request: WorkerRequest) -> Document:
    """As GridFS keeps it."""
    now = datetime.now(UTC)
    metadata = FileMetadata(
        owner=request.owner,
        content_type="audio/mpeg",
        sha256="0" * 64,
        kind="mp3",
        conversion_uid=request.conversion.uid,
        uploaded_at=now,
    )
    return {
        "_id": file_id,
        "filename": request.filename,
        "length": len(_MP3),
        "chunkSize": 255 * 1024,
        "uploadDate": now,
        "metadata": metadata.as_document(),
    }


def _request(pod: Document) -> WorkerRequest:
    """What the operator asks of the worker."""
    [container] = [each for each in pod["spec"]["containers"] if each["name"] == names.WORKER_CONTAINER]
    [value] = [each["value"] for each in container["env"] if each["name"] == REQUEST_VARIABLE]
    return WorkerRequest.model_validate_json(value.replace("$$", "$"))
