"""④ ConversionSets, and the Conversions that they make, by the Kubernetes API."""

from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from video2mp3_contracts.api import names
from video2mp3_operator.adapters.kubernetes import KubernetesApi, conversion_path
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.ports.errors import AlreadyExistsError, ConflictError, GoneError, InvalidError

Document = dict[str, Any]
_BASE: Final = f"/apis/{names.API_VERSION}"


class KubernetesSets:
    """Implements SetsApi."""

    def __init__(self, api: KubernetesApi) -> None:
        self._api = api

    def sets(self, namespace: str | None) -> AsyncIterator[Document]:
        """See the port."""
        where = f"/namespaces/{namespace}" if namespace else ""
        return self._api.list(f"{_BASE}{where}/{names.SET_PLURAL}")

    async def patch_status(self, key: Key, patch: Mapping[str, Any], version: int) -> Document:
        """See the port."""
        return await self._api.merge_status(_set(key), patch, version)

    async def expire(self, key: Key, uid: str, version: int) -> None:
        """See the port."""
        await self._api.delete_version(_set(key), uid, version, propagationPolicy="Background")

    async def config_map(self, namespace: str, name: str) -> Mapping[str, str] | None:
        """See the port."""
        try:
            document = await self._api.request("GET", f"/api/v1/namespaces/{namespace}/configmaps/{name}")
        except GoneError:
            return None
        data: Mapping[str, str] = document.get("data") or {}
        return data

    async def create(self, manifest: Mapping[str, Any]) -> Document | None:
        """See the port."""
        namespace = manifest["metadata"]["namespace"]
        try:
            return await self._api.request("POST", f"{_BASE}/namespaces/{namespace}/{names.PLURAL}", manifest)
        except AlreadyExistsError:
            return None

    async def change(self, key: Key, uid: str, patch: Mapping[str, Any]) -> Document | None:
        """See the port."""
        body = dict(patch) | {"metadata": {"uid": uid} | patch.get("metadata", {})}
        try:
            return await self._api.merge(conversion_path(key), body)
        except (ConflictError, GoneError, InvalidError):
            return None  # another of its name is there, or none: the watch tells

    async def delete(self, key: Key, uid: str) -> None:
        """See the port."""
        try:
            await self._api.request("DELETE", conversion_path(key), {"preconditions": {"uid": uid}})
        except (ConflictError, GoneError):
            return


def _set(key: Key) -> str:
    return f"{_BASE}/namespaces/{key.namespace}/{names.SET_PLURAL}/{key.name}"
