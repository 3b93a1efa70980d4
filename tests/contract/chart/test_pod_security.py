"""Every pod of the chart, and every worker, satisfies the restricted Pod Security Standard and writes nowhere else."""

from copy import deepcopy
from typing import Any

import pytest

from tests.contract.chart.manifests import Manifests
from tests.contract.chart.pod_security import violations

TALKS_TO_KUBERNETES = {"gateway", "operator", "secrets"}


def test_no_pod_violates_the_restricted_profile(manifests: Manifests):
    found = {pod.owner: violations(pod.spec) for pod in manifests.pods()}
    assert not any(found.values()), found
    assert len(found) == 10


def test_no_container_can_write_to_its_image(manifests: Manifests):
    for pod in manifests.pods():
        for container in pod.containers:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, pod.owner
            assert "/tmp" in {mount["mountPath"] for mount in container["volumeMounts"]}, pod.owner


def test_only_those_who_talk_to_kubernetes_have_a_token(manifests: Manifests):
    with_token = {pod.component for pod in manifests.pods() if pod.spec["automountServiceAccountToken"]}
    assert with_token == TALKS_TO_KUBERNETES
    assert not any(account["automountServiceAccountToken"] for account in manifests.of_kind("ServiceAccount"))


def test_every_pod_has_an_account_of_its_own(manifests: Manifests):
    for pod in manifests.pods():
        assert manifests.named("ServiceAccount", pod.spec["serviceAccountName"], pod.namespace)
        assert pod.spec["serviceAccountName"].endswith(f"-{pod.component}")


def good_pod() -> dict[str, Any]:
    return {
        "securityContext": {"runAsNonRoot": True, "runAsUser": 1, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [
            {
                "name": "c",
                "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
            }
        ],
    }


CONTAINER = ("containers", 0, "securityContext")


@pytest.mark.parametrize(
    ("path", "value", "violation"),
    [
        (("hostNetwork",), True, "hostNetwork is set"),
        (("volumes",), [{"name": "v", "hostPath": {"path": "/"}}], "volume v is a hostPath"),
        (("securityContext", "runAsUser"), 0, "c: runAsUser is not a number above 0"),
        (("securityContext", "runAsNonRoot"), None, "c: runAsNonRoot is not true"),
        (("securityContext", "seccompProfile"), {"type": "Unconfined"}, "c: no seccomp profile"),
        (
            ("containers", 0, "securityContext", "allowPrivilegeEscalation"),
            True,
            "c: allowPrivilegeEscalation is not false",
        ),
        (("containers", 0, "securityContext", "capabilities"), {"drop": ["NET_RAW"]}, "c: keeps capabilities"),
        (("containers", 0, "ports"), [{"containerPort": 1, "hostPort": 1}], "c: has a host port"),
    ],
)
def test_the_checker_finds(path: tuple[Any, ...], value: object, violation: str):
    pod = deepcopy(good_pod())
    assert violations(pod) == []
    place: Any = pod
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert violation in violations(pod)
