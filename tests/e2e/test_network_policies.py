"""The flows that are needed get through the cluster's network, and no others: each is tried."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.chart.flows import FLOWS, PORTS
from tests.e2e.release import Release, await_value
from video2mp3_localcluster.addresses import API_PORT, NODE_IP
from video2mp3_localcluster.images.references import image_references

STRANGER = "anybody"
SOURCES = ("gateway", "auth", "operator", "notifier", "worker", STRANGER)
API_SERVER = "api-server"

_TRY = """
import json, socket, sys
reached = []
for name, host, port in json.loads(sys.argv[1]):
    try:
        socket.create_connection((host, port), 3).close()
        reached.append(name)
    except OSError:
        pass
print(json.dumps(reached))
"""


@pytest.fixture(scope="module")
def reached(release: Release) -> Iterator[dict[str, set[str]]]:
    """What pods with each component's labels can connect to, and what a pod can that has none."""
    pods = [_pod(release, source) for source in SOURCES]
    release.apply(*pods)
    try:
        yield {source: _reached(release, source) for source in SOURCES}
    finally:
        release.kubectl("delete", "pod", "--grace-period=1", *(pod["metadata"]["name"] for pod in pods))


@pytest.mark.parametrize("source", SOURCES)
def test_it_reaches_whom_it_needs_and_nobody_else(reached: dict[str, set[str]], source: str) -> None:
    needed = {target for one, target in FLOWS if one == source}
    if source in ("gateway", "operator"):
        needed.add(API_SERVER)
    assert reached[source] - ({API_SERVER} if source == STRANGER else set()) == needed


def _pod(release: Release, source: str) -> dict[str, Any]:
    targets = [(name, release.pods(name)[0]["status"]["podIP"], port) for name, port in PORTS.items() if name != source]
    targets.append((API_SERVER, str(NODE_IP), API_PORT))
    restricted = {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    container = {
        "name": "try",
        "image": image_references()["worker"],
        "imagePullPolicy": "Never",
        # After a moment, in which the network learns of the pod.
        "command": ["python3", "-c", "import time; time.sleep(5)" + _TRY, json.dumps(targets)],
        # It carries the labels of a service, and must not be taken for one.
        "readinessProbe": {"exec": {"command": ["false"]}},
        "securityContext": restricted,
    }
    spec = {"restartPolicy": "Never", "automountServiceAccountToken": False, "containers": [container]}
    metadata = {"name": f"reach-{source}", "labels": _labels(release, source)}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _labels(release: Release, source: str) -> dict[str, str]:
    if source == STRANGER:
        return {}
    if source == "worker":
        return {"app.kubernetes.io/component": "worker", "video2mp3.dev/conversion": "none"}
    deployment = json.loads(release.kubectl("get", "deployment", release.component(source), "--output", "json"))
    labels: dict[str, str] = deployment["spec"]["selector"]["matchLabels"]
    return labels


def _reached(release: Release, source: str) -> set[str]:
    def ended() -> bool:
        pod = json.loads(release.kubectl("get", "pod", f"reach-{source}", "--output", "json"))
        return pod["status"].get("phase") in ("Succeeded", "Failed")

    await_value(ended, seconds=120, what=f"reach-{source} has tried everybody")
    return set(json.loads(release.kubectl("logs", f"reach-{source}")))
