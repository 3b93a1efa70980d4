"""How many connections the machine allows."""

import resource

import pytest

from video2mp3_contracts.server.limits import MAX_CONNECTIONS, connections


def test_the_limit_of_open_files_is_raised_as_far_as_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = [(256, 1024)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: limits.append(limit))
    assert connections() == 1024 - 256
    assert limits[-1] == (1024, 1024)


@pytest.mark.parametrize("hard", [1_048_576, resource.RLIM_INFINITY])
def test_it_is_raised_no_further_than_needed(monkeypatch: pytest.MonkeyPatch, hard: int) -> None:
    limits = [(1024, hard)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, limit: limits.append(limit))
    assert connections() == MAX_CONNECTIONS
    assert limits[-1] == (MAX_CONNECTIONS + 256, hard)
