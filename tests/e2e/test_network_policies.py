"""The flows that are needed get through the cluster's network, and no others: each is tried, from pods of each kind."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from tests.contract.chart.flows import ASKS_FOR_NAMES, FLOWS, METRICS_PORTS, PORTS, TALKS_TO_KUBERNETES
from tests.contract.chart.helm import NAMESPACE as ELSEWHERE
from tests.contract.chart.helm import RELEASE, Chart
from tests.e2e import public_web
from tests.e2e.public_web import PublicWeb
from tests.e2e.release import Release
from video2mp3_contracts.api import names
from video2mp3_localcluster.demo import mail_server
from video2mp3_localcluster.images.references import image_references
from video2mp3_localcluster.node.addresses import API_PORT, DNS_SERVICE_IP, NODE_IP


def worker_of(instance: str) -> dict[str, str]:
    """The labels of a worker of a release."""
    return {
        names.LABEL_INSTANCE: instance,
        names.LABEL_COMPONENT: names.COMPONENT_WORKER,
        names.LABEL_CONVERSION: "none",
    }


AROUND = {
    "dns": ASKS_FOR_NAMES,
    "api-server": TALKS_TO_KUBERNETES,
    "mail-server": {"notifier"},
    "internet": {"worker"},
}
"""Servers that are no part of the release, and who needs them."""

SHY = {name for name, port in METRICS_PORTS.items() if port != PORTS[name]}
"""Who has metrics on a port of their own, which nobody of these reaches."""

STRANGER = "anybody"
"""A pod of the same namespace, which no policy limits."""

FOREIGN = "worker elsewhere"
"""A worker in a namespace that no operator watches, under the policy of a release whose videos are only uploaded."""

IMPOSTOR = "gateway elsewhere"
"""A pod with the gateway's labels in that namespace, which no policy limits."""

UNLIMITED = (STRANGER, IMPOSTOR)

ATTEMPTS = 10
"""A pod's policies take hold a moment after its start."""

_TRY = """
for target; do
  (timeout 3 bash -c ": </dev/tcp/${target#*=}" 2>/dev/null && echo "${target%%=*}") &
done
wait
"""

Places = dict[str, tuple[Release, str]]
"""Where flows start: the namespace and the pod, by name."""


@pytest.fixture(scope="module")
def targets(release: Release, web: PublicWeb) -> dict[str, str]:
    """Where flows end, as bash writes addresses. Of the release and the mail server they are the pods' own."""
    del web  # it is the internet
    mail = release.objects("pods", f"app.kubernetes.io/name={mail_server.NAME}")[0]["status"]["podIP"]
    return {
        **{name: f"{_pod_of(release, name)['status']['podIP']}/{port}" for name, port in PORTS.items()},
        **{f"metrics-of-{name}": f"{_pod_of(release, name)['status']['podIP']}/{METRICS_PORTS[name]}" for name in SHY},
        "dns": f"{DNS_SERVICE_IP}/53",
        "api-server": f"{NODE_IP}/{API_PORT}",
        "mail-server": f"{mail}/{mail_server.SMTP_PORT}",
        "internet": f"{public_web.ADDRESS}/{public_web.PORT}",
    }


@pytest.fixture(scope="module")
def places(release: Release) -> Iterator[Places]:
    """The release's own pods, and some that are made for this."""
    elsewhere = replace(release, namespace=ELSEWHERE)
    release.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ELSEWHERE}})
    gateway = _pod_of(release, "gateway")["metadata"]["labels"]
    try:
        foreign, impostor = build_pod("worker", worker_of(RELEASE)), build_pod("impostor", gateway)
        elsewhere.apply(_policy_of_workers(elsewhere), foreign, impostor)
        release.apply(build_pod("worker", worker_of(release.name)), build_pod("stranger", {}))
        elsewhere.kubectl("wait", "--for=condition=Ready", "pod/worker", "pod/impostor", "--timeout=60s")
        release.kubectl("wait", "--for=condition=Ready", "pod/worker", "pod/stranger", "--timeout=60s")
        yield {
            **{name: (release, _pod_of(release, name)["metadata"]["name"]) for name in PORTS},
            "worker": (release, "worker"),
            STRANGER: (release, "stranger"),
            FOREIGN: (elsewhere, "worker"),
            IMPOSTOR: (elsewhere, "impostor"),
        }
    finally:
        release.kubectl("delete", "pod", "worker", "stranger", "--ignore-not-found")
        release.kubectl("delete", "namespace", ELSEWHERE)


@pytest.mark.parametrize("source", [*PORTS, "worker", STRANGER, FOREIGN, IMPOSTOR])
def test_it_reaches_whom_it_needs_and_nobody_else(source: str, places: Places, targets: dict[str, str]) -> None:
    where, pod = places[source]
    others = [f"{name}={address}" for name, address in targets.items() if name not in (source, f"metrics-of-{source}")]
    for _ in range(ATTEMPTS):
        reached = set(where.kubectl("exec", pod, "--", "bash", "-c", _TRY, "bash", *others).split())
        if reached == needed(source):
            break
    assert reached == needed(source)


def test_from_outside_the_gateway_is_reached_and_nobody_else(targets: dict[str, str]) -> None:
    ours = [f"{name}={targets[name]}" for name in (*PORTS, *(f"metrics-of-{name}" for name in SHY))]
    done = subprocess.run(["bash", "-c", _TRY, "bash", *ours], capture_output=True, text=True, timeout=30, check=True)
    # The tests have a policy of their own for MongoDB.
    assert set(done.stdout.split()) == {"gateway", "mongodb"}


def needed(source: str) -> set[str]:
    """Whom a pod reaches."""
    if source == FOREIGN:
        return {"dns"}
    if source in UNLIMITED:
        return {"gateway", *AROUND}
    around = {server for server, who in AROUND.items() if source in who}
    return around | {target for one, target in FLOWS if one == source}


def _pod_of(release: Release, component: str) -> dict[str, Any]:
    return next(pod for pod in release.pods(component) if "deletionTimestamp" not in pod["metadata"])


def _policy_of_workers(where: Release) -> dict[str, Any]:
    chart = Chart(where.kubectl_program.with_name("helm"))
    return chart.render().named("NetworkPolicy", "video2mp3-worker")


def build_pod(name: str, labels: dict[str, str]) -> dict[str, Any]:
    """A pod that does nothing by itself."""
    container = {
        "name": "bash",
        "image": image_references()["worker"],
        "imagePullPolicy": "Never",
        "command": ["sleep", "infinity"],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    spec = {"automountServiceAccountToken": False, "terminationGracePeriodSeconds": 0, "containers": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels}, "spec": spec}
