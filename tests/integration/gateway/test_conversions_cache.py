"""③ The list that is kept in memory, beside the API server that it follows."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.gateway.cluster import ALICE, BOB, Cluster
from tests.servers import KubernetesServer
from tests.servers.process import await_condition
from video2mp3_contracts.api.conversion import Conversion
from video2mp3_gateway.conversions_cache.cache import ConversionsCache
from video2mp3_gateway.conversions_cache.client import CachedConversions
from video2mp3_gateway.conversions_cache.reflector import Reflector
from video2mp3_gateway.ports.listing import Cursor
from video2mp3_gateway.ports.systems import DependencyUnavailable

RUNNING = '{"status": {"phase": "Running"}}'


class Following:
    """A gateway's cache, and its thread, which ends with the test."""

    def __init__(self, cluster: Cluster) -> None:
        self.client = CachedConversions(cluster.conversions, cache := ConversionsCache())
        self._ended = threading.Event()
        self._reflector = Reflector(cluster.conversions, cache, pause=self._ended.wait)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._reflector.go_round()

    def end(self) -> None:
        self._ended.set()

    def ready(self) -> bool:
        try:
            self.client.ping()
        except DependencyUnavailable:
            return False
        return True

    def traversal(self, owner: str, limit: int = 7) -> list[Conversion]:
        """All pages, one after the other."""
        found: list[Conversion] = []
        position: Cursor | None = None
        while True:
            page = self.client.newest(owner, limit, position)
            found += page.conversions
            position = page.following
            if position is None:
                return found

    def names(self, owner: str) -> list[str]:
        return [each.metadata.name for each in self.traversal(owner)]


@pytest.fixture
def cluster(kube_apiserver: KubernetesServer, tmp_path: Path) -> Iterator[Cluster]:
    """An empty namespace."""
    cluster = Cluster(kube_apiserver, tmp_path)
    yield cluster
    cluster.close()


@pytest.fixture
def follow(cluster: Cluster) -> Iterator[Callable[[], Following]]:
    """Starts to follow the namespace, as each gateway does."""
    started: list[Following] = []

    def start() -> Following:
        started.append(Following(cluster))
        await_condition(started[-1].ready, seconds=30, what="the Conversions were not read")
        return started[-1]

    yield start
    for each in started:
        each.end()


def await_same(cluster: Cluster, following: Following, owner: str = ALICE) -> None:
    await_condition(
        lambda: following.names(owner) == cluster.listed(owner), seconds=60, what="kubectl shows something else"
    )


def test_lists_make_no_call_to_the_api_server(
    cluster: Cluster, follow: Callable[[], Following], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was read page by page made a call for each hundred Conversions of the account."""
    names = cluster.fill(230)
    following = follow()
    calls: list[Any] = []
    call_api = cluster.client.call_api
    monkeypatch.setattr(
        cluster.client, "call_api", lambda *request, **more: calls.append(request) or call_api(*request, **more)
    )
    for _ in range(10):
        assert sorted(following.names(ALICE)) == names
    # The one watch may end and begin anew meanwhile.
    assert [request for request in calls if "watch=1" not in request[1]] == []


def test_pages_while_conversions_come_and_go(cluster: Cluster, follow: Callable[[], Following]) -> None:
    """What is there all the time is shown once in each traversal, in order; in the end both say the same."""
    stays = set(cluster.fill(60))
    following = follow()
    over = threading.Event()

    def come_and_go() -> None:
        for number in range(40):
            name = f"comes-{number}"
            cluster.conversions.create(cluster.conversion(name=name))
            cluster.conversions.create(cluster.conversion("b" * 24, BOB, f"bobs-{number}"))
            if number % 2:
                cluster.conversions.delete(name)
        over.set()

    changes = threading.Thread(target=come_and_go)
    changes.start()
    while not over.is_set():
        shown = following.traversal(ALICE)
        order = [(each.metadata.creation_timestamp, each.metadata.name) for each in shown]
        assert order == sorted(set(order), reverse=True)
        assert stays <= {each.metadata.name for each in shown}
        assert {each.spec.owner for each in shown} == {ALICE}
    changes.join()
    for owner in (ALICE, BOB):
        await_same(cluster, following, owner)


def test_a_changed_status_is_shown(cluster: Cluster, follow: Callable[[], Following]) -> None:
    cluster.conversions.create(cluster.conversion(name="talk"))
    following = follow()
    cluster.kubectl("patch", "conversion", "talk", "--subresource=status", "--type=merge", f"--patch={RUNNING}")
    await_condition(
        lambda: [each.status.phase for each in following.traversal(ALICE)] == ["Running"], seconds=30, what="not shown"
    )


def test_an_api_server_that_is_killed_and_comes_back(cluster: Cluster, follow: Callable[[], Following]) -> None:
    cluster.fill(20)
    following = follow()
    for round_ in range(2):
        cluster.server.kill()
        assert len(following.names(ALICE)) == 20, "what is known is shown for a while"
        cluster.server.start()
        cluster.conversions.create(cluster.conversion(name=f"after-{round_}"))
        cluster.conversions.delete(f"upload-{round_:024x}")
        await_same(cluster, following)


def test_what_this_gateway_did_is_listed_at_once(cluster: Cluster, follow: Callable[[], Following]) -> None:
    following = follow()
    for number in range(20):
        name = f"talk-{number}"
        following.client.create(cluster.held(cluster.conversion(name=name)))
        assert name in following.names(ALICE)
        following.client.delete(name)
        [shown] = [each for each in following.traversal(ALICE) if each.metadata.name == name]
        assert shown.metadata.deletion_timestamp is not None


def test_what_another_gateway_did_is_listed(cluster: Cluster, follow: Callable[[], Following]) -> None:
    one, another = follow(), follow()
    for number in range(20):
        one.client.create(cluster.conversion(name=f"talk-{number}"))
        await_condition(lambda name=f"talk-{number}": name in another.names(ALICE), seconds=20, what="not listed")
    one.client.delete("talk-3")
    await_condition(lambda: "talk-3" not in another.names(ALICE), seconds=20, what="still listed")


@pytest.mark.parametrize("owner", ["a=b,c\\d@example.com", "spec.owner!=@example.com", "ü@example.com"])
def test_odd_accounts_see_their_own(cluster: Cluster, follow: Callable[[], Following], owner: str) -> None:
    cluster.conversions.create(cluster.conversion("a" * 24, owner))
    cluster.conversions.create(cluster.conversion("b" * 24, BOB))
    assert [each.spec.owner for each in follow().traversal(owner)] == [owner]


def test_without_the_right_to_watch_it_is_not_ready(cluster: Cluster) -> None:
    """As after an upgrade whose Role was not applied: lists would never change."""
    forbid = '[{"op": "replace", "path": "/rules/0/verbs", "value": ["create", "delete", "get", "list"]}]'
    cluster.kubectl("patch", "role", "gateway", "--type=json", f"--patch={forbid}")
    reflector = Reflector(cluster.conversions, cache := ConversionsCache(), pause=lambda _seconds: None)
    # RBAC takes a moment to be what it was told.
    await_condition(lambda: _is_forbidden(cluster), seconds=20, what="it may still watch")
    reflector.go_round()
    with pytest.raises(DependencyUnavailable, match="not all been read"):
        CachedConversions(cluster.conversions, cache).ping()


def _is_forbidden(cluster: Cluster) -> bool:
    try:
        cluster.conversions.watch(cluster.conversions.version()).close()  # type: ignore[attr-defined]
    except DependencyUnavailable as error:
        return "forbidden" in str(error)
    return False
