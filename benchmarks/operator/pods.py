"""The pods that kwok runs, and the end that it leaves to others."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, Final

from benchmarks.operator.client import Client

Document = dict[str, Any]

RUN_SECONDS: Final = 2
"""How long each works."""


async def started(client: Client) -> AsyncIterator[Document]:
    """Each pod once, as soon as it runs."""
    known: set[str] = set()
    async for event in client.watch("/api/v1/pods", fieldSelector="status.phase=Running"):
        uid = event["object"]["metadata"]["uid"]
        if event["type"] == "ADDED" and uid not in known:
            known.add(uid)
            yield event["object"]


async def end(client: Client, pod: Document) -> None:
    """Say, as its kubelet would, that the container has ended well."""
    [container] = pod["status"]["containerStatuses"]
    started = container["state"]["running"]["startedAt"]
    finished = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    ended = {"exitCode": 0, "reason": "Completed", "startedAt": started, "finishedAt": finished}
    status = {
        "phase": "Succeeded",
        "containerStatuses": [container | {"ready": False, "started": False, "state": {"terminated": ended}}],
        "conditions": [
            condition | ({"status": "False", "reason": "PodCompleted"} if "Ready" in condition["type"] else {})
            for condition in pod["status"]["conditions"]
        ],
    }
    metadata = pod["metadata"]
    await client.patch(f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}/status", {"status": status})
