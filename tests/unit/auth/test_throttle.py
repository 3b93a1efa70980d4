"""Logins are throttled by client address, and wrong passwords by account and network, as the service answers."""

import pytest

from tests.unit.auth.builders import EMAIL, PASSWORD, Service, an_account, settings
from tests.unit.auth.fakes import FakeAccountStore


def a_service(**changes: object) -> Service:
    accounts = FakeAccountStore(an_account(), an_account("other@example.com"))
    return Service(accounts=accounts, settings=settings(**changes))


def from_client(service: Service, address: str, email: str = EMAIL, password: str = PASSWORD) -> int:
    return service.login(email, password, **{"X-Forwarded-For": address}).status_code


def test_too_many_logins_from_one_address() -> None:
    service = a_service(login_limit_per_address="2 per minute", trusted_proxies=1)
    assert [from_client(service, "192.0.2.1") for _ in range(3)] == [200, 200, 429]
    assert from_client(service, "192.0.2.1", "other@example.com") == 429
    assert from_client(service, "192.0.2.2") == 200


def test_a_throttled_login_says_when_to_come_back_and_does_no_work() -> None:
    service = a_service(login_limit_per_address="1 per hour")
    service.login()
    verified = len(service.hasher.verified)
    answer = service.login()
    assert (answer.status_code, answer.json["code"]) == (429, "login-throttled")
    assert answer.mimetype == "application/problem+json"
    assert 0 < int(answer.headers["Retry-After"]) <= 3601
    assert len(service.hasher.verified) == verified
    assert service.metric('video2mp3_auth_logins_total{outcome="throttled"}') == 1
    assert service.metric('video2mp3_http_problems_total{code="login-throttled"}') == 1


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.com"])
def test_wrong_passwords_for_one_account_from_one_network(email: str) -> None:
    """The same for an account that does not exist; the right password does not help then, there."""
    service = a_service(login_limit_per_network="2 per 5 minutes", trusted_proxies=1)
    assert [from_client(service, f"192.0.2.{host}", email, "wrong") for host in range(3)] == [401, 401, 429]
    verified = len(service.hasher.verified)
    answer = service.login(email.upper(), PASSWORD, **{"X-Forwarded-For": "192.0.2.9"})
    assert (answer.status_code, answer.json["code"]) == (429, "login-throttled")
    assert answer.mimetype == "application/problem+json"
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert len(service.hasher.verified) == verified
    assert service.metric('video2mp3_auth_logins_total{outcome="throttled"}') == 2
    assert from_client(service, "192.0.2.9", "other@example.com") == 200


def test_a_stranger_never_locks_the_owner_out() -> None:
    """With every setting as it is by default, from an IPv4 network and from all of an IPv6 site."""
    service = a_service(trusted_proxies=1)
    for host in range(200):
        from_client(service, f"198.51.100.{host}", EMAIL, "wrong")
        from_client(service, f"2001:db8:1:{host:x}::1", EMAIL, "wrong")
    assert from_client(service, "192.0.2.1") == 200


def test_guesses_from_everywhere_end_but_where_the_owner_was_before() -> None:
    limits = {"login_limit_per_network": "1 per hour", "login_limit_per_account": "3 per hour"}
    service = a_service(trusted_proxies=1, **limits)
    assert from_client(service, "192.0.2.1") == 200
    answers = [from_client(service, f"203.0.{network}.1", EMAIL, "wrong") for network in range(4)]
    assert answers == [401, 401, 401, 429]
    assert from_client(service, "203.0.113.1") == 429
    assert from_client(service, "192.0.2.1") == 200
    service.clock.advance(hours=1)
    assert from_client(service, "203.0.113.1") == 200


def test_right_passwords_do_not_count_against_the_account() -> None:
    service = a_service(login_limit_per_network="1 per minute")
    assert [service.login().status_code for _ in range(5)] == [200] * 5


def test_logins_that_failed_on_our_side_do_not_count_against_the_account() -> None:
    service = a_service(login_limit_per_network="1 per minute")
    service.accounts.away = True
    assert [service.login().status_code for _ in range(3)] == [503] * 3
    service.accounts.away = False
    service.hasher.full = True
    assert [service.login().status_code for _ in range(3)] == [503] * 3
    service.hasher.full = False
    assert service.login().status_code == 200


def test_while_nothing_can_be_counted_a_right_guess_and_a_wrong_one_look_the_same() -> None:
    service = a_service()
    service.tallies.read_only = True
    right, wrong = service.login(), service.login(password="wrong")
    assert (right.status_code, right.json["code"]) == (503, "store-unavailable")
    assert "Retry-After" in right.headers
    assert (wrong.status_code, wrong.json["code"]) == (right.status_code, right.json["code"])


def test_malformed_credentials_count_by_address_only() -> None:
    service = a_service(login_limit_per_network="1 per minute", login_limit_per_address="3 per minute")
    answers = [service.client.post("/login", headers={"Authorization": "Basic %"}).status_code for _ in range(4)]
    assert answers == [400, 400, 400, 429]
    assert service.tallies.tallies == {}


def test_only_logins_are_throttled() -> None:
    service = a_service(login_limit_per_address="1 per minute")
    token = service.login().text
    assert [service.validate(token).status_code for _ in range(5)] == [200] * 5


def test_forwarded_addresses_are_believed_only_from_our_proxies() -> None:
    """Without proxies the header is nobody's; with one, only the entry that it wrote counts."""
    for limit in ("login_limit_per_address", "login_limit_per_network"):
        direct = a_service(**{limit: "2 per minute"})
        assert [from_client(direct, f"192.0.{part}.1", password="wrong") for part in range(3)] == [401, 401, 429]
        behind_one = a_service(trusted_proxies=1, **{limit: "2 per minute"})
        spoofed = [from_client(behind_one, f"10.0.{part}.1, 192.0.2.1", password="wrong") for part in range(3)]
        assert spoofed == [401, 401, 429]
