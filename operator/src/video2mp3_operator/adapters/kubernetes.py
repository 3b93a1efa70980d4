"""④⑤ The Kubernetes API by `kubernetes.aio`: its transport, TLS and credentials, but plain documents.

The generated models would cost a hundred megabytes and most of the time of a request; we send and read documents.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.config.incluster_config import SERVICE_TOKEN_FILENAME, load_incluster_config
from kubernetes.aio.config.kube_config import load_kube_config

from video2mp3_contracts.api import names
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.ports.errors import (
    AlreadyExistsError,
    ConflictError,
    GoneError,
    InvalidError,
    OutsideError,
    RefusedError,
    UnavailableError,
)
from video2mp3_operator.telemetry.heartbeat import LABEL

Document = dict[str, Any]
WORKER_SELECTOR: Final = f"{names.LABEL_COMPONENT}={names.COMPONENT_WORKER},{names.LABEL_CONVERSION_UID}"
"""Which Jobs and pods are ours."""

_MERGE: Final = "application/merge-patch+json"
_APPLY: Final = "application/apply-patch+yaml"
_PAGE: Final = 500
_LONGEST_TROUBLE: Final = 512
"""Characters of an Event's message that are kept: as long as it may be in a status."""

_FIELD_MANAGER: Final = "video2mp3-operator"
_WRITING: Final = ("POST", "PUT", "PATCH")


async def load_configuration() -> Configuration:
    """Where the API server is and how to log in: the pod's service account, else the kubeconfig."""
    configuration = Configuration()
    if await asyncio.to_thread(Path(SERVICE_TOKEN_FILENAME).exists):
        load_incluster_config(configuration)  # type: ignore[no-untyped-call]
    else:
        await load_kube_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    return configuration


class KubernetesApi:
    """Implements ConversionsApi, JobsApi, Lister, EventsApi and HeartbeatApi."""

    def __init__(
        self, configuration: Configuration, timeout_seconds: float, count: Callable[[str, str], None], parallel: int
    ) -> None:
        """`count(method, code)` is told of every answer; at most `parallel` requests are under way."""
        configuration.connection_pool_maxsize = parallel
        # With it aiohttp asks a thread for proxies at each request. kopf's own client does not either.
        configuration.client_session_kwargs = {"trust_env": False}
        self._client = ApiClient(configuration)
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._count = count

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()  # type: ignore[no-untyped-call]

    # --- ConversionsApi ---

    async def get(self, key: Key) -> Document:
        """See the port."""
        return await self.request("GET", conversion_path(key))

    async def patch_status(self, key: Key, patch: Mapping[str, Any], version: int) -> Document:
        """See the port."""
        return await self.merge_status(conversion_path(key), patch, version)

    async def set_finalizers(self, key: Key, finalizers: Sequence[str], version: int) -> Document:
        """See the port."""
        body = {"metadata": {"resourceVersion": str(version), "finalizers": list(finalizers)}}
        return await self.merge(conversion_path(key), body)

    async def expire(self, key: Key, uid: str, version: int) -> None:
        """See the port. Somebody else's Conversion of the same name meets a conflict."""
        await self.delete_version(conversion_path(key), uid, version)

    # --- JobsApi ---

    async def create(self, manifest: Mapping[str, Any]) -> Document:
        """See the port."""
        metadata = manifest["metadata"]
        path = f"/apis/batch/v1/namespaces/{metadata['namespace']}/jobs"
        try:
            return await self.request("POST", path, manifest)
        except AlreadyExistsError:
            existing = await self.request("GET", f"{path}/{metadata['name']}")
            wanted = metadata["labels"][names.LABEL_CONVERSION_UID]
            if (existing["metadata"].get("labels") or {}).get(names.LABEL_CONVERSION_UID) != wanted:
                raise
            return existing

    async def delete(self, namespace: str, name: str, uid: str) -> bool:
        """See the port."""
        body = {"preconditions": {"uid": uid}, "propagationPolicy": "Background"}
        try:
            await self.request("DELETE", f"/apis/batch/v1/namespaces/{namespace}/jobs/{name}", body)
        except (GoneError, ConflictError):
            return False  # this Job is gone, and maybe another of its name is there
        return True

    async def pods_of(self, namespace: str, conversion_uid: str) -> Sequence[Document]:
        """See the port."""
        selector = f"{names.LABEL_CONVERSION_UID}={conversion_uid}"
        return [pod async for pod in self.list(f"/api/v1/namespaces/{namespace}/pods", selector)]

    async def trouble_of(self, namespace: str, job_uid: str) -> str:
        """See the port."""
        selector = f"involvedObject.uid={job_uid},reason=FailedCreate"
        events = await self.request(
            "GET", f"/api/v1/namespaces/{namespace}/events", query={"fieldSelector": selector, "limit": str(_PAGE)}
        )
        last = max(events["items"], key=_told_at, default=None)
        return str((last or {}).get("message", "")).removeprefix("Error creating: ")[:_LONGEST_TROUBLE]

    # --- Lister ---

    def conversions(self, namespace: str | None) -> AsyncIterator[Document]:
        """See the port."""
        return self.list(f"/apis/{names.API_VERSION}{_in(namespace)}/{names.PLURAL}")

    def classes(self) -> AsyncIterator[Document]:
        """See the port."""
        return self.list(f"/apis/{names.API_VERSION}/{names.CLASS_PLURAL}")

    def jobs(self, namespace: str | None) -> AsyncIterator[Document]:
        """See the port."""
        return self.list(f"/apis/batch/v1{_in(namespace)}/jobs", WORKER_SELECTOR)

    def pods(self, namespace: str | None) -> AsyncIterator[Document]:
        """See the port."""
        return self.list(f"/api/v1{_in(namespace)}/pods", WORKER_SELECTOR)

    # --- ClassesApi, EventsApi, HeartbeatApi ---

    async def apply_class(self, manifest: Mapping[str, Any]) -> None:
        """See the port."""
        path = f"/apis/{names.API_VERSION}/{names.CLASS_PLURAL}/{manifest['metadata']['name']}"
        await self.request("PATCH", path, manifest, query={"force": "true"}, content_type=_APPLY)

    async def post(self, manifest: Mapping[str, Any]) -> None:
        """See the port."""
        try:
            await self.request("POST", f"/api/v1/namespaces/{manifest['metadata']['namespace']}/events", manifest)
        except (AlreadyExistsError, GoneError):
            return  # told before; or the namespace is gone, and with it who could read it

    async def beat(self, namespace: str, name: str, now: datetime) -> str:
        """See the port."""
        path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}"
        lease = {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": name, "namespace": namespace, "labels": {LABEL: "operator"}},
            "spec": {"renewTime": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")},
        }
        answer = await self.request("PATCH", path, lease, query={"force": "true"}, content_type=_APPLY)
        return str(answer["metadata"]["uid"])

    # --- transport ---

    async def merge(self, path: str, patch: Mapping[str, Any]) -> Document:
        """Change what a patch names; a `resourceVersion` in it must be the present one. Raises OutsideError."""
        return await self.request("PATCH", path, patch, content_type=_MERGE)

    async def merge_status(self, path: str, patch: Mapping[str, Any], version: int) -> Document:
        """Change what a patch names of the status of the object at `path`, if it is of this version still."""
        return await self.merge(f"{path}/status", {"metadata": {"resourceVersion": str(version)}, "status": patch})

    async def delete_version(self, path: str, uid: str, version: int, **options: str) -> None:
        """Delete the object at `path`, if it is this one, of this version. One that is gone is gone."""
        preconditions = {"preconditions": {"uid": uid, "resourceVersion": str(version)}}
        try:
            await self.request("DELETE", path, preconditions | options)
        except GoneError:
            return

    async def request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Document:
        """Ask the API server; answers its document. Raises OutsideError."""
        headers = {"Accept": "application/json", "Content-Type": content_type}
        await self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        parameters = dict(query or {}) | ({"fieldManager": _FIELD_MANAGER} if method in _WRITING else {})
        url = f"{self._client.configuration.host}{path}?{urlencode(parameters)}"
        try:
            response = await self._client.call_api(method, url, headers, body, _request_timeout=self._timeout)
            content = await response.read()  # type: ignore[no-untyped-call]
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            self._count(method, "none")
            raise UnavailableError(f"the API server did not answer: {type(error).__name__} {error}") from error
        self._count(method, str(response.status))
        if response.status >= HTTPStatus.MULTIPLE_CHOICES:
            raise _translated(response.status, content)
        document: Document = json.loads(content)
        return document

    async def list(self, path: str, selector: str = "") -> AsyncIterator[Document]:
        """All objects of a list, page by page. A list that takes so long that its pages expire is unavailable."""
        query = {"limit": str(_PAGE)} | ({"labelSelector": selector} if selector else {})
        token = ""
        while True:
            page = await self.request("GET", path, query=query | ({"continue": token} if token else {}))
            for item in page["items"]:
                yield item
            token = page["metadata"].get("continue", "")
            if not token:
                return


def conversion_path(key: Key) -> str:
    """Where the API server has a Conversion."""
    return f"/apis/{names.API_VERSION}/namespaces/{key.namespace}/{names.PLURAL}/{key.name}"


def _told_at(event: Document) -> str:
    """When an Event was told last; times of one form compare as text."""
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"])


def _in(namespace: str | None) -> str:
    return "" if namespace is None else f"/namespaces/{namespace}"


def _translated(status: int, content: bytes) -> OutsideError:
    """The API server's `metav1.Status` as one of our errors."""
    try:
        answer = json.loads(content)
    except ValueError:
        answer = {}
    message, reason = str(answer.get("message", "")), answer.get("reason", "")
    if status == HTTPStatus.NOT_FOUND:
        return GoneError(message)
    if status == HTTPStatus.CONFLICT:
        return AlreadyExistsError(message) if reason == "AlreadyExists" else ConflictError(message)
    if status in _TRANSIENT or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return UnavailableError(f"the API server answered {status} {message}")
    refused = InvalidError if status == HTTPStatus.UNPROCESSABLE_ENTITY and _names_a_field(answer) else RefusedError
    return refused(message or f"the API server answered {status}")


def _names_a_field(answer: Document) -> bool:
    """Whether the schema refuses the object; an admission policy answers by the same code, and may be changed."""
    causes = (answer.get("details") or {}).get("causes") or ()
    return any(cause.get("field") for cause in causes)


_TRANSIENT: Final = frozenset(
    # A token that has just expired, a page that has, and flow control.
    {HTTPStatus.UNAUTHORIZED, HTTPStatus.GONE, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT}
)
