"""Whoever sends a request does not say where the application lies, also from loopback, where sidecar proxies are."""

from types import ModuleType

import pytest
from gunicorn.config import Config
from gunicorn.http.message import Request
from gunicorn.http.unreader import IterUnreader

import video2mp3_auth.gunicorn_config
import video2mp3_gateway.server.gunicorn_config

SENT = b"GET /x HTTP/1.1\r\nHost: x\r\nSCRIPT_NAME: /y\r\nX-Forwarded-Proto: https\r\n\r\n"


@pytest.mark.parametrize("service", [video2mp3_gateway.server.gunicorn_config, video2mp3_auth.gunicorn_config])
def test_headers_that_only_a_server_may_set_are_not_taken(service: ModuleType) -> None:
    config = Config()
    for name, value in vars(service).items():
        if name in config.settings:
            config.set(name, value)
    request = Request(config, IterUnreader([SENT]), ("127.0.0.1", 50_000))
    assert (request.path, request.scheme) == ("/x", "http")
    assert [name for name, _ in request.headers] == ["HOST", "X-FORWARDED-PROTO"]
