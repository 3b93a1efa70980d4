"""The auth service as it runs: gunicorn, argon2id, the database that comes and goes."""

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import jwt
import pytest
import requests

from tests.integration.auth.conftest import AuthService
from tests.integration.conftest import BOTH_ENGINES
from tests.integration.gateway.crowd import HEAD, SILENCE, Crowd
from tests.servers import DatabaseServer
from tests.servers.process import await_condition

EMAIL, PASSWORD = "someone@example.com", "correct horse é"
MIB = 1024


def _processes(service: AuthService) -> list[int]:
    """Gunicorn's two processes."""
    assert service.process is not None
    master = service.process.pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return [master, *map(int, children)]


def _memory_kib(service: AuthService) -> int:
    """What the pod would be charged: proportional set size of all processes."""
    rollups = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in _processes(service)]
    return sum(int(re.search(r"^Pss: +(\d+)", rollup, re.MULTILINE).group(1)) for rollup in rollups)


def test_an_account_logs_in_and_its_token_is_verified_with_the_published_keys(service: AuthService) -> None:
    service.an_account(EMAIL, PASSWORD)
    token = requests.post(f"{service.url}/login", auth=(EMAIL, PASSWORD.encode()), timeout=20).text
    keys = jwt.PyJWKClient(f"{service.url}/.well-known/jwks.json")
    claims = jwt.decode(
        token, keys.get_signing_key_from_jwt(token), algorithms=["ES256"], audience="video2mp3", issuer="video2mp3-auth"
    )
    assert claims["sub"] == EMAIL
    assert service.get("/validate", token).json() == claims


def test_metrics_are_on_a_port_of_their_own(service: AuthService) -> None:
    assert service.login("nobody@example.com", "wrong").status_code == 401
    assert 'video2mp3_auth_logins_total{outcome="rejected"} 1.0' in requests.get(service.metrics_url, timeout=20).text
    assert service.get("/metrics").status_code == 404


def test_a_disabled_account_is_out_until_it_is_enabled(service: AuthService) -> None:
    service.an_account(EMAIL, "correct horse")
    token = service.login(EMAIL, "correct horse").text
    service.command("disable-account", EMAIL)
    assert service.login(EMAIL, "correct horse").status_code == 401
    assert service.get("/validate", token).status_code == 401
    service.command("enable-account", EMAIL)
    assert service.login(EMAIL, "correct horse").status_code == 200


def test_a_stronger_hash_replaces_a_weaker_one_at_login(
    make_service: Callable[..., AuthService], database: DatabaseServer
) -> None:
    weak = make_service(AUTH_ARGON2_MEMORY_KIB="19456")
    weak.an_account(EMAIL, "correct horse")
    strong = make_service().start()
    assert strong.login(EMAIL, "correct horse").status_code == 200
    assert "password_rehashed" in strong.log.read_text()
    assert strong.login(EMAIL, "correct horse").status_code == 200
    assert strong.log.read_text().count("password_rehashed") == 1


def test_the_database_goes_and_comes_back(service: AuthService, database: DatabaseServer) -> None:
    service.an_account(EMAIL, "correct horse")
    token = service.login(EMAIL, "correct horse").text
    database.stop()
    for answer in (service.login(EMAIL, "correct horse"), service.get("/validate", token), service.get("/readyz")):
        assert (answer.status_code, answer.json()["code"]) == (503, "store-unavailable")
        assert "Retry-After" in answer.headers
    assert service.get("/.well-known/jwks.json").status_code == 200
    database.start()
    assert service.get("/readyz").status_code == 200
    assert service.login(EMAIL, "correct horse").status_code == 200


def test_a_hanging_database_never_takes_all_threads(service: AuthService, database: DatabaseServer) -> None:
    """More logins than threads wait for a frozen database; health checks and keys are still answered."""
    service.an_account(EMAIL, "correct horse")
    service.login(EMAIL, "correct horse")
    database.pause()
    with ThreadPoolExecutor(24) as clients:
        started = time.monotonic()
        logins = [clients.submit(service.login, EMAIL, "correct horse") for _ in range(24)]
        assert service.get("/healthz").status_code == 200
        assert service.get("/.well-known/jwks.json").status_code == 200
        # Well under what a liveness probe allows, though 24 logins wait behind 16 threads.
        assert time.monotonic() - started < 10
        assert {login.result().status_code for login in logins} == {503}
    database.resume()
    assert service.login(EMAIL, "correct horse").status_code == 200


def test_it_starts_before_the_database_and_works_when_that_is_there(
    make_service: Callable[..., AuthService], database: DatabaseServer
) -> None:
    database.stop()
    service = make_service().start()
    assert service.get("/readyz").status_code == 503
    database.start()
    await_condition(lambda: service.get("/readyz").status_code == 200, seconds=20, what="it did not become ready")


def test_replicas_that_start_together_share_one_key(make_service: Callable[..., AuthService]) -> None:
    replicas = [make_service().start() for _ in range(3)]
    with ThreadPoolExecutor(len(replicas)) as clients:
        answers = list(clients.map(lambda replica: replica.get("/.well-known/jwks.json").json(), replicas))
    assert len(answers[0]["keys"]) == 1
    assert answers.count(answers[0]) == len(replicas)


def _from(network: str) -> dict[str, str]:
    return {"X-Forwarded-For": network}


@BOTH_ENGINES
def test_two_replicas_share_the_count_of_guesses_and_the_owner_gets_in(
    make_service: Callable[..., AuthService],
) -> None:
    """A stranger gets ten answers in all, however the guesses are spread over the replicas, and many at one time."""
    behind_a_proxy = {"AUTH_TRUSTED_PROXIES": "1", "AUTH_LOGIN_LIMIT_PER_ADDRESS": "1000 per minute"}
    replicas = [make_service(**behind_a_proxy).start() for _ in range(2)]
    replicas[0].an_account(EMAIL, "correct horse")

    def guess(number: int) -> int:
        stranger = _from(f"198.51.100.{number}")
        # A busy machine may have no place to check a password in time; that counts nothing.
        statuses = (replicas[number % 2].login(EMAIL, f"wrong {number}", stranger).status_code for _ in range(10))
        return next(status for status in statuses if status != 503)

    with ThreadPoolExecutor(4) as clients:
        answers = list(clients.map(guess, range(16)))
    assert (answers.count(401), answers.count(429)) == (10, 6)
    for replica in replicas:
        refused = replica.login(EMAIL, "correct horse", _from("198.51.100.200"))
        assert (refused.status_code, refused.json()["code"]) == (429, "login-throttled")
        assert 0 < int(refused.headers["Retry-After"]) <= 300
        assert replica.login(EMAIL, "correct horse", _from("192.0.2.1")).status_code == 200


@BOTH_ENGINES
def test_while_the_database_only_reads_nobody_learns_whether_a_guess_is_right(
    service: AuthService, database: DatabaseServer
) -> None:
    service.an_account(EMAIL, "correct horse")
    with database.reading_only():
        for password in ("correct horse", "wrong"):
            answer = service.login(EMAIL, password)
            assert (answer.status_code, answer.json()["code"]) == (503, "store-unavailable")
    assert service.login(EMAIL, "correct horse").status_code == 200


def test_a_rotated_key_is_published_first_then_signs(make_service: Callable[..., AuthService]) -> None:
    """With short times: published at once, in use after the delay, and old tokens stay valid."""
    service = make_service(
        AUTH_JWKS_MAX_AGE_SECONDS="1", AUTH_KEY_REFRESH_SECONDS="1", AUTH_KEY_ACTIVATION_DELAY_SECONDS="4"
    ).start()
    service.an_account(EMAIL, "correct horse")
    old_token = service.login(EMAIL, "correct horse").text
    old = jwt.get_unverified_header(old_token)["kid"]
    rotated = service.command("rotate-keys")
    assert rotated.returncode == 0
    assert "is published and signs from" in rotated.stderr

    def published() -> set[str]:
        return {key["kid"] for key in service.get("/.well-known/jwks.json").json()["keys"]}

    await_condition(lambda: len(published()) == 2, seconds=10, what="the new key was not published")
    (new,) = published() - {old}

    def signing() -> str:
        return str(jwt.get_unverified_header(service.login(EMAIL, "correct horse").text)["kid"])

    await_condition(lambda: signing() == new, seconds=15, what="the new key did not sign")
    assert service.get("/validate", old_token).status_code == 200
    assert published() == {old, new}


def test_memory_is_small_when_idle_and_bounded_under_load(make_service: Callable[..., AuthService]) -> None:
    service = make_service(AUTH_LOGIN_LIMIT_PER_ADDRESS="1000 per minute").start()
    service.an_account(EMAIL, "correct horse")
    assert service.get("/readyz").status_code == 200
    assert _memory_kib(service) < 120 * MIB
    with ThreadPoolExecutor(16) as clients:
        logins = [clients.submit(service.login, EMAIL, "correct horse") for _ in range(20)]
        peak = 0
        while not all(login.done() for login in logins):
            peak = max(peak, _memory_kib(service))
            time.sleep(0.02)
    # On a busy machine the last ones may wait too long for a place; memory is bounded by sending them away.
    assert {200} <= {login.result().status_code for login in logins} <= {200, 503}
    # Two password checks of 46 MiB each, whatever the number of clients.
    assert peak < (120 + 2 * 46 + 16) * MIB
    await_condition(lambda: _memory_kib(service) < 120 * MIB, seconds=10, what="memory was not given back")


def test_sigterm_lets_a_running_login_end(make_service: Callable[..., AuthService]) -> None:
    service = make_service(AUTH_ARGON2_TIME_COST="16").start()
    service.an_account(EMAIL, "correct horse")
    with ThreadPoolExecutor(1) as client:
        login = client.submit(service.login, EMAIL, "correct horse")
        await_condition(lambda: _threads_at_work(service) > 0, seconds=10, what="the login did not start")
        assert service.stop() == 0
        assert login.result().status_code == 200


def _threads_at_work(service: AuthService) -> int:
    """Threads of the worker that compute: argon2 runs outside of Python's lock."""
    worker = _processes(service)[-1]
    states = [path.read_text().rpartition(")")[2].split()[0] for path in Path(f"/proc/{worker}/task").glob("*/stat")]
    return states.count("R")


def test_logs_hold_no_secret(service: AuthService) -> None:
    service.an_account(EMAIL, "correct horse")
    token = service.login(EMAIL, "correct horse").text
    service.login(EMAIL, "wrong horse")
    log = service.log.read_text()
    assert "login_succeeded" in log
    assert "WrongPassword" in log
    secrets = ["correct horse", "wrong horse", token, service.environment["AUTH_KEY_ENCRYPTION_KEY"], "argon2id"]
    assert [secret for secret in secrets if secret in log] == []


@pytest.mark.parametrize("missing", ["AUTH_DATABASE_URL", "AUTH_KEY_ENCRYPTION_KEY"])
def test_without_a_secret_it_does_not_start_and_names_the_variable(
    make_service: Callable[..., AuthService], missing: str
) -> None:
    service = make_service(**{missing: "unusable hunter2"})
    with pytest.raises(AssertionError):
        service.start()
    log = service.log.read_text()
    assert missing.removeprefix("AUTH_").lower() in log
    assert "hunter2" not in log


def test_clients_that_hardly_speak_keep_nobody_from_logging_in(service: AuthService) -> None:
    """More of them than there are threads; the server is the gateway's, where all that it holds is tested."""
    service.an_account(EMAIL, "correct horse")
    address = urlsplit(service.url)
    with Crowd((str(address.hostname), address.port or 0), [HEAD, SILENCE] * 20):
        assert service.login(EMAIL, "correct horse").status_code == 200
