"""The HTTP service on fakes: answers, problems, metrics."""

import base64
import math

import jwt
import pytest

from tests.unit.auth.builders import EMAIL, PASSWORD, Service, an_account, settings
from tests.unit.auth.fakes import FakeAccountStore
from video2mp3_contracts.runtime.logs import configure_logging

PROBLEM = "application/problem+json"


@pytest.fixture
def service() -> Service:
    return Service()


def test_login_answers_a_token_as_text_that_validates(service: Service) -> None:
    answer = service.login()
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert answer.headers["Cache-Control"] == "no-store"
    claims = service.validate(answer.text)
    assert claims.status_code == 200
    assert claims.json["sub"] == EMAIL
    assert claims.json["aud"] == "video2mp3"


def test_the_address_may_be_written_in_upper_case(service: Service) -> None:
    token = service.login(EMAIL.upper()).text
    assert service.validate(token).json["sub"] == EMAIL


def test_the_published_keys_verify_a_login(service: Service) -> None:
    token = service.login().text
    answer = service.client.get("/.well-known/jwks.json")
    assert answer.mimetype == "application/jwk-set+json"
    assert answer.headers["Cache-Control"] == "public, max-age=300"
    key = jwt.PyJWKSet.from_dict(answer.json)[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, key, algorithms=["ES256"], audience="video2mp3")["sub"] == EMAIL


def _comparable(answer) -> tuple[int, dict[str, str], dict[str, object]]:
    headers = {name: value for name, value in answer.headers.items() if name != "X-Request-Id"}
    return answer.status_code, headers, answer.json | {"requestId": ""}


def test_all_rejected_logins_look_the_same() -> None:
    accounts = FakeAccountStore(an_account(), an_account("off@example.com", disabled=True))
    service = Service(accounts=accounts)
    wrong = service.login(EMAIL, "wrong")
    assert wrong.status_code == 401
    assert wrong.headers["WWW-Authenticate"].startswith("Basic ")
    assert wrong.mimetype == PROBLEM
    assert _comparable(wrong) == _comparable(service.login("nobody@example.com", PASSWORD))
    assert _comparable(wrong) == _comparable(service.login("off@example.com", PASSWORD))
    assert service.metric('video2mp3_auth_logins_total{outcome="rejected"}') == 3


BAD_HEADERS = {
    "no header": (None, 401, "credentials-missing"),
    "another scheme": ("Bearer x", 401, "credentials-missing"),
    "not base64": ("Basic %%%", 400, "credentials-malformed"),
    "not UTF-8": ("Basic " + base64.b64encode(b"a:\xff").decode(), 400, "credentials-malformed"),
    "no colon": ("Basic " + base64.b64encode(b"a").decode(), 400, "credentials-malformed"),
    "too long": ("Basic " + base64.b64encode(b"a:" + b"x" * 1025).decode(), 400, "credentials-malformed"),
}


@pytest.mark.parametrize(("header", "status", "code"), BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_bad_credentials_are_a_problem(service: Service, header: str | None, status: int, code: str) -> None:
    answer = service.client.post("/login", headers={} if header is None else {"Authorization": header})
    assert (answer.status_code, answer.mimetype, answer.json["code"]) == (status, PROBLEM, code)
    assert service.metric('video2mp3_auth_logins_total{outcome="malformed"}') == 1
    assert service.hasher.verified == []


def test_login_is_a_post(service: Service) -> None:
    assert service.client.get("/login").status_code == 405


@pytest.mark.parametrize("token", ["x", "a.b.c"])
def test_a_bad_token_is_a_problem(service: Service, token: str) -> None:
    answer = service.validate(token)
    assert (answer.status_code, answer.json["code"]) == (401, "token-invalid")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="video2mp3", error="invalid_token"'


def test_a_missing_token_is_a_problem(service: Service) -> None:
    answer = service.client.get("/validate")
    assert (answer.status_code, answer.json["code"]) == (401, "token-missing")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="video2mp3"'


def test_an_expired_token_is_a_problem(service: Service) -> None:
    service.clock.advance(hours=-2)
    token = service.login().text
    answer = service.validate(token)
    assert (answer.status_code, answer.json["detail"]) == (401, "The token has expired. Log in again.")


def test_the_token_of_a_disabled_or_removed_account_is_not_valid(service: Service) -> None:
    token = service.login().text
    service.accounts.set_disabled_at(EMAIL, service.clock())
    assert service.validate(token).status_code == 401
    service.accounts.accounts.clear()
    assert service.validate(token).status_code == 401


def test_without_the_database_login_asks_to_come_back_and_keys_are_still_published(service: Service) -> None:
    token = service.login().text
    service.accounts.away = service.keys.away = True
    for answer in (service.login(), service.validate(token), service.client.get("/readyz")):
        assert (answer.status_code, answer.json["code"]) == (503, "store-unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    assert len(service.client.get("/.well-known/jwks.json").json["keys"]) == 1
    assert service.client.get("/healthz").status_code == 200
    assert service.metric('video2mp3_auth_logins_total{outcome="unavailable"}') == 1


def test_a_service_that_starts_without_the_database_becomes_ready_with_it() -> None:
    service = Service()
    service.accounts.away = service.keys.away = True
    assert service.client.get("/readyz").status_code == 503
    assert service.client.get("/.well-known/jwks.json").status_code == 503
    service.accounts.away = service.keys.away = False
    assert service.client.get("/readyz").status_code == 200
    assert service.login().status_code == 200


def test_unreadable_keys_are_not_ready_and_tell_nobody_why() -> None:
    first = Service()
    first.login()
    second = Service(keys=first.keys)
    answer = second.client.get("/readyz")
    assert (answer.status_code, answer.json["code"]) == (503, "keys-unreadable")
    assert second.login().status_code == 503
    assert "AUTH_KEY" not in answer.text


def test_more_logins_than_memory_allows_are_sent_away(service: Service) -> None:
    service.hasher.full = True
    answer = service.login()
    assert (answer.status_code, answer.json["code"]) == (503, "overloaded")
    assert answer.headers["Retry-After"] == "2"
    assert service.metric('video2mp3_auth_logins_total{outcome="overloaded"}') == 1


def test_metrics_count_logins_and_know_the_keys_age(service: Service) -> None:
    assert math.isnan(service.metric("video2mp3_auth_signing_key_age_seconds"))
    service.login()
    service.clock.advance(minutes=5)
    assert service.metric('video2mp3_auth_logins_total{outcome="succeeded"}') == 1
    assert service.metric("video2mp3_auth_login_seconds_count") == 1
    assert service.metric("video2mp3_auth_signing_key_age_seconds") == 300


def test_metrics_are_not_for_those_who_log_in(service: Service) -> None:
    answer = service.client.get("/metrics")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def test_nothing_secret_is_logged(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("auth")
    token = service.login().text
    service.login("typed-a-password-here", "hunter2 hunter2")
    output = "".join(capsys.readouterr())
    assert "login_succeeded" in output
    for secret in (PASSWORD, token, "hunter2", "typed-a-password-here"):
        assert secret not in output


def test_a_body_is_not_read() -> None:
    service = Service(settings=settings())
    answer = service.client.post("/login", auth=(EMAIL, PASSWORD), data=b"x" * 100_000)
    assert answer.status_code == 200
