"""The gateway as it runs in its pod, with so many Conversions in its memory."""

import hashlib
import http.client
import json
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks.gateway.times import Times, timed
from benchmarks.operator.processes import cpu_seconds
from tests.builders import a_conversion, at
from tests.integration.gateway.auth_server import AuthServer
from tests.integration.gateway.conftest import ALICE, settings_for
from tests.integration.gateway.conversions_api import ConversionsApi
from tests.integration.gateway.gateway_server import GatewayServer

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_MEBIBYTE = 1024**2
_NO_STORE = "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=100"


def from_memory(conversions: int, owned: int, lists: int) -> tuple[list[Times], dict[str, str]]:
    """Start a gateway with an API server on loopback that holds them, and list."""
    with tempfile.TemporaryDirectory() as folder, AuthServer() as auth, ConversionsApi() as kubernetes:
        for number in range(conversions):
            document = _finished(number, ALICE if number < owned else f"account-{number % 400}@example.com")
            kubernetes.objects[document["metadata"]["name"]] = document
        settings = settings_for(auth, kubernetes, _NO_STORE, Path(folder))
        with GatewayServer(settings) as gateway:
            began = time.monotonic()
            while not _holds(gateway, conversions):
                time.sleep(1)
            facts = {"seconds until all are read": f"{time.monotonic() - began:.0f}"}
            facts |= _memory(gateway, "when all are read")
            measured = _lists(gateway, auth.token(ALICE), lists)
            facts |= _memory(gateway, "after the lists")
        return measured, facts


def _holds(gateway: GatewayServer, conversions: int) -> bool:
    return f"video2mp3_gateway_conversions_cached {float(conversions)}" in gateway.metrics()


def _memory(gateway: GatewayServer, when: str) -> dict[str, str]:
    resident, peak = (gateway.resident_bytes(field) / _MEBIBYTE for field in ("VmRSS", "VmHWM"))
    return {f"MiB {when}, and at most": f"{resident:.0f}, {peak:.0f}"}


def _lists(gateway: GatewayServer, token: str, lists: int) -> list[Times]:
    connection = gateway.connect()
    get = _getter(connection, token)
    pages = [get("/conversions?limit=100")]
    while pages[-1]["nextUrl"]:
        pages.append(get(pages[-1]["nextUrl"]))
    middle, last = pages[len(pages) // 2 - 1]["nextUrl"], pages[-2]["nextUrl"]
    print(f"{'pages of 100 read through':<44} {len(pages)}", flush=True)
    kinds = {
        "the gateway, first 20": "/conversions",
        "the gateway, first 100": "/conversions?limit=100",
        "the gateway, 100 from the middle": middle,
        "the gateway, the last page": last,
    }
    pid = gateway.worker_pid
    return [timed(kind, lists, lambda path=path: get(path), lambda: cpu_seconds(pid)) for kind, path in kinds.items()]


def _getter(connection: http.client.HTTPConnection, token: str) -> Callable[[str], dict[str, Any]]:
    def get(path: str) -> dict[str, Any]:
        connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        document: dict[str, Any] = json.loads(body)
        return document

    return get


_TEMPLATE: Final = (
    a_conversion("upload-", "people")
    .with_spec(output={"encoding": {"vbr": 2}})
    .succeeded()
    .with_status(
        message="The mp3 is stored.",
        progress={"percent": 100, "processedSeconds": 3605.2, "durationSeconds": 3605.2, "speed": 61.5},
    )
    .document
)


def _finished(number: int, owner: str) -> dict[str, Any]:
    """One with all that a finished one has, and ids of its own."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    begun = at(_BEGIN + timedelta(minutes=5 * number))
    name, filename, uid = (
        f"upload-{digest[:24]}",
        f"lecture {number}.mp3",
        f"{digest[:8]}-{digest[8:12]}-{digest[12:32]}",
    )
    output = {
        "fileId": digest[24:48],
        "filename": filename,
        "bytes": 60_000_000 + number,
        "durationSeconds": 3605.2,
        "sha256": digest[::-1],
        "encoding": "vbr:2",
    }
    attempts = [{"number": 1, "pod": f"{name}-x7k2p", "startTime": begun, "endTime": begun, "reason": "Succeeded"}]
    spec = {"source": {"gridfs": {"fileId": digest[:24]}}, "output": {"filename": filename}, "owner": owner}
    status = {"startTime": begun, "completionTime": begun, "attempts": attempts, "output": output}
    return _TEMPLATE | {
        "metadata": _TEMPLATE["metadata"] | {"name": name, "creationTimestamp": begun, "uid": uid},
        "spec": _TEMPLATE["spec"] | spec | {"notify": {"email": owner}},
        "status": _TEMPLATE["status"] | status,
    }
