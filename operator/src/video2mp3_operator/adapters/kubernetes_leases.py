"""④ Leases by the Kubernetes API."""

from collections.abc import Mapping
from typing import Any

from video2mp3_operator.adapters.kubernetes import Document, KubernetesApi
from video2mp3_operator.ports.errors import GoneError


class KubernetesLeases:
    """Implements LeasesApi. `api` is nobody else's: a Lease is renewed however much is under way elsewhere."""

    def __init__(self, api: KubernetesApi) -> None:
        self._api = api

    async def find(self, namespace: str, name: str) -> Document | None:
        """See the port."""
        try:
            return await self._api.request("GET", f"{_leases(namespace)}/{name}")
        except GoneError:
            return None

    async def create(self, namespace: str, name: str, spec: Mapping[str, Any]) -> Document:
        """See the port."""
        return await self._api.request("POST", _leases(namespace), _lease({"name": name, "namespace": namespace}, spec))

    async def replace(self, lease: Mapping[str, Any], spec: Mapping[str, Any]) -> Document:
        """See the port."""
        metadata = lease["metadata"]
        path = f"{_leases(metadata['namespace'])}/{metadata['name']}"
        return await self._api.request("PUT", path, _lease(metadata, spec))


def _leases(namespace: str) -> str:
    return f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"


def _lease(metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> Document:
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
