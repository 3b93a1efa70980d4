"""ConversionClasses in the Kubernetes API: a handful, of no namespace."""

from http import HTTPStatus
from typing import Final

import structlog
from kubernetes.client import ApiClient

from video2mp3_contracts.api import names
from video2mp3_gateway.adapters.kubernetes_requests import KubernetesRequests, expect
from video2mp3_gateway.ports.systems import Document

_PATH: Final = f"/apis/{names.API_VERSION}/{names.CLASS_PLURAL}"

_TIMEOUT: Final = (1.0, 2.0)
"""Seconds to connect, and between two bytes of the answer. An upload waits for it, and can do without."""

_MOST: Final = 500
"""Classes that are looked at: nobody has so many, and none may make the gateway large."""

_NOT_SERVED: Final[dict[int, str]] = {
    HTTPStatus.FORBIDDEN: "403: its service account may not list them",
    HTTPStatus.NOT_FOUND: "404: the cluster does not know the kind",
}

_log = structlog.get_logger(__name__)


class KubernetesClasses:
    """The classes of the cluster."""

    def __init__(self, client: ApiClient) -> None:
        self._api = KubernetesRequests(client)
        self._complaint = ""

    def all(self) -> list[Document]:
        """List them."""
        response = self._api.send("GET", _PATH, query={"limit": str(_MOST)}, timeout=_TIMEOUT)
        # Of a kind that it does not know the API server speaks in plain text, so the status alone counts.
        self._tell(_NOT_SERVED.get(response.status, ""))
        if response.status in _NOT_SERVED:
            response.response.drain_conn()
            return []
        items: list[Document] = expect(response.status, self._api.json_of(response), 200)["items"]
        return items

    def _tell(self, complaint: str) -> None:
        """Say once, until it changes, that there are none to be seen."""
        if complaint and complaint != self._complaint:
            _log.warning("classes_not_served", error=complaint)
        self._complaint = complaint
