"""Every answer that docs/api.md shows is what a gateway answers, over real connections, in the operator's own words."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from bson import ObjectId

from tests.builders import NOW, a_class, a_conversion, a_job, a_pod, an_entry, at
from tests.integration.gateway.conftest import ALICE, Installation, settings_for
from tests.integration.gateway.gateway_server import GatewayServer
from tests.unit.operator.reconciler.test_decide import observing
from video2mp3_contracts.api.names import ANNOTATION_RETRY
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.status import OutputReport, Progress
from video2mp3_operator.reconciler.decisions import Decision, Follow, Succeed
from video2mp3_operator.reconciler.status import build_status
from video2mp3_operator.reconciler.status_patch import status_patch

API = (Path(__file__).parents[3] / "docs" / "api.md").read_text()
SAMPLES = {
    heading: json.loads(sample)
    for heading, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", API, re.MULTILINE | re.DOTALL)
    for sample in re.findall(r"^```json\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
}
Json = dict[str, Any]

VIDEO_ID, MP3_ID = "69a4323c5b1f4c0012ab34cd", "69a4327f0c0d2e0019ef5678"
VIDEO = bytes(5_242_880)
RESULT = OutputReport(
    file_id=MP3_ID,
    filename="talk.mp3",
    size=68_157_440,
    duration_seconds=3605.2,
    sha256="2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
    encoding="VBR V2, 44100 Hz, stereo",
    notes=("The cover in stream 2 is neither JPEG nor PNG: it is left out.",),
)
HALF_WAY = Progress(
    percent=50,
    processed_seconds=1802.6,
    duration_seconds=3605.2,
    speed=61.0,
    eta_seconds=29.6,
    updated_at=NOW + timedelta(seconds=32),
)


@pytest.fixture(scope="module")
def gateway(gateway_installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayServer]:
    """One whose public address is the page's."""
    auth, kubernetes = gateway_installation.auth, gateway_installation.kubernetes
    uri = gateway_installation.mongodb.uri_of("gateway")
    settings = settings_for(auth, kubernetes, uri, tmp_path_factory.mktemp("gateway"))
    with GatewayServer(settings | {"GATEWAY_PUBLIC_URL": "http://HOST"}) as server:
        yield server


@pytest.fixture(autouse=True)
def classes(installation: Installation) -> None:
    """Two of the chart's."""
    installation.kubernetes.classes += [
        a_class("default", default=True, offered=True, description="As the source, VBR quality 2."),
        a_class("speech", offered=True, description="Speech: mono, VBR quality 5, at -16 LUFS."),
    ]


def shown(installation: Installation, decision: Decision, seconds: int) -> None:
    """Have a Conversion in the cluster, with the status that the operator writes for this decision after so long."""
    conversion = a_conversion(f"upload-{VIDEO_ID}").with_metadata(creationTimestamp=at(NOW)).owned_by(ALICE)
    conversion = conversion.with_spec(output={"filename": "talk.mp3"}, ttlSecondsAfterFinished=30 * 86400)
    pod = a_pod(conversion).running(NOW + timedelta(seconds=2))
    conversion = conversion.with_status(resolved={"className": "speech"})
    seen = observing(conversion, a_job(conversion).active(ready=1), pod, entry=an_entry(conversion))
    status = build_status(replace(seen, now=NOW + timedelta(seconds=seconds)), decision)
    assert status is not None
    document = conversion.with_status(**status_patch({}, status)).document
    installation.kubernetes.objects[document["metadata"]["name"]] = document


def uploaded(installation: Installation, gateway: GatewayServer) -> Json:
    """The answer to an upload; the file's id, which nobody can choose, is the page's."""
    answer = requests.post(
        f"{gateway.url}/upload?class=speech",
        files={"file": ("talk.mp4", VIDEO)},
        headers=installation.authorized(),
        timeout=60,
    )
    assert answer.status_code == 202, answer.text
    assert answer.headers["Location"].replace("http://host/", "http://HOST/") == answer.json()["statusUrl"]
    return dict(json.loads(answer.text.replace(answer.json()["fileId"], VIDEO_ID)))


def listed(installation: Installation, gateway: GatewayServer) -> Json:
    """A page with one Conversion, which is running."""
    shown(installation, Follow(Reason.RUNNING, Reason.RUNNING.meaning, HALF_WAY), seconds=32)
    return got(installation, gateway, "/conversions?limit=50")


def told(installation: Installation, gateway: GatewayServer) -> Json:
    """A Conversion that has succeeded."""
    shown(installation, Succeed(RESULT, published=True), seconds=64)
    return got(installation, gateway, f"/conversions/upload-{VIDEO_ID}")


def offered(installation: Installation, gateway: GatewayServer) -> Json:
    """The classes."""
    return got(installation, gateway, "/classes")


def tried_anew(installation: Installation, gateway: GatewayServer) -> Json:
    """The answer to a retry of a Conversion that has failed; the moment, which nobody can choose, is the page's."""
    failed = a_conversion(f"upload-{VIDEO_ID}").owned_by(ALICE).failed().document
    installation.kubernetes.objects[failed["metadata"]["name"]] = failed
    path = f"/conversions/upload-{VIDEO_ID}/retry"
    answer = requests.post(f"{gateway.url}{path}", headers=installation.authorized(), timeout=60)
    assert answer.status_code == 202, answer.text
    there = installation.kubernetes.objects[failed["metadata"]["name"]]["metadata"]
    moment = answer.json()["retryRequestedAt"]
    assert there["annotations"] == {ANNOTATION_RETRY: moment}
    shown_moment = SAMPLES["POST /conversions/NAME/retry"]["retryRequestedAt"]
    assert re.sub(r"\d", "0", moment) == re.sub(r"\d", "0", shown_moment)
    return dict(answer.json()) | {"retryRequestedAt": shown_moment}


def kept(installation: Installation, gateway: GatewayServer) -> Json:
    """A page with one mp3 that outlived its Conversion."""
    result = RESULT.model_dump(mode="json", by_alias=True)
    entry = {"_id": "gone", "owner": ALICE, "result": result, "retainedAt": NOW + timedelta(seconds=64)}
    installation.mp3s.conversions.insert_one(entry)
    installation.mp3s.fs.files.insert_one({"_id": ObjectId(MP3_ID)})
    return got(installation, gateway, "/mp3s?limit=50")


def refused(installation: Installation, gateway: GatewayServer) -> Json:
    """An upload whose options are not supported."""
    answer = requests.post(
        f"{gateway.url}/upload",
        files={"file": ("talk.mp4", VIDEO)},
        data={"output": '{"audioTrack": {"language": "klingon"}}'},
        headers=installation.authorized() | {"X-Request-Id": SAMPLES["Errors"]["requestId"]},
        timeout=60,
    )
    assert answer.headers["Content-Type"] == "application/problem+json"
    return dict(answer.json())


def got(installation: Installation, gateway: GatewayServer, path: str) -> Json:
    """What a GET answers."""
    answer = requests.get(f"{gateway.url}{path}", headers=installation.authorized(), timeout=60)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


ANSWERS: dict[str, Callable[[Installation, GatewayServer], Json]] = {
    "POST /upload": uploaded,
    "GET /classes": offered,
    "GET /conversions": listed,
    "GET /conversions/NAME": told,
    "POST /conversions/NAME/retry": tried_anew,
    "GET /mp3s": kept,
    "Errors": refused,
}
"""Who makes each sample."""


@pytest.mark.parametrize("heading", SAMPLES)
def test_a_sample_is_what_the_gateway_answers(heading: str, installation: Installation, gateway: GatewayServer) -> None:
    assert ANSWERS[heading](installation, gateway) == SAMPLES[heading]


def test_no_sample_has_left_the_page() -> None:
    assert list(SAMPLES) == list(ANSWERS)
