"""Whoever has no login takes nothing from those who have one, however many connections it holds."""

import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.integration.gateway.conftest import Installation, settings_for
from tests.integration.gateway.crowd import BODY, HEAD, SILENCE, Crowd, allowed, seconds_of
from tests.integration.gateway.gateway_server import GatewayServer
from tests.integration.gateway.test_downloads import an_mp3
from video2mp3_contracts.server.limits import HEAD_SECONDS, LINGER_SECONDS

PROBE_SECONDS = 5
"""The time limit of the kubelet's probes, in the chart."""

PROBES = 6
"""So many that fail in a row end a pod, by the chart."""

SPARE_SECONDS = 30
"""What a busy machine may need on top of a time limit."""

ASKED_ONCE = b"GET /healthz HTTP/1.1\r\nHost: gateway\r\n\r\n"
REQUEST_SECONDS = 60
READING_SECONDS = 20
"""Enough for so many answers that no kernel keeps them."""

MEBIBYTE = 1024**2


def address(gateway: GatewayServer) -> tuple[str, int]:
    return gateway.host, gateway.port


def healthy(gateway: GatewayServer) -> None:
    """The kubelet would not end the pod: of so many probes in a row one is answered in time."""
    for left in reversed(range(PROBES)):
        try:
            assert requests.get(f"{gateway.url}/healthz", timeout=PROBE_SECONDS).status_code == 200
        except requests.RequestException:
            if not left:
                raise
        else:
            return


def work(installation: Installation) -> dict[str, Callable[[], None]]:
    """What people and the kubelet do meanwhile, each with the time limit it has."""
    content = os.urandom(8 * MEBIBYTE)
    fid = an_mp3(installation, content)
    url, headers = installation.gateway.url, installation.authorized()

    def upload() -> None:
        sent = {"file": ("talk.mp4", content)}
        answer = requests.post(f"{url}/upload", files=sent, headers=headers, timeout=REQUEST_SECONDS)
        assert answer.status_code == 202, answer.text

    def download() -> None:
        answer = requests.get(f"{url}/download", params={"fid": fid}, headers=headers, timeout=REQUEST_SECONDS)
        assert (answer.status_code, answer.content) == (200, content)

    return {"healthz": lambda: healthy(installation.gateway), "upload": upload, "download": download}


def test_fifteen_hundred_that_hardly_speak_stop_nobody(installation: Installation) -> None:
    """For longer than a head may take, so that all of them were shown out and came back."""
    each = allowed(1500) // 3
    doings = work(installation)
    quiet = {name: sorted(seconds_of(do) for _ in range(5))[2] for name, do in doings.items()}
    crowded: dict[str, list[float]] = {name: [] for name in doings}
    with Crowd(address(installation.gateway), [HEAD, BODY, SILENCE] * each):
        begun = time.monotonic()
        while time.monotonic() - begun < HEAD_SECONDS + LINGER_SECONDS + 5:
            for name, do in doings.items():
                crowded[name].append(seconds_of(do))
    for name, taken in crowded.items():
        middle = sorted(taken)[len(taken) // 2]
        ratio = f"{middle / quiet[name]:.1f} times as long with {3 * each} others"
        sys.stdout.write(f"{name}: {ratio}; longest {max(taken):.2f} s\n")


def test_a_head_has_its_time_whatever_it_does(installation: Installation) -> None:
    with socket.create_connection(address(installation.gateway), timeout=1) as client:
        client.sendall(HEAD)
        begun = time.monotonic()
        answer = b""
        while not answer and time.monotonic() - begun < 3 * HEAD_SECONDS:
            client.sendall(b"x")
            with contextlib.suppress(TimeoutError):
                answer = client.recv(65536)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert HEAD_SECONDS - 1 < time.monotonic() - begun < HEAD_SECONDS + SPARE_SECONDS
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "head-too-slow"


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_those_who_never_close_delay_nobody(installation: Installation, version: bytes) -> None:
    """HTTP/1.0 closes after each answer, and so does an upload; these keep their side open."""
    request = {
        b"1.0": b"GET /healthz HTTP/1.0\r\n\r\n",
        b"1.1": b"POST /upload HTTP/1.1\r\nHost: gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    }[version]
    with contextlib.ExitStack() as stack:
        clients = [
            stack.enter_context(socket.create_connection(address(installation.gateway), timeout=20)) for _ in range(40)
        ]
        for client in clients:
            client.sendall(request)
        assert clients[0].recv(65536).startswith(b"HTTP/1."), "the first of them is answered, and closed on one side"
        for _ in range(3):
            healthy(installation.gateway)


def test_answers_that_nobody_reads_take_no_thread(installation: Installation) -> None:
    """More of them than a kernel keeps, on more connections than there are threads."""
    with contextlib.ExitStack() as stack:
        for _ in range(40):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)  # the kernel keeps so many of them, not bytes
            client.connect(address(installation.gateway))
            client.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                client.send(b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n" * 450)
        begun = time.monotonic()
        while time.monotonic() - begun < READING_SECONDS:
            healthy(installation.gateway)


@pytest.mark.parametrize("beginning", [SILENCE, HEAD, ASKED_ONCE])
def test_a_newcomer_takes_the_place_of_who_waited_longest(
    installation: Installation, tmp_path: Path, beginning: bytes
) -> None:
    settings = settings_for(installation.auth, installation.kubernetes, installation.mongodb.uri, tmp_path)
    with (
        GatewayServer(settings | {"GUNICORN_CMD_ARGS": "--worker-connections 50"}) as small,
        contextlib.ExitStack() as stack,
    ):
        crowd = [stack.enter_context(socket.create_connection(address(small), timeout=20)) for _ in range(120)]
        for client in crowd:
            with contextlib.suppress(OSError):
                client.sendall(beginning)
        healthy(small)
        with contextlib.suppress(ConnectionResetError):
            while crowd[0].recv(65536):
                pass
        newcomer = stack.enter_context(socket.create_connection(address(small), timeout=20))
        newcomer.sendall(ASKED_ONCE)
        assert newcomer.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_nobody_keeps_it_from_ending(installation: Installation) -> None:
    """As long as `keepalive` allows would be longer than a pod has."""
    with Crowd(address(installation.gateway), [SILENCE, HEAD, ASKED_ONCE] * 10):
        healthy(installation.gateway)
        assert seconds_of(installation.gateway.stop) < LINGER_SECONDS + SPARE_SECONDS


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: " + b"x" * 9000 + b"\r\n\r\n", 431, "head-too-large"),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: " + b"x" * 10**6, 431, "head-too-large"),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + b"X-Many: x\r\n" * 101 + b"\r\n", 431, "head-too-large"),
        (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414, "address-too-long"),
        (b"GET /healthz HTTP/1.1\nHost: x\n\n", 400, "malformed-request"),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400, "malformed-request"),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nExpect: coffee\r\n\r\n", 417, "expectation-failed"),
        (
            b"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            501,
            "transfer-coding-unknown",
        ),
        (b"GET /healthz HTTP/1.1\r\n\r\n", 400, "malformed-request"),
        (b"GET /x HTTP/1.2\r\nHost: x\r\nConnection: close\r\n\r\n", 404, "not-found"),
        (b"GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nSCRIPT_NAME: /y\r\n\r\n", 404, "not-found"),
    ],
)
def test_what_is_no_request_is_told_so_as_everything_is(
    installation: Installation, sent: bytes, status: int, code: str
) -> None:
    with socket.create_connection(address(installation.gateway), timeout=20) as client:
        client.sendall(sent)
        answer = b""
        while data := client.recv(65536):
            answer += data
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nContent-Type: application/problem+json\r\n" in head
    document = json.loads(body)
    assert (document["status"], document["code"]) == (status, code)
