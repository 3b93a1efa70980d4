"""Rendered documents, and the questions that tests ask of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import TypeAdapter

from video2mp3_operator.adapters.kubernetes_secrets import new_value
from video2mp3_operator.installation.release_secrets import PlannedSecret, completed

Document = dict[str, Any]

COMPONENT = "app.kubernetes.io/component"
WORKLOADS = ("Deployment", "StatefulSet", "Job")


@dataclass(frozen=True)
class RenderedPod:
    """A pod that a document asks for."""

    owner: str
    """Kind and name of that document."""

    namespace: str
    labels: dict[str, str]
    spec: Document

    @property
    def component(self) -> str:
        return self.labels[COMPONENT]

    @property
    def containers(self) -> list[Document]:
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    def container(self, name: str) -> Document:
        return next(container for container in self.containers if container["name"] == name)


class Manifests:
    """All documents of one rendering."""

    def __init__(self, documents: list[Document]) -> None:
        self.documents = documents

    def of_kind(self, kind: str) -> list[Document]:
        return [document for document in self.documents if document["kind"] == kind]

    def named(self, kind: str, name: str, namespace: str | None = None) -> Document:
        found = [
            document
            for document in self.of_kind(kind)
            if document["metadata"]["name"] == name
            and (namespace is None or document["metadata"].get("namespace") == namespace)
        ]
        assert len(found) == 1, f"{len(found)} documents are {kind} {name}"
        return found[0]

    def pods(self) -> Iterator[RenderedPod]:
        """Every pod that these documents lead to, without the operator's Jobs."""
        for document in self.documents:
            metadata = document["metadata"]
            owner = f"{document['kind']}/{metadata['name']}"
            if document["kind"] == "Pod":
                yield RenderedPod(owner, metadata["namespace"], metadata["labels"], document["spec"])
            elif document["kind"] in WORKLOADS:
                template = document["spec"]["template"]
                yield RenderedPod(owner, metadata["namespace"], template["metadata"]["labels"], template["spec"])

    def pod(self, component: str) -> RenderedPod:
        return next(pod for pod in self.pods() if pod.component == component)

    @property
    def plan(self) -> list[PlannedSecret]:
        """The Secrets that the hook's Job makes."""
        job = next((each for each in self.of_kind("Job") if each["metadata"]["name"].endswith("-secrets")), None)
        if job is None:
            return []
        [container] = job["spec"]["template"]["spec"]["containers"]
        [text] = [each["value"] for each in container["env"] if each["name"] == "SECRETS_PLAN"]
        return TypeAdapter(list[PlannedSecret]).validate_json(text)

    @cached_property
    def secrets(self) -> dict[str, dict[str, str]]:
        """What it makes of them where there is none: the values, by the Secret's name."""
        made: dict[str, dict[str, str]] = {}
        for planned in self.plan:
            made[planned.name] = completed(planned, {}, made, new_value)
        return made

    def environment(self, container: Document) -> dict[str, str]:
        """A container's variables with those from Secrets filled in, as its process would see them."""
        return {variable["name"]: self._value(variable) for variable in container.get("env", [])}

    def _value(self, variable: Document) -> str:
        if "value" in variable:
            return str(variable["value"])
        reference = variable["valueFrom"]["secretKeyRef"]
        return self.secrets[reference["name"]][reference["key"]]


def environment(manifests: Manifests, component: str) -> dict[str, str]:
    """The variables of a component's own container."""
    return manifests.environment(manifests.pod(component).container(component))
