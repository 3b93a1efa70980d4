"""Names that lead nowhere, and names that lead where nobody may go: nothing is connected to."""

import logging
import socket

import pytest

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.ports.systems import BrokenOffError
from video2mp3_worker.source.http_client import HttpWeb, Resolve, resolved

URL = "https://media.example/film.mp4?token=secret"


def ask(resolve: Resolve, url: str = URL) -> None:
    with HttpWeb(resolve=resolve).ask(url, {}, lambda: None):
        raise AssertionError("somebody answered")


def failing(number: int) -> Resolve:
    def resolve(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(number, "no")

    return resolve


@pytest.mark.parametrize("number", [socket.EAI_NONAME, socket.EAI_NODATA])
def test_a_name_that_does_not_exist_is_no_source(number: int) -> None:
    with pytest.raises(Refused) as refused:
        ask(failing(number))
    assert refused.value.reason is Reason.SOURCE_NOT_FOUND
    assert refused.value.message == "There is no host named media.example."


def test_what_no_name_can_be_is_not_even_asked_for() -> None:
    with pytest.raises(Refused, match="There is no host named aaaa"):
        ask(resolved, f"https://{'a' * 64}.example/")


@pytest.mark.parametrize("number", [socket.EAI_AGAIN, socket.EAI_FAIL])
def test_a_name_server_that_is_away_may_come_back(number: int) -> None:
    with pytest.raises(BrokenOffError, match=r"^The name media\.example could not be resolved\.$"):
        ask(failing(number))


@pytest.mark.parametrize("addresses", [[], ["127.0.0.1"], ["10.0.0.1", "::1", "::ffff:8.8.8.8"]])
def test_without_a_public_address_there_is_nobody_to_connect_to(addresses: list[str]) -> None:
    with pytest.raises(Refused) as refused:
        ask(lambda _host, _port: addresses)
    assert refused.value.reason is Reason.SOURCE_NOT_ALLOWED


def test_a_name_is_resolved_for_the_port_that_is_connected_to() -> None:
    asked: list[tuple[str, int]] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return []

    for url in ("http://a.example/", "https://b.example/", "http://c.example:443/"):
        with pytest.raises(Refused):
            ask(resolve, url)
    assert asked == [("a.example", 80), ("b.example", 443), ("c.example", 443)]


def test_urllib3_keeps_addresses_to_itself() -> None:
    """Its warnings quote them whole."""
    assert not logging.getLogger("urllib3.connection").isEnabledFor(logging.ERROR)
