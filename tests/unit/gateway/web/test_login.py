"""Logins on their way to the auth service."""

import pytest

from tests.unit.gateway.builders import Gateway, problem
from video2mp3_gateway.ports.systems import LoginAnswer, LoginAttempt

BASIC = {"Authorization": "Basic YTpi"}


def test_the_answer_is_passed_on() -> None:
    gateway = Gateway()
    answer = gateway.client.post("/login", headers=BASIC | {"X-Request-Id": "42"})
    assert (answer.status_code, answer.text) == (200, "the.jwt.itself")
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "no-store"
    assert gateway.logins.attempts == [LoginAttempt("Basic YTpi", "127.0.0.1", "42")]
    assert gateway.metric("video2mp3_gateway_logins_total", status="200") == 1


def test_a_refusal_is_passed_on_with_its_headers() -> None:
    gateway = Gateway()
    headers = {"WWW-Authenticate": 'Basic realm="video2mp3"', "Retry-After": "30"}
    gateway.logins.answer = LoginAnswer(429, "application/problem+json", b'{"code": "login-throttled"}', headers)
    answer = gateway.client.post("/login", headers=BASIC)
    assert (answer.status_code, answer.json) == (429, {"code": "login-throttled"})
    assert {name: answer.headers[name] for name in headers} == headers


BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


def test_who_clicks_the_address_in_an_email_gets_the_page() -> None:
    gateway = Gateway()
    answer = gateway.client.get("/login", headers=BROWSER)
    assert (answer.status_code, answer.headers["Location"]) == (303, "./")
    assert gateway.logins.attempts == []


def test_a_program_that_gets_it_is_told_to_post() -> None:
    answer = Gateway().client.get("/login")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert problem(answer)["code"] == "method-not-allowed"


def test_an_auth_service_that_is_away() -> None:
    gateway = Gateway()
    gateway.logins.switch.off("login")
    answer = gateway.client.post("/login", headers=BASIC)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "auth" in problem(answer)["detail"]


FORWARDED = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7"}


@pytest.mark.parametrize(("proxies", "address"), [(0, "127.0.0.1"), (1, "198.51.100.7"), (2, "203.0.113.9")])
def test_the_clients_address_is_what_our_own_proxies_say(proxies: int, address: str) -> None:
    gateway = Gateway(settings={"trusted_proxy_count": proxies})
    gateway.client.post("/login", headers=BASIC | FORWARDED)
    assert [attempt.client_address for attempt in gateway.logins.attempts] == [address]


def test_logging_in_takes_a_post() -> None:
    answer = Gateway().client.get("/login")
    assert (answer.status_code, problem(answer)["code"]) == (405, "method-not-allowed")
    assert "POST" in answer.headers["Allow"]
