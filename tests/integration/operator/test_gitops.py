"""Conversions from Git: applied as Argo CD and Flux apply them, pruned as they prune, by a real API server."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.operator.cluster import OWNER, Cluster
from tests.integration.operator.operator_process import OperatorProcess
from tests.servers import KubernetesServer
from video2mp3_contracts.api import names

KEYNOTE = Path(__file__).parents[3] / "examples" / "gitops" / "conversions" / "keynote.yaml"
Document = dict[str, Any]


@dataclass(frozen=True)
class Tool:
    """How one of the two writes."""

    manager: str
    """Its name in managedFields."""

    marks: Document
    """What it adds to the metadata, to find its own again."""


TOOLS = {
    "Argo CD": Tool(
        "argocd-controller",
        {"annotations": {"argocd.argoproj.io/tracking-id": "talks:video2mp3.dev/Conversion:media/keynote-2026"}},
    ),
    "Flux": Tool(
        "kustomize-controller",
        {
            "labels": {
                "kustomize.toolkit.fluxcd.io/name": "talks",
                "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
            }
        },
    ),
}


@dataclass(frozen=True)
class Git:
    """A repository that holds the example's Conversion, and the tool that brings it into the cluster."""

    tool: Tool
    server: KubernetesServer
    namespace: str
    file_id: str

    def document(self, **spec: Any) -> Document:
        """What the tool makes of the repository's file."""
        document: Document = yaml.safe_load(KEYNOTE.read_text())
        document["metadata"] |= {"namespace": self.namespace, **self.tool.marks}
        document["spec"] |= {"source": {"gridfs": {"fileId": self.file_id}}, "owner": OWNER, **spec}
        return document

    @property
    def name(self) -> str:
        """The Conversion's."""
        return str(self.document()["metadata"]["name"])

    def sync(self, **spec: Any) -> Document:
        """Apply it without force: a field that somebody else owns would be a conflict."""
        apply = ("apply", "--server-side", f"--field-manager={self.tool.manager}", "--filename=-", "--output=json")
        applied: Document = json.loads(self.server.kubectl(*apply, stdin=json.dumps(self.document(**spec))))
        return applied

    def prune(self) -> None:
        """It is not in the repository any more."""
        where = ("--namespace", self.namespace, "--cascade=background", "--timeout=30s")
        self.server.kubectl("delete", "conversion", self.name, *where)


@pytest.fixture(params=TOOLS.values(), ids=[*TOOLS])
def git(
    request: pytest.FixtureRequest, kube_apiserver: KubernetesServer, cluster: Cluster, operator: OperatorProcess
) -> Git:
    del operator  # it runs
    return Git(request.param, kube_apiserver, cluster.namespace, cluster.upload())


def converted(cluster: Cluster, git: Git) -> Document:
    """The Conversion when its worker is done and its Job is gone."""
    cluster.await_job(git.name)
    cluster.work(git.name)
    cluster.remove_job(git.name)
    cluster.await_reason(git.name, "Succeeded")
    return cluster.conversion(git.name)


def owned_by_operator(document: Document, tool: Tool) -> set[str]:
    """The paths in managedFields that neither the tool nor the API server's defaults have written."""
    others = [each for each in document["metadata"]["managedFields"] if each["manager"] != tool.manager]
    return {path for each in others for path in paths(each["fieldsV1"])}


def paths(fields: Document, above: str = "") -> set[str]:
    """The fields of a fieldsV1 document, two levels deep."""
    found: set[str] = set()
    for key, below in fields.items():
        here = f"{above}.{key.removeprefix('f:')}".lstrip(".")
        if key == ".":
            continue
        found |= paths(below, here) if here == "metadata" and below else {here}
    return found


def test_applying_it_again_changes_nothing(cluster: Cluster, git: Git) -> None:
    git.sync()
    finished = converted(cluster, git)
    again = git.sync()
    assert again["metadata"]["resourceVersion"] == finished["metadata"]["resourceVersion"]
    assert (again["metadata"]["generation"], again["status"]) == (1, finished["status"])


def test_the_operator_owns_status_and_finalizers_and_nothing_else(cluster: Cluster, git: Git) -> None:
    applied = git.sync()
    finished = converted(cluster, git)
    assert owned_by_operator(finished, git.tool) == {"status", "metadata.finalizers"}
    kept = ("labels", "annotations")
    assert [finished["metadata"].get(key) for key in kept] == [applied["metadata"].get(key) for key in kept]
    assert finished["spec"] == applied["spec"]


def test_what_was_pruned_and_applied_again_gets_its_mp3_back(cluster: Cluster, git: Git) -> None:
    git.sync()
    first = converted(cluster, git)
    git.prune()
    cluster.await_gone(git.name)
    assert cluster.files("mp3s") == {first["status"]["output"]["fileId"]}
    assert cluster.files("videos") == {git.file_id}

    git.sync()
    second = cluster.await_reason(git.name, "Succeeded")
    assert second["output"] == first["status"]["output"]
    assert cluster.conversion(git.name)["metadata"]["uid"] != first["metadata"]["uid"]
    assert cluster.jobs() == []
    # Nor does it lose it when it is pruned for the second time.
    git.prune()
    cluster.await_gone(git.name)
    assert cluster.files("mp3s") == {second["output"]["fileId"]}


def test_pruning_takes_the_files_of_what_does_not_retain_them(cluster: Cluster, git: Git) -> None:
    git.sync(deletionPolicy="Delete", sourcePolicy="DeleteAfterSuccess")
    converted(cluster, git)
    git.prune()
    cluster.await_gone(git.name)
    assert (cluster.files("mp3s"), cluster.files("videos")) == (set(), set())


def test_pruning_while_it_runs_ends_the_worker(cluster: Cluster, git: Git) -> None:
    git.sync()
    cluster.await_job(git.name)
    cluster.run(git.name)
    cluster.await_reason(git.name, "Running")
    git.prune()
    cluster.await_gone(git.name)
    assert (cluster.jobs(), cluster.files("videos")) == ([], {git.file_id})


def test_its_time_to_live_takes_nothing_from_git(cluster: Cluster, git: Git) -> None:
    git.sync(ttlSecondsAfterFinished=0)
    cluster.await_job(git.name)
    cluster.work(git.name)
    status = cluster.await_status(
        git.name, lambda status: any(each["type"] == "Expired" for each in status["conditions"])
    )
    [expired] = [each for each in status["conditions"] if each["type"] == "Expired"]
    mark = next(name for marks in git.tool.marks.values() for name in marks)
    assert (expired["reason"], mark in expired["message"]) == ("ManagedByGit", True)
    assert status["phase"] == "Succeeded"
    assert cluster.conversion(git.name)["metadata"]["finalizers"] == [names.FINALIZER]
