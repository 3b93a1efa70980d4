"""The gateway with fakes behind it, and the requests that are sent to it."""

from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from werkzeug.test import TestResponse

from tests.unit.gateway.fakes import FakeClasses, FakeConversions, FakeLogins, FakeMp3s, FakeSources, FakeTokens
from video2mp3_contracts.api.conversion import Conversion
from video2mp3_contracts.runtime.web import REGISTRY
from video2mp3_gateway.app.bootstrap import Ports
from video2mp3_gateway.app.settings import GatewaySettings
from video2mp3_gateway.app.wsgi import build_app
from video2mp3_gateway.server.drain import EXTENSION, Drain

ALICE = "alice@example.com"
BOB = "bob@example.com"
BOUNDARY = "the-boundary"
MAX_BYTES = 1000


@dataclass
class Gateway:
    """An application and everything behind it."""

    tokens: FakeTokens = field(default_factory=FakeTokens)
    logins: FakeLogins = field(default_factory=FakeLogins)
    sources: FakeSources = field(default_factory=FakeSources)
    mp3s: FakeMp3s = field(default_factory=FakeMp3s)
    conversions: FakeConversions = field(default_factory=FakeConversions)
    classes: FakeClasses = field(default_factory=FakeClasses)
    settings: dict[str, Any] = field(default_factory=dict)
    app: Flask = field(init=False)

    def __post_init__(self) -> None:
        self.app = build_app(
            GatewaySettings(**DEFAULTS | self.settings),
            Ports(self.tokens, self.logins, self.sources, self.mp3s, self.conversions, self.classes),
        )

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    @property
    def metrics(self) -> CollectorRegistry:
        registry: CollectorRegistry = self.app.extensions[REGISTRY]
        return registry

    @property
    def drain(self) -> Drain:
        drain: Drain = self.app.extensions[EXTENSION]
        return drain

    @property
    def stored(self) -> list[str]:
        """Everything that is left of uploads, finished or not."""
        return [*self.sources.chunks, *self.sources.files, *self.conversions.there]

    def upload(self, *parts: bytes, account: str = ALICE, query: str = "", **headers: str) -> TestResponse:
        path = f"/upload{query}"
        return self.client.post(path, data=form(*parts), headers=multipart() | token_of(account) | headers)

    def uploaded(self, *parts: bytes, query: str = "") -> Conversion:
        """The Conversion that an upload made."""
        answer = self.upload(*parts, query=query)
        assert answer.status_code == 202, answer.text
        return self.conversions.there[answer.json["conversion"]]

    def metric(self, name: str, **labels: str) -> float:
        return self.metrics.get_sample_value(name, labels) or 0


DEFAULTS: dict[str, Any] = {
    "mongodb_uri": SecretStr("mongodb://unused"),
    "auth_url": "http://auth:8080",
    "conversion_namespace": "people",
    "max_upload_bytes": MAX_BYTES,
}


def token_of(account: str) -> dict[str, str]:
    return {"Authorization": f"Bearer token-of:{account}"}


def multipart(boundary: str = BOUNDARY) -> dict[str, str]:
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def a_file(content: bytes = b"a video", filename: str | bytes = "talk.mp4", name: str = "file") -> bytes:
    raw = filename if isinstance(filename, bytes) else filename.encode()
    head = b'Content-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: video/mp4\r\n\r\n'
    return head % (name.encode(), raw) + content


def a_field(name: str, value: str) -> bytes:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()


def form(*parts: bytes) -> bytes:
    opening, closing = f"--{BOUNDARY}\r\n".encode(), f"--{BOUNDARY}--\r\n".encode()
    return b"".join(opening + part + b"\r\n" for part in parts) + closing


def problem(response: TestResponse) -> dict[str, Any]:
    """The answer as the problem that it must be."""
    assert response.content_type == "application/problem+json"
    assert response.json["status"] == response.status_code
    assert response.json["requestId"] == response.headers["X-Request-Id"]
    return dict(response.json)
