"""The peer: the Jobs that the operator would create, with nobody to create them but this benchmark.

What they cost is Kubernetes' own work for a Job and its pod. No operator that gives each conversion a Job can do with
less, so it bounds how many conversions a second a machine can bring to an end.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from bson import ObjectId
from pydantic import SecretStr

from benchmarks.operator import pods
from benchmarks.operator.client import Client
from benchmarks.operator.control_plane import ControlPlane
from benchmarks.operator.processes import cpu_by_name
from benchmarks.operator.uploads import CONTENT, upload_of
from tests.contract.chart.helm import NAMESPACE
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.reconciler.job import build_job

_MOST: Final = 1000
"""Their cost does not grow with their number: more of them would only take longer."""

_JOB_SECONDS: Final = 120
_PATH: Final = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"


@dataclass(frozen=True)
class BareJobs:
    """What they took. Times in seconds."""

    jobs: int
    seconds: float
    cpu: Mapping[str, float]
    """By process."""

    @property
    def rate(self) -> float:
        """Jobs a second."""
        return self.jobs / self.seconds

    @property
    def cpu_each(self) -> float:
        """Processor seconds of all processes, for one Job."""
        return sum(self.cpu.values()) / self.jobs


def measured_bare(conversions: int, cap: int) -> BareJobs:
    """Bring as many Jobs to their end, at most `cap` at a time, on a control plane of their own."""
    count = min(conversions, _MOST)
    print(f"{count} Jobs without an operator: starting a cluster", flush=True)
    plane = ControlPlane("system:nobody")
    with ExitStack() as stack:
        for server in plane.to_start:
            stack.enter_context(server)
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}
        plane.api.kubectl("create", "-f", "-", stdin=json.dumps(namespace))
        before, started = cpu_by_name(plane.servers), time.monotonic()
        asyncio.run(_Run(plane, count, cap).finish())
        seconds = time.monotonic() - started
        spent = {name: total - before[name] for name, total in cpu_by_name(plane.servers).items()}
    return BareJobs(count, seconds, spent)


class _Run:
    def __init__(self, plane: ControlPlane, count: int, cap: int) -> None:
        self._plane = plane
        self._manifests = [_manifest(number) for number in range(count)]
        self._ended = {manifest["metadata"]["name"]: asyncio.Event() for manifest in self._manifests}
        self._places = asyncio.Semaphore(cap)

    async def finish(self) -> None:
        """Create all of them and wait for the last."""
        async with Client(self._plane.api) as client:
            beside = [asyncio.create_task(self._work(client)), asyncio.create_task(self._follow(client))]
            async with asyncio.TaskGroup() as jobs:
                for manifest in self._manifests:
                    jobs.create_task(self._convert(client, manifest))
            for task in beside:
                task.cancel()

    async def _convert(self, client: Client, manifest: dict[str, Any]) -> None:
        async with self._places:
            await client.create(_PATH, manifest)
            await asyncio.wait_for(self._ended[manifest["metadata"]["name"]].wait(), timeout=_JOB_SECONDS)

    async def _follow(self, client: Client) -> None:
        async for event in client.watch(_PATH):
            job = event["object"]
            if any(condition["type"] == "Complete" for condition in job["status"].get("conditions", ())):
                self._ended[job["metadata"]["name"]].set()

    async def _work(self, client: Client) -> None:
        async with asyncio.TaskGroup() as workers:
            async for pod in pods.started(client):
                workers.create_task(_run(client, pod))


async def _run(client: Client, pod: dict[str, Any]) -> None:
    await asyncio.sleep(pods.RUN_SECONDS)
    await pods.end(client, pod)


def _manifest(number: int) -> dict[str, Any]:
    """The operator's, for an upload; it belongs to nobody."""
    upload = upload_of("owner@example.com", str(ObjectId()))
    metadata = upload.metadata.model_copy(update={"uid": f"bare-{number}"})
    manifest = build_job(upload.model_copy(update={"metadata": metadata}), _settings(), len(CONTENT))
    del manifest["metadata"]["ownerReferences"]
    return manifest


def _settings() -> Settings:
    return Settings(
        mongodb_uri=SecretStr("unused"),
        rabbitmq_uri=SecretStr("unused"),
        worker_image="video2mp3/worker:benchmark",
        worker_secret="video2mp3-worker",
    )
