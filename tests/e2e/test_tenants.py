"""Somebody with the role `edit` in a watched namespace tries every way that it gives to another account's files."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import media
from tests.e2e.conftest import TENANT_NAMESPACE
from tests.e2e.release import Account, Release, await_value, build_conversion
from tests.e2e.test_network_policies import build_pod, worker_of
from video2mp3_contracts.api import names

TENANT = Account("tenant@example.com", "")
"""Known to Kubernetes alone."""

WORKER = worker_of("video2mp3")
"""The labels of the release's workers."""

_REACH = 'for target; do timeout 3 bash -c ": </dev/tcp/$target" 2>/dev/null && echo "$target"; done; true'


class Tenant:
    """What the tenant does with kubectl, in the namespace that is theirs."""

    def __init__(self, release: Release) -> None:
        self._release = release

    def kubectl(self, *arguments: str, namespace: str = TENANT_NAMESPACE, **options: Any) -> str:
        """Run kubectl as the tenant."""
        return self._release.kubectl("--as", TENANT.email, "--namespace", namespace, *arguments, **options)

    def apply(self, document: dict[str, Any]) -> str:
        """Apply a document; answers what kubectl says, be it a refusal."""
        return self.kubectl("apply", "--filename=-", stdin=json.dumps(document), check=False)

    def conversion(self, name: str) -> dict[str, Any]:
        """One Conversion as a document."""
        document: dict[str, Any] = json.loads(self.kubectl("get", "conversion", name, "--output", "json"))
        return document

    def await_end(self, name: str) -> dict[str, Any]:
        """Wait until a Conversion has ended; answers its status."""

        def look() -> dict[str, Any] | None:
            status: dict[str, Any] = self.conversion(name)["status"]
            return status if status["phase"] in ("Succeeded", "Failed") else None

        return await_value(look, seconds=120, what=f"{name} has ended")


@pytest.fixture(scope="module")
def tenant(release: Release) -> Iterator[Tenant]:
    """Somebody with the role `edit` in a watched namespace, who leaves nothing there."""
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "tenant", "namespace": TENANT_NAMESPACE},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": TENANT.email}],
    }
    there = ("--namespace", TENANT_NAMESPACE)
    release.kubectl(*there, "apply", "--server-side", "--filename=-", stdin=json.dumps(binding))
    yield Tenant(release)
    release.kubectl(*there, "delete", "conversions,jobs,pods", "--all", "--timeout=60s")


@pytest.fixture
def victims_file(release: Release, account: Account, tmp_path: Path) -> str:
    """A video of somebody who uses the gateway."""
    return release.store_source(media.make_video(tmp_path / "secret.mp4", 2), account.email)


def test_their_own_file_is_converted_where_they_may_not_look(release: Release, tenant: Tenant, tmp_path: Path) -> None:
    source = release.store_source(media.make_video(tmp_path / "own.mp4", 2), TENANT.email)
    assert "created" in tenant.apply(build_conversion("own", TENANT, source, deletionPolicy="Delete"))
    status = tenant.await_end("own")
    assert status["reason"] == "Succeeded", status
    assert len(release.mp3s_of(tenant.conversion("own")["metadata"]["uid"])) == 1
    events = release.objects("events", "")
    assert any(event["involvedObject"]["name"].startswith("own-") for event in events), "its Job ran elsewhere"


def test_no_secret_that_opens_a_store_is_theirs_to_read(release: Release, tenant: Tenant) -> None:
    secrets = json.loads(tenant.kubectl("get", "secrets", "--output", "json"))["items"]
    assert secrets == []
    for what in (("get", "secrets"), ("create", "pods/exec"), ("create", "pods"), ("create", "jobs.batch")):
        assert tenant.kubectl("auth", "can-i", *what, namespace=release.namespace, check=False).strip() != "yes", what


def test_a_pod_of_theirs_reaches_no_store(release: Release, tenant: Tenant) -> None:
    """With the workers' labels; the workers' ServiceAccount is not there to run it as."""
    tenant.apply(build_pod("forged", WORKER))
    tenant.kubectl("wait", "--for=condition=Ready", "pod/forged", "--timeout=60s")
    stores = {"mongodb": 27017, "rabbitmq": 5672, "mysql": 3306}
    addresses = [f"{release.pods(name)[0]['status']['podIP']}/{port}" for name, port in stores.items()]
    assert tenant.kubectl("exec", "forged", "--", "bash", "-c", _REACH, "bash", *addresses).split() == []
    pod = build_pod("borrowed", WORKER)
    pod["spec"]["serviceAccountName"] = release.component("worker")
    assert "not found" in tenant.apply(pod)


def test_a_job_that_asks_for_the_workers_secret_does_not_start(release: Release, tenant: Tenant) -> None:
    pod = build_pod("stolen", WORKER)
    secret = {"name": release.component("worker"), "key": "mongodb-uri"}
    pod["spec"]["containers"][0]["env"] = [{"name": "URI", "valueFrom": {"secretKeyRef": secret}}]
    template = {"metadata": {"labels": WORKER}, "spec": pod["spec"] | {"restartPolicy": "Never"}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "stolen"}, "spec": {"template": template}}
    assert "created" in tenant.apply(job)

    def why() -> str:
        [found] = json.loads(tenant.kubectl("get", "pods", "--selector", "job-name=stolen", "--output", "json"))[
            "items"
        ]
        [container] = found.get("status", {}).get("containerStatuses", [{}])
        return str(container.get("state", {}).get("waiting", {}).get("reason", ""))

    reason = await_value(
        lambda: why() if "Error" in why() else None, seconds=60, what="the kubelet looks for the Secret"
    )
    assert reason == "CreateContainerConfigError"


def test_nobody_else_can_be_named_as_the_owner(tenant: Tenant, account: Account, victims_file: str) -> None:
    said = tenant.apply(build_conversion("as-another", account, victims_file))
    assert f"spec.owner must be empty or your own name, {TENANT.email}" in said


@pytest.mark.parametrize("owner", [TENANT.email, None])
def test_another_accounts_file_is_not_converted(
    release: Release, tenant: Tenant, victims_file: str, owner: str | None
) -> None:
    name = f"theft-{'own' if owner else 'nobody'}"
    document = build_conversion(name, TENANT, victims_file)
    if owner is None:
        del document["spec"]["owner"]
    assert "created" in tenant.apply(document)
    status = tenant.await_end(name)
    assert status["reason"] in ("OwnerMismatch", "SourceNotFound"), status
    assert release.mp3s_of(tenant.conversion(name)["metadata"]["uid"]) == []
    assert release.has_source(victims_file)


def test_a_job_that_says_it_is_anothers_worker_changes_nothing(
    release: Release, tenant: Tenant, account: Account, long_video: Path
) -> None:
    """Its labels name a Conversion that runs in the release's namespace."""
    name = release.upload(account, long_video)["conversion"]
    uid = release.conversion(name)["metadata"]["uid"]
    labels = WORKER | {
        names.LABEL_CONVERSION: name,
        names.LABEL_CONVERSION_UID: uid,
        names.LABEL_CONVERSION_NAMESPACE: release.namespace,
        names.LABEL_JOB_GENERATION: "9",
    }
    pod = build_pod("speaks", {})["spec"] | {"restartPolicy": "Never"}
    pod["containers"][0]["command"] = ["false"]
    spec = {"backoffLimit": 0, "template": {"metadata": {"labels": labels}, "spec": pod}}
    metadata = {"name": "speaks-for-another", "labels": labels}
    assert "created" in tenant.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec})
    tenant.kubectl("wait", "--for=condition=Failed", "job/speaks-for-another", "--timeout=60s")
    release.await_phase(name, "Succeeded")
