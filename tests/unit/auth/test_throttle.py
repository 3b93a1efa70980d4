"""Logins are throttled by client address and by account."""

import pytest

from tests.unit.auth.builders import EMAIL, PASSWORD, Service, an_account, settings
from tests.unit.auth.fakes import FakeAccountStore
from video2mp3_auth.throttle import client_network


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
    assert service.metric('auth_logins_total{outcome="throttled"}') == 1
    assert service.metric('http_problems_total{code="login-throttled"}') == 1


@pytest.mark.parametrize("email", [EMAIL, "nobody@example.com"])
def test_wrong_passwords_for_one_account_from_everywhere(email: str) -> None:
    """The same for an account that does not exist; the right password does not help then."""
    service = a_service(login_limit_per_account="2 per minute", trusted_proxies=1)
    assert [from_client(service, f"192.0.2.{host}", email, "wrong") for host in range(3)] == [401, 401, 429]
    assert from_client(service, "192.0.2.9", email.upper(), PASSWORD) == 429
    assert from_client(service, "192.0.2.9", "other@example.com") == 200


def test_right_passwords_do_not_count_against_the_account() -> None:
    service = a_service(login_limit_per_account="1 per minute")
    assert [service.login().status_code for _ in range(5)] == [200] * 5


def test_logins_that_failed_on_our_side_do_not_count_against_the_account() -> None:
    service = a_service(login_limit_per_account="1 per minute")
    service.accounts.away = True
    assert [service.login().status_code for _ in range(3)] == [503] * 3
    service.accounts.away = False
    assert service.login().status_code == 200


def test_malformed_credentials_count_by_address_only() -> None:
    service = a_service(login_limit_per_account="1 per minute", login_limit_per_address="3 per minute")
    answers = [service.client.post("/login", headers={"Authorization": "Basic %"}).status_code for _ in range(4)]
    assert answers == [400, 400, 400, 429]


def test_only_logins_are_throttled() -> None:
    service = a_service(login_limit_per_address="1 per minute")
    token = service.login().text
    assert [service.validate(token).status_code for _ in range(5)] == [200] * 5


def test_forwarded_addresses_are_believed_only_from_our_proxies() -> None:
    """Without proxies the header is nobody's; with one, only the entry that it wrote counts."""
    direct = a_service(login_limit_per_address="2 per minute")
    assert [from_client(direct, f"192.0.2.{host}") for host in range(3)] == [200, 200, 429]
    behind_one = a_service(login_limit_per_address="2 per minute", trusted_proxies=1)
    spoofed = [from_client(behind_one, f"10.0.0.{host}, 192.0.2.1") for host in range(3)]
    assert spoofed == [200, 200, 429]


NETWORKS = {
    "192.0.2.7": "192.0.2.7",
    "::ffff:192.0.2.7": "192.0.2.7",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
    "2001:db8:1:2::1": "2001:db8:1:2::/64",
    "unix": "unix",
}


@pytest.mark.parametrize(("address", "network"), NETWORKS.items())
def test_whom_an_address_belongs_to(address: str, network: str) -> None:
    assert client_network(address) == network
