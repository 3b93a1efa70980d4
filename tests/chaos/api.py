"""Pods by the API server itself: on a busy machine each start of kubectl takes seconds."""

from functools import cached_property
from typing import Any

import requests

from video2mp3_localcluster.node.addresses import API_URL
from video2mp3_localcluster.steps.layout import NodeFiles

_SECONDS = 10


class Pods:
    """The pods of one namespace, as the local cluster's administrator."""

    def __init__(self, files: NodeFiles, namespace: str) -> None:
        self._pki = files.pki
        self._url = f"{API_URL}/api/v1/namespaces/{namespace}/pods"

    @cached_property
    def _session(self) -> requests.Session:
        session = requests.Session()
        session.trust_env = False
        session.verify = str(self._pki / "ca.crt")
        session.cert = (str(self._pki / "admin.crt"), str(self._pki / "admin.key"))
        return session

    def close(self) -> None:
        """Close its connections."""
        self._session.close()

    def labelled(self, selector: str) -> list[dict[str, Any]]:
        """Those with labels. Raises requests.RequestException."""
        answer = self._session.get(self._url, params={"labelSelector": selector}, timeout=_SECONDS)
        answer.raise_for_status()
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def delete(self, name: str, grace_seconds: int | None = None) -> None:
        """Delete one, and wait for nothing; it may be gone. Raises requests.RequestException."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions"}
        body = options if grace_seconds is None else {**options, "gracePeriodSeconds": grace_seconds}
        answer = self._session.delete(f"{self._url}/{name}", json=body, timeout=_SECONDS)
        if answer.status_code != requests.codes.not_found:
            answer.raise_for_status()
