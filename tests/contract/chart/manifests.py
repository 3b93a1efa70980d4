"""Rendered documents, and the questions that tests ask of them."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

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

    def secret(self, name: str, namespace: str | None = None) -> dict[str, str]:
        """A Secret's values as text."""
        data = self.named("Secret", name, namespace)["data"]
        return {key: base64.b64decode(value).decode() for key, value in data.items()}

    def environment(self, container: Document) -> dict[str, str]:
        """A container's variables with those from Secrets filled in, as its process would see them."""
        return {variable["name"]: self._value(variable) for variable in container.get("env", [])}

    def _value(self, variable: Document) -> str:
        if "value" in variable:
            return str(variable["value"])
        reference = variable["valueFrom"]["secretKeyRef"]
        return self.secret(reference["name"])[reference["key"]]
