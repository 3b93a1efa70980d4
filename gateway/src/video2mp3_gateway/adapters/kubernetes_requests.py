"""Requests to the Kubernetes API: one in, status and JSON out, and what may pass raised as DependencyUnavailable.

Only the `kubernetes` package's client core is used (configuration, credentials and their refresh, TLS, connections):
its generated API classes would take 12 MB more, and answer with the same dictionaries.
"""

import json
from pathlib import Path
from typing import Any, Final

import urllib3
from kubernetes import config
from kubernetes.client import ApiClient, Configuration
from kubernetes.client.exceptions import ApiException
from kubernetes.client.rest import RESTResponse

from video2mp3_gateway.ports.systems import DependencyUnavailable

TIMEOUT: Final = (2.0, 8.0)
"""Seconds to connect, and between two bytes of an answer."""

_MERGE: Final = "application/merge-patch+json"
_TRY_AGAIN: Final = frozenset({401, 408, 429, 500, 502, 503, 504})
"""401 as well: the service account's token is renewed and read again within a minute."""


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


class KubernetesRequests:
    """Asks with one client."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: dict[str, str] | None = None,
        timeout: tuple[float, float] = TIMEOUT,
    ) -> tuple[int, dict[str, Any]]:
        """One request; the answer's status and JSON. Raises DependencyUnavailable for what may pass."""
        response = self.send(method, path, body=body, query=query, timeout=timeout)
        answer = self.json_of(response)
        if response.status in _TRY_AGAIN:
            raise DependencyUnavailable("kubernetes", f"{response.status}: {answer.get('message', '')}")
        return response.status, answer

    def send(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        query: dict[str, str] | None = None,
        timeout: tuple[float, float] = TIMEOUT,
    ) -> RESTResponse:
        """One request; the answer as far as its head. Raises DependencyUnavailable."""
        headers = {"Accept": "application/json", "Content-Type": _MERGE if method == "PATCH" else "application/json"}
        request = self._client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params=headers,
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            return self._client.call_api(*request, _request_timeout=timeout)
        except (ApiException, urllib3.exceptions.HTTPError) as error:
            raise away(error) from error

    @staticmethod
    def json_of(response: RESTResponse) -> dict[str, Any]:
        """The answer's body. Raises DependencyUnavailable."""
        try:
            answer: dict[str, Any] = json.loads(response.read() or b"{}")  # type: ignore[no-untyped-call]
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise away(error) from error
        return answer


def away(error: Exception) -> DependencyUnavailable:
    """The API server cannot be reached, or says what nobody understands."""
    return DependencyUnavailable("kubernetes", f"{type(error).__name__}: {error}")


def expect(status: int, answer: dict[str, Any], *good: int) -> dict[str, Any]:
    """The answer, whose status must be one of these. Raises DependencyUnavailable."""
    if status not in good:
        raise DependencyUnavailable("kubernetes", f"{status}: {answer.get('message', '')}")
    return answer
