"""③ Conversions in the Kubernetes API.

The `kubernetes` package's watch would begin anew by itself, where whoever keeps what it tells has to know.
"""

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

import structlog
import urllib3
from kubernetes.client import ApiClient
from kubernetes.client.rest import RESTResponse
from pydantic import ValidationError

from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion import Conversion
from video2mp3_contracts.api.model import STORED
from video2mp3_gateway.adapters.kubernetes_requests import KubernetesRequests, away, expect
from video2mp3_gateway.ports.systems import (
    ConversionRefused,
    DependencyUnavailable,
    Document,
    ListPage,
    VersionExpired,
    WatchEvent,
)

_PAGE: Final = 50
"""Conversions in one answer of a list, which is in memory as a whole: 100 KiB of usual ones, 20 MiB of the largest that
people can make by tags and annotations. Of 500 such a gateway could not start."""

_WATCH_SECONDS: Final = 60
"""The API server ends a watch after so long. Bookmarks are no sign of life: where nothing happens there may be none."""

_WATCH_TIMEOUT: Final = (2.0, 75.0)
"""Seconds to connect to a watch, and without anything from it, its end included."""

_log = structlog.get_logger(__name__)


class KubernetesConversions:
    """The Conversions of one namespace."""

    def __init__(self, client: ApiClient, namespace: str) -> None:
        self._api = KubernetesRequests(client)
        self._path = f"/apis/{names.API_VERSION}/namespaces/{namespace}/{names.PLURAL}"

    def create(self, conversion: Conversion) -> Document:
        """Create it, once."""
        status, answer = self._api.ask(
            "POST", self._path, body=conversion.manifest(), query={"fieldValidation": "Strict"}
        )
        if status == 409:
            return self._same(conversion)
        if status not in (200, 201):
            raise ConversionRefused(f"{status}: {answer.get('message', '')}")
        return answer

    def get(self, name: str) -> Conversion | None:
        """The Conversion of this name."""
        document = self._document(name)
        return _readable(document) if document else None

    def delete(self, name: str, uid: str | None = None) -> Document | None:
        """Delete it; what belongs to it follows in the background."""
        options: dict[str, Any] = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        status, answer = self._api.ask("DELETE", f"{self._path}/{name}", body=options)
        # 409: there is another one of this name now, and that is not the one to delete.
        if status in (404, 409):
            return None
        expect(status, answer, 200, 202)
        # What has no finalizer is gone at once, and the answer is a Status.
        return answer if answer.get("kind") == names.KIND else None

    def retry(self, name: str, uid: str, moment: str) -> Document | None:
        """Set the annotation that asks for it, on this very one."""
        metadata = {"uid": uid, "annotations": {names.ANNOTATION_RETRY: moment}}
        status, answer = self._api.ask("PATCH", f"{self._path}/{name}", body={"metadata": metadata})
        return None if status == HTTPStatus.NOT_FOUND or _is_another(answer) else expect(status, answer, 200)

    def list_page(self, position: str) -> ListPage:
        """Some of all Conversions."""
        more = {"continue": position} if position else {}
        status, answer = self._api.ask("GET", self._path, query={"limit": str(_PAGE)} | more)
        if status == HTTPStatus.GONE:
            raise VersionExpired("the list took too long")
        page = expect(status, answer, 200)
        metadata = page["metadata"]
        return ListPage(page["items"], int(metadata["resourceVersion"]), metadata.get("continue", ""))

    def watch(self, version: int) -> Iterator[WatchEvent]:
        """What changes after a version."""
        query = {
            "watch": "1",
            "resourceVersion": str(version),
            "allowWatchBookmarks": "1",
            "timeoutSeconds": str(_WATCH_SECONDS),
        }
        response = self._api.send("GET", self._path, query=query, timeout=_WATCH_TIMEOUT)
        if response.status != HTTPStatus.OK:
            raise _ended(self._api.json_of(response))
        return self._events(response)

    def version(self) -> int:
        """How far changes have come, of all that there is."""
        status, answer = self._api.ask("GET", self._path, query={"limit": "1"})
        return int(expect(status, answer, 200)["metadata"]["resourceVersion"])

    def ping(self) -> None:
        """Ask for one Conversion, which shows that the permissions are right as well."""
        status, answer = self._api.ask("GET", self._path, query={"limit": "1", "resourceVersion": "0"})
        expect(status, answer, 200)

    def _same(self, conversion: Conversion) -> Document:
        document = self._document(conversion.metadata.name)
        there = _readable(document) if document else None
        wanted = (conversion.spec.source, conversion.spec.owner)
        if document is None or there is None or (there.spec.source, there.spec.owner) != wanted:
            raise ConversionRefused(f"{conversion.metadata.name} exists and is another one")
        return document

    def _document(self, name: str) -> Document | None:
        if not _is_name(name):
            return None
        status, answer = self._api.ask("GET", f"{self._path}/{name}")
        return None if status == HTTPStatus.NOT_FOUND else expect(status, answer, 200)

    def _events(self, response: RESTResponse) -> Iterator[WatchEvent]:
        """What comes on an open watch, until it ends."""
        try:
            for line in response.response:
                event = json.loads(line)
                if event["type"] == "ERROR":
                    raise _ended(event["object"])
                yield WatchEvent(event["type"], event["object"])
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise away(error) from error
        finally:
            response.response.close()


def _is_another(answer: dict[str, Any]) -> bool:
    """Whether a patch was refused because there is another one of this name now: a uid does not change."""
    causes = (answer.get("details") or {}).get("causes") or ()
    return any(cause.get("field") == "metadata.uid" for cause in causes)


def _ended(status: dict[str, Any]) -> DependencyUnavailable | VersionExpired:
    """What a watch's refusal or its last event, a `metav1.Status`, means."""
    said = f"{status.get('code')}: {status.get('message', '')}"
    return VersionExpired(said) if status.get("code") == HTTPStatus.GONE else DependencyUnavailable("kubernetes", said)


def _readable(document: dict[str, Any]) -> Conversion | None:
    """The Conversion; None for one that another version of this project wrote and this one does not understand."""
    try:
        return Conversion.model_validate(document, context=STORED)
    except ValidationError as error:
        _log.warning("conversion_not_understood", conversion=document["metadata"]["name"], errors=error.error_count())
        return None


def _is_name(text: str) -> bool:
    """Whether an object can have this name (RFC 1123), so that nothing else ever gets into a path."""
    pattern = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
    return len(text) <= 253 and re.fullmatch(pattern, text) is not None
