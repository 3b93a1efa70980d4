"""Tokens, logins, Conversions and health, over real connections."""

import json
import socket
from pathlib import Path

import requests

from tests.integration.gateway.conftest import ALICE, Installation, settings_for
from tests.integration.gateway.gateway_server import GatewayServer
from tests.servers.process import await_condition
from video2mp3_gateway.adapters.jwks import MIN_SECONDS_BETWEEN_FETCHES

BOB = "bob@example.com"


def get(installation: Installation, path: str, token: str) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{installation.gateway.url}{path}", headers=headers, timeout=20)


def test_what_the_cluster_does_not_let_go_is_not_called_deleted(installation: Installation) -> None:
    name = upload(installation)
    for refusal in (403, 422):
        installation.kubernetes.failures = [0, refusal]
        url = f"{installation.gateway.url}/conversions/{name}"
        answer = requests.delete(url, headers=installation.authorized(), timeout=20)
        assert (answer.status_code, answer.json()["code"]) == (503, "service-unavailable")
    assert name in installation.kubernetes.objects


def upload(installation: Installation, account: str = ALICE) -> str:
    answer = requests.post(
        f"{installation.gateway.url}/upload",
        files={"file": ("talk.mp4", b"a video")},
        headers=installation.authorized(account),
        timeout=20,
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["conversion"])


def test_a_rotated_key_is_believed_without_a_restart(installation: Installation) -> None:
    auth = installation.auth
    old, asked_before = auth.token(ALICE), auth.key_requests
    assert get(installation, "/conversions", old).status_code == 200
    auth.rotate()
    new = auth.token(ALICE)
    await_condition(
        lambda: get(installation, "/conversions", new).status_code == 200,
        seconds=MIN_SECONDS_BETWEEN_FETCHES + 10,
        what="the new key was not fetched",
    )
    assert get(installation, "/conversions", old).status_code == 200
    assert auth.key_requests - asked_before <= 2


def test_tokens_are_verified_while_the_auth_service_is_away(installation: Installation) -> None:
    token = installation.auth.token(ALICE)
    assert get(installation, "/conversions", token).status_code == 200
    installation.auth.away = True
    assert get(installation, "/conversions", token).status_code == 200
    answer = requests.post(f"{installation.gateway.url}/login", auth=(ALICE, "password"), timeout=20)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")


def test_a_login_is_passed_on(installation: Installation) -> None:
    sent = {"X-Forwarded-For": "6.6.6.6"}
    answer = requests.post(f"{installation.gateway.url}/login", auth=(ALICE, "password"), headers=sent, timeout=20)
    assert answer.status_code == 200
    assert get(installation, "/conversions", answer.text).status_code == 200
    [passed] = installation.auth.logins
    assert passed["Authorization"].startswith("Basic ")
    assert passed["X-Forwarded-For"] == "127.0.0.1", "whoever asks may not choose the address"
    assert passed["X-Request-Id"] == answer.headers["X-Request-Id"]


def test_a_failing_auth_service_is_away_to_people(installation: Installation) -> None:
    installation.auth.login_status = 500
    answer = requests.post(f"{installation.gateway.url}/login", auth=(ALICE, "password"), timeout=20)
    assert (answer.status_code, answer.json()["code"]) == (503, "service-unavailable")


def test_an_auth_service_that_hangs_is_given_up(installation: Installation) -> None:
    installation.auth.stalls = True
    answer = requests.post(f"{installation.gateway.url}/login", auth=(ALICE, "password"), timeout=40)
    assert answer.status_code == 503


def test_everybody_sees_their_own(installation: Installation) -> None:
    mine, theirs = upload(installation), upload(installation, BOB)
    token = installation.auth.token(ALICE)
    assert [found["name"] for found in get(installation, "/conversions", token).json()["conversions"]] == [mine]
    assert get(installation, f"/conversions/{mine}", token).json()["filename"] == "talk.mp3"
    assert get(installation, f"/conversions/{theirs}", token).status_code == 404
    url = f"{installation.gateway.url}/conversions"
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.delete(f"{url}/{theirs}", headers=headers, timeout=20).status_code == 404
    assert requests.delete(f"{url}/{mine}", headers=headers, timeout=20).status_code == 204
    assert list(installation.kubernetes.objects) == [theirs]


def test_odd_accounts_stay_apart(installation: Installation) -> None:
    odd = "a=b+spec.owner=bob@example.com"
    mine = upload(installation, odd)
    upload(installation, BOB)
    assert installation.listed(odd, 1) == [mine]


def test_a_list_asks_the_api_server_nothing(installation: Installation) -> None:
    """Also with more Conversions than the API server gives in one answer."""
    name = upload(installation)
    document = installation.kubernetes.objects[name]
    for number in range(1200):
        other = f"more-{number:04}"
        installation.kubernetes.objects[other] = document | {"metadata": document["metadata"] | {"name": other}}
    installation.listed(ALICE, 1201)
    before = list(installation.kubernetes.requests)
    assert set(installation.listed(ALICE, 1201)) == set(installation.kubernetes.objects)
    assert installation.kubernetes.requests == before


def test_a_gateway_that_starts_reads_all_pages(installation: Installation) -> None:
    name = upload(installation)
    document = installation.kubernetes.objects[name]
    for number in range(1200):
        other = f"more-{number:04}"
        installation.kubernetes.objects[other] = document | {"metadata": document["metadata"] | {"name": other}}
    installation.gateway.stop()
    installation.gateway.start()
    await_condition(installation.ready, seconds=30, what="not ready")
    assert len(installation.listed(ALICE, 1201)) == 1201


def test_what_one_did_is_listed_at_once(installation: Installation) -> None:
    for _ in range(20):
        name = upload(installation)
        [found] = get(installation, "/conversions", installation.auth.token(ALICE)).json()["conversions"]
        assert found["name"] == name
        url = f"{installation.gateway.url}/conversions/{name}"
        assert requests.delete(url, headers=installation.authorized(), timeout=20).status_code == 204
        assert get(installation, "/conversions", installation.auth.token(ALICE)).json()["conversions"] == []


def test_a_conversion_of_a_newer_version_does_not_hide_the_others(installation: Installation) -> None:
    name = upload(installation)
    document = installation.kubernetes.objects[name]
    newer = document | {"metadata": document["metadata"] | {"name": "newer"}, "spec": document["spec"] | {"colour": 1}}
    installation.kubernetes.objects["newer"] = newer
    later = document | {"metadata": document["metadata"] | {"name": "later"}}
    installation.kubernetes.objects["later"] = later
    assert set(installation.listed(ALICE, 2)) == {name, "later"}


def test_it_becomes_ready_when_everything_was_reached(installation: Installation, tmp_path: Path) -> None:
    installation.mongodb.stop()
    settings = settings_for(
        installation.auth, installation.kubernetes, installation.mongodb.uri_of("gateway"), tmp_path
    )
    with GatewayServer(settings) as gateway:
        answer = requests.get(f"{gateway.url}/readyz", timeout=20)
        assert (answer.status_code, answer.json()["code"]) == (503, "service-unavailable")
        installation.mongodb.start()
        await_condition(
            lambda: requests.get(f"{gateway.url}/readyz", timeout=20).status_code == 200, seconds=30, what="not ready"
        )


def test_metrics_are_on_a_port_of_their_own(restarted: Installation) -> None:
    answer = requests.get(f"{restarted.gateway.url}/metrics", timeout=20)
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert 'video2mp3_http_problems_total{code="not-found"} 1.0' in restarted.gateway.metrics()


def test_a_client_that_says_nothing_takes_no_thread(installation: Installation) -> None:
    """Forty connections that only stand there, more than there are threads, and the health check still answers."""
    address = (installation.gateway.host, installation.gateway.port)
    silent = [socket.create_connection(address, timeout=20) for _ in range(40)]
    try:
        assert requests.get(f"{installation.gateway.url}/healthz", timeout=20).status_code == 200
    finally:
        for connection in silent:
            connection.close()


def test_the_log_is_json_and_holds_no_secret(restarted: Installation) -> None:
    installation = restarted
    before = len(installation.gateway.log_file.read_text())
    token = installation.auth.token(ALICE)
    name = upload(installation)
    requests.post(f"{installation.gateway.url}/login", auth=(ALICE, "hunter2"), timeout=20)
    get(installation, f"/download?fid={'0' * 24}", token)
    installation.gateway.stop()
    text = installation.gateway.log_file.read_text()[before:]
    lines = [json.loads(line) for line in text.splitlines()]
    assert {line["service"] for line in lines} == {"gateway"}
    [accepted] = [line for line in lines if line["event"] == "upload_accepted"]
    assert (accepted["conversion"], accepted["owner"]) == (name, ALICE)
    requests_logged = [(line["method"], line["route"], line["status"]) for line in lines if line["event"] == "request"]
    assert requests_logged == [("POST", "/upload", 202), ("POST", "/login", 200), ("GET", "/download", 404)]
    for secret in (token, "hunter2", "Basic ", installation.mongodb.password):
        assert secret not in text


def test_it_ends_promptly_when_nothing_runs(installation: Installation) -> None:
    get(installation, "/healthz", "")
    installation.gateway.stop()
    assert not installation.gateway.running
