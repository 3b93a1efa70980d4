"""Pods that run as a user whom the cluster chooses, as OpenShift's `restricted-v2` does it, convert a video."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import media
from tests.e2e.outcome import assert_one_mp3_and_one_email
from tests.e2e.release import Account, Release, await_value
from video2mp3_contracts.api import names

USER = 1_000_680_000
"""Of the first range that OpenShift gives a namespace; nobody in any image has it. Its group is root's."""

SERVICES = ("auth", "gateway", "notifier", "operator")
POLICY = "tests-any-user"
API = "admissionregistration.k8s.io/v1"


def policy(namespace: str) -> list[dict[str, Any]]:
    """Every new pod of the namespace but the stores' gets that user."""
    context = f"Object.spec.securityContext{{runAsUser: {USER}, runAsGroup: 0, fsGroup: {USER}}}"
    expression = f"Object{{spec: Object.spec{{securityContext: {context}}}}}"
    rule = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    stores = {"key": "app.kubernetes.io/component", "operator": "NotIn", "values": ["mysql", "mongodb", "rabbitmq"]}
    here = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    return [
        {
            "apiVersion": API,
            "kind": "MutatingAdmissionPolicy",
            "metadata": {"name": POLICY},
            "spec": {
                "failurePolicy": "Fail",
                "reinvocationPolicy": "Never",
                "matchConstraints": {
                    "resourceRules": [rule],
                    "namespaceSelector": here,
                    "objectSelector": {"matchExpressions": [stores]},
                },
                "mutations": [
                    {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": expression}},
                ],
            },
        },
        {
            "apiVersion": API,
            "kind": "MutatingAdmissionPolicyBinding",
            "metadata": {"name": POLICY},
            "spec": {"policyName": POLICY},
        },
    ]


@pytest.fixture
def any_user(release: Release) -> Iterator[None]:
    """Whatever starts while this is used."""
    release.apply(*policy(release.namespace))
    # The API server reads policies behind the back of who makes them.
    await_value(lambda: user_of(tried(release)) == USER, seconds=60, what="new pods get the user")
    yield
    for kind in ("mutatingadmissionpolicybinding", "mutatingadmissionpolicy"):
        release.kubectl("delete", kind, POLICY)


def tried(release: Release) -> dict[str, Any]:
    """A pod as it would be, if it were made."""
    confined = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "tried"},
        "spec": {
            "containers": [{"name": "tried", "image": "tried", "securityContext": confined}],
            "securityContext": {"runAsNonRoot": True, "runAsUser": 1, "seccompProfile": {"type": "RuntimeDefault"}},
        },
    }
    arguments = ("create", "--dry-run=server", "--output=json", "--filename=-")
    answer: dict[str, Any] = json.loads(release.kubectl(*arguments, stdin=json.dumps(pod)))
    return answer


def user_of(pod: dict[str, Any]) -> int:
    found: int = pod["spec"]["securityContext"]["runAsUser"]
    return found


def test_a_user_that_no_image_knows(release: Release, account: Account, any_user: None, tmp_path: Path) -> None:
    workloads = [f"deployment/{release.component(name)}" for name in SERVICES]
    release.kubectl("rollout", "restart", *workloads)
    for workload in workloads:
        release.kubectl("rollout", "status", workload, "--timeout=180s")

    answer = release.upload(account, media.make_video(tmp_path / "any-user.mp4", 3))
    uid = release.conversion(answer["conversion"])["metadata"]["uid"]
    selector = f"{names.LABEL_CONVERSION_UID}={uid}"
    [worker] = await_value(lambda: release.objects("pods", selector), seconds=90, what="a worker's pod")
    assert_one_mp3_and_one_email(release, answer["conversion"], account)

    running = [pod for name in SERVICES for pod in release.pods(name) if "deletionTimestamp" not in pod["metadata"]]
    assert {user_of(pod) for pod in (worker, *running)} == {USER}
