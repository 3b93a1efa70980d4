"""③ Conversions in the Kubernetes API.

Only the `kubernetes` package's client core is used (configuration, credentials and their refresh, TLS, connections):
its generated API classes would take 12 MB more, and answer with the same dictionaries.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import structlog
import urllib3
from kubernetes import config
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from pydantic import ValidationError

from video2mp3_contracts import names
from video2mp3_contracts.conversion import Conversion
from video2mp3_gateway.ports import ConversionRefused, ServiceAway

_TIMEOUT: Final = (2.0, 8.0)
"""Seconds to connect, and between two bytes of an answer."""

_PAGE: Final = 100
"""Conversions in one answer of a list: a few hundred kilobytes."""

_TRY_AGAIN: Final = frozenset({401, 408, 429, 500, 502, 503, 504})
"""401 as well: the service account's token is renewed and read again within a minute."""

_log = structlog.get_logger(__name__)


def connect(kubeconfig: Path | None, connections: int) -> ApiClient:
    """A client with the pod's service account, or with a kubeconfig file's current context."""
    configuration = Configuration()
    if kubeconfig is None:
        config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    else:
        config.load_kube_config(str(kubeconfig), client_configuration=configuration)  # type: ignore[no-untyped-call]
    configuration.connection_pool_maxsize = connections
    configuration.retries = urllib3.Retry(total=1, redirect=0, status=0)
    return ApiClient(configuration)


class KubernetesConversions:
    """The Conversions of one namespace."""

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self._client = client
        self._path = f"/apis/{names.API_VERSION}/namespaces/{namespace}/{names.PLURAL}"

    def create(self, conversion: Conversion) -> None:
        """Create it, once."""
        status, answer = self._ask("POST", self._path, body=conversion.manifest(), query={"fieldValidation": "Strict"})
        if status == 409:
            self._check_is_same(conversion)
        elif status not in (200, 201):
            raise ConversionRefused(f"{status}: {answer.get('message', '')}")

    def get(self, name: str) -> Conversion | None:
        """The Conversion of this name."""
        if not _is_name(name):
            return None
        status, answer = self._ask("GET", f"{self._path}/{name}")
        if status == 404:
            return None
        return _readable(_expect(status, answer, 200))

    def owned_by(self, owner: str) -> Iterator[Conversion]:
        """All Conversions of an account."""
        query = {"fieldSelector": f"spec.owner={_escaped(owner)}", "limit": str(_PAGE)}
        for document in self._pages(query):
            conversion = _readable(document)
            if conversion is not None and conversion.spec.owner == owner:
                yield conversion

    def delete(self, name: str, uid: str | None = None) -> None:
        """Delete it; what belongs to it follows in the background."""
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        status, answer = self._ask("DELETE", f"{self._path}/{name}", body=options)
        # 409: there is another one of this name now, and that is not the one to delete.
        if status not in (404, 409):
            _expect(status, answer, 200, 202)

    def ping(self) -> None:
        """Ask for one Conversion, which shows that the permissions are right as well."""
        status, answer = self._ask("GET", self._path, query={"limit": "1", "resourceVersion": "0"})
        _expect(status, answer, 200)

    def _check_is_same(self, conversion: Conversion) -> None:
        there = self.get(conversion.metadata.name)
        wanted = (conversion.spec.source, conversion.spec.owner)
        if there is None or (there.spec.source, there.spec.owner) != wanted:
            raise ConversionRefused(f"{conversion.metadata.name} exists and is another one")

    def _pages(self, query: dict[str, str]) -> Iterator[dict[str, Any]]:
        """The documents of a list, page by page, so that few of them are in memory at a time."""
        position: str | None = ""
        while position is not None:
            status, answer = self._ask("GET", self._path, query=query | ({"continue": position} if position else {}))
            position = answer.get("metadata", {}).get("continue") or None
            if status == 410 and position:
                continue  # The list took so long that its snapshot is gone; the new position goes on with a newer one.
            yield from _expect(status, answer, 200)["items"]

    def _ask(
        self, method: str, path: str, *, body: Any = None, query: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """One request; the answer's status and JSON. Raises ServiceAway for what may pass."""
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        request = self._client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = self._client.call_api(*request, _request_timeout=_TIMEOUT)
            answer = json.loads(response.read() or b"{}")  # type: ignore[no-untyped-call]
        except (ApiException, urllib3.exceptions.HTTPError, ValueError) as error:
            raise ServiceAway("kubernetes", f"{type(error).__name__}: {error}") from error
        if response.status in _TRY_AGAIN:
            raise ServiceAway("kubernetes", f"{response.status}: {answer.get('message', '')}")
        return response.status, answer


def _expect(status: int, answer: dict[str, Any], *good: int) -> dict[str, Any]:
    if status not in good:
        raise ServiceAway("kubernetes", f"{status}: {answer.get('message', '')}")
    return answer


def _readable(document: dict[str, Any]) -> Conversion | None:
    """The Conversion; None for one that another version of this project wrote and this one does not understand."""
    try:
        return Conversion.model_validate(document)
    except ValidationError as error:
        _log.warning("conversion_not_understood", conversion=document["metadata"]["name"], errors=error.error_count())
        return None


def _is_name(text: str) -> bool:
    """Whether an object can have this name (RFC 1123), so that nothing else ever gets into a path."""
    pattern = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
    return len(text) <= 253 and re.fullmatch(pattern, text) is not None


def _escaped(value: str) -> str:
    """A value as it stands in a field selector, where three characters mean something."""
    return re.sub(r"([\\,=])", r"\\\1", value)
