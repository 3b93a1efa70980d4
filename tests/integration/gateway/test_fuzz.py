"""Broken heads and forms against a real gateway: each is answered as documented, and only what was accepted stays.

`make fuzz-gateway` does the same for as long as one likes.
"""

from collections.abc import Callable

import pytest
import requests
from bson import ObjectId

from tests.fuzz.gateway.__main__ import PAGE, cases_of
from tests.fuzz.gateway.case import TOKEN, Case, Ending
from tests.fuzz.gateway.judge import documented
from tests.fuzz.gateway.trial import Trial
from tests.integration.gateway.conftest import Installation
from tests.integration.gateway.gateway_server import BOUNDARY, form_closing, form_opening

SEED = 20
ROUNDS = 3
REACHED = {"200", "202", "400", "401", "404", "405", "422", "431"}
"""What some of so many cases get: they are not all stopped at the door."""


def test_whatever_comes_is_answered_and_leaves_nothing(installation: Installation) -> None:
    trial = Trial(installation, documented(PAGE))
    for number in range(ROUNDS):
        found = trial.round(*cases_of(SEED, number))
        assert not found, "\n".join(map(str, found))
    assert trial.answers.keys() >= REACHED


def an_upload() -> Case:
    body = form_opening() + b"a video" + form_closing()
    head = (
        b"POST /upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n"
        b"Content-Type: multipart/form-data; boundary=%s\r\n\r\n"
    )
    return Case(0, 0, (head % (TOKEN, len(body), BOUNDARY.encode()), body), 0.0, Ending.HALF_CLOSE)


Sabotage = Callable[[Trial, Installation, pytest.MonkeyPatch], object]


def without_kubernetes(_trial: Trial, installation: Installation, _patch: pytest.MonkeyPatch) -> None:
    installation.kubernetes.failures = [422]


def a_stray_chunk(_trial: Trial, installation: Installation, _patch: pytest.MonkeyPatch) -> None:
    installation.videos.fs.chunks.insert_one({"files_id": ObjectId(), "n": 0, "data": b""})


def a_stray_conversion(_trial: Trial, installation: Installation, _patch: pytest.MonkeyPatch) -> None:
    key = installation.videos.fs.files.insert_one({"length": 0}).inserted_id
    installation.videos.fs.chunks.insert_one({"files_id": key, "n": 0, "data": b""})
    conversion = {"metadata": {"name": "stray"}, "spec": {"source": {"gridfs": {"fileId": str(key)}}}}
    installation.kubernetes.objects["stray"] = conversion


def another_process(trial: Trial, _installation: Installation, _patch: pytest.MonkeyPatch) -> None:
    trial._worker -= 1


def a_fault_in_the_log(_trial: Trial, installation: Installation, _patch: pytest.MonkeyPatch) -> None:
    with installation.gateway.log_file.open("a") as log:
        log.write('{"level": "error", "event": "request_failed"}\n')


def no_sign_of_life(_trial: Trial, _installation: Installation, patch: pytest.MonkeyPatch) -> None:
    def get(*_: object, **__: object) -> None:
        raise requests.ConnectionError("refused")

    patch.setattr(requests, "get", get)


@pytest.mark.parametrize(
    ("sabotage", "wrong"),
    [
        (without_kubernetes, "a fault of the server: 503"),
        (a_stray_chunk, "half of something is left"),
        (a_stray_conversion, "there, and never accepted"),
        (another_process, "the process that serves died"),
        (a_fault_in_the_log, "the log: request_failed"),
        (no_sign_of_life, "/healthz: refused"),
    ],
)
def test_what_goes_wrong_is_noticed(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, sabotage: Sabotage, wrong: str
) -> None:
    trial = Trial(installation, documented(PAGE))
    assert not trial.round([an_upload()])
    sabotage(trial, installation, monkeypatch)
    answered, others = trial._tried([an_upload()], 1)
    assert any(wrong in found for found in [*(finding.wrong for finding in answered), *others])
    assert installation.stored == (0, 0, 0), "the next round begins with nothing"
