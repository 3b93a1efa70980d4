"""Secrets by the Kubernetes API, and the random values in them."""

import base64
import secrets
import string
from collections.abc import Mapping
from typing import Any, Final, assert_never

from video2mp3_operator.adapters.kubernetes import KubernetesApi
from video2mp3_operator.installation.release_secrets import FoundSecret, Kind, Values
from video2mp3_operator.ports.errors import GoneError

_LETTERS: Final = string.ascii_letters + string.digits
"""Nothing that means something in an address, a shell or JSON."""

_PASSWORD_CHARACTERS: Final = 32
_FERNET_BYTES: Final = 32


def new_value(kind: Kind) -> str:
    """Make a random value: a password of 190 bits, or a Fernet key (32 bytes in URL-safe base64)."""
    match kind:
        case "password":
            return "".join(secrets.choice(_LETTERS) for _ in range(_PASSWORD_CHARACTERS))
        case "fernet":
            return base64.urlsafe_b64encode(secrets.token_bytes(_FERNET_BYTES)).decode()
        case _:
            assert_never(kind)


class KubernetesSecrets:
    """Implements SecretsApi for one namespace."""

    def __init__(self, api: KubernetesApi, namespace: str) -> None:
        self._api = api
        self._path = f"/api/v1/namespaces/{namespace}/secrets"

    async def find(self, name: str) -> FoundSecret | None:
        """See the port."""
        try:
            document = await self._api.request("GET", f"{self._path}/{name}")
        except GoneError:
            return None
        metadata = document["metadata"]
        return FoundSecret(_decoded(document), metadata.get("annotations") or {}, metadata["resourceVersion"])

    async def create(
        self, name: str, labels: Mapping[str, str], annotations: Mapping[str, str], values: Values
    ) -> None:
        """See the port."""
        metadata = {"name": name, "labels": labels, "annotations": annotations}
        body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": _encoded(values)}
        await self._api.request("POST", self._path, body)

    async def change(self, name: str, annotations: Mapping[str, str], values: Values, version: str) -> None:
        """See the port."""
        body = {"metadata": {"resourceVersion": version, "annotations": annotations}, "data": _encoded(values)}
        await self._api.merge(f"{self._path}/{name}", body)


def _encoded(values: Values) -> dict[str, str]:
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


def _decoded(document: Mapping[str, Any]) -> dict[str, str]:
    """Values as text. What is none was put there by somebody for something else."""
    found = {key: base64.b64decode(value) for key, value in (document.get("data") or {}).items()}
    return {key: value.decode(errors="replace") for key, value in found.items()}
