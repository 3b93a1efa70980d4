"""The cache follows the API server, whatever happens on the way."""

import random
import threading
from collections.abc import Callable

import pytest

from tests.builders import NOW, a_conversion, at
from tests.unit.gateway.conversions_cache.fake_api import PAGE, FakeApi
from tests.unit.gateway.fakes import FakeClock
from video2mp3_contracts.api.conversion import Conversion
from video2mp3_gateway.conversions_cache import client, reflector
from video2mp3_gateway.conversions_cache.cache import STALE_SECONDS, ConversionsCache
from video2mp3_gateway.conversions_cache.client import CachedConversions
from video2mp3_gateway.conversions_cache.reflector import Reflector
from video2mp3_gateway.ports.systems import DependencyUnavailable, Document

ALICE = "alice@example.com"
BOB = "bob@example.com"


class Followed:
    """An API server, a cache that follows it, and the client in front."""

    def __init__(self) -> None:
        self.api = FakeApi()
        self.clock = FakeClock()
        self.cache = ConversionsCache(self.clock)
        self.pauses: list[float] = []
        self.reflector = Reflector(self.api, self.cache, self.pauses.append, self.clock)
        self.client = CachedConversions(self.api, self.cache)

    def go_round(self, *happens: Callable[[], object]) -> int:
        """List or watch, while something happens; answers how many pauses were made for errors."""
        before = len(self.pauses)
        self.api.between = [*happens]
        self.reflector.go_round()
        return len(self.pauses) - before

    def a_minute_passes(self) -> None:
        self.clock.now += 60

    def put(self, name: str, second: int = 0, owner: str = ALICE) -> None:
        created = at(NOW.replace(second=second))
        self.api.put(a_conversion(name).owned_by(owner).with_metadata(creationTimestamp=created))

    def names(self, owner: str = ALICE, limit: int = 100) -> list[str]:
        """All pages of an account."""
        names: list[str] = []
        page = self.client.newest(owner, limit, None)
        while page.following:
            names += [each.metadata.name for each in page.conversions]
            page = self.client.newest(owner, limit, page.following)
        return names + [each.metadata.name for each in page.conversions]

    def expected(self, owner: str = ALICE) -> list[str]:
        found = [each["metadata"] for each in self.api.documents.values() if each["spec"]["owner"] == owner]
        places = sorted(((each["creationTimestamp"], each["name"]) for each in found), reverse=True)
        return [name for _created, name in places]


def test_all_pages_of_the_list_and_what_comes_after() -> None:
    followed = Followed()
    for number in range(2 * PAGE + 1):
        followed.put(f"talk-{number}", number)
    assert followed.go_round(lambda: followed.put("new", 59), lambda: followed.api.remove("talk-5")) == 0
    assert followed.names() == followed.expected()
    assert followed.api.calls == ["list", "list", "list", "watch"]


def test_lists_ask_nothing_of_the_api_server() -> None:
    followed = Followed()
    for number in range(50):
        followed.put(f"talk-{number}", number)
    followed.go_round()
    before = list(followed.api.calls)
    for limit in (1, 7, 50, 100):
        assert followed.names(limit=limit) == followed.expected()
    assert followed.api.calls == before


def test_the_next_watch_begins_where_the_last_one_ended() -> None:
    followed = Followed()
    followed.put("a")
    followed.go_round()
    followed.put("b", 1)
    followed.api.remove("a")
    followed.go_round()
    assert (followed.names(), followed.api.calls) == (["b"], ["list", "watch", "watch"])


def test_a_watch_that_breaks_is_taken_up_where_it_broke() -> None:
    followed = Followed()
    followed.go_round()
    for number in range(4):
        followed.put(f"talk-{number}", number)
    followed.api.switch.off("event", times=1)
    assert (followed.go_round(), followed.go_round()) == (1, 0)
    assert followed.names() == followed.expected()
    assert followed.api.calls.count("list") == 1


def test_a_version_that_is_forgotten_is_listed_again() -> None:
    followed = Followed()
    followed.put("gone")
    followed.put("stays", 1)
    followed.go_round()
    followed.api.remove("gone")
    followed.put("new", 2)
    followed.api.forget()
    assert followed.go_round() == 1
    assert followed.names() == ["stays", "gone"], "what is known is shown until it is listed again"
    followed.go_round()
    assert followed.names() == ["new", "stays"]


def test_a_list_that_took_too_long_begins_anew() -> None:
    followed = Followed()
    for number in range(2 * PAGE):
        followed.put(f"talk-{number}", number)
    assert followed.go_round(lambda: (followed.put("new", 50), followed.api.forget())) == 1
    with pytest.raises(DependencyUnavailable):
        followed.names()
    followed.go_round()
    assert followed.names() == followed.expected()


def test_a_list_that_breaks_off_begins_anew() -> None:
    followed = Followed()
    for number in range(2 * PAGE):
        followed.put(f"talk-{number}", number)
    assert followed.go_round(lambda: followed.api.switch.off("list_page", times=1)) == 1
    followed.go_round()
    assert followed.names() == followed.expected()


def test_a_cluster_that_was_restored_from_a_backup() -> None:
    """Its versions begin earlier, and a watch from a later one tells nothing."""
    followed = Followed()
    for number in range(5):
        followed.put(f"talk-{number}", number)
    followed.go_round()
    followed.api.__init__()  # type: ignore[misc]
    followed.api.bookmarks = False
    followed.put("restored")
    assert followed.go_round(followed.a_minute_passes) == 1
    followed.go_round(followed.a_minute_passes)
    assert followed.names() == ["restored"]
    followed.put("later", 1)
    followed.go_round()
    assert followed.names() == ["later", "restored"]


def test_lists_wait_until_a_restored_cluster_has_been_read_as_a_whole() -> None:
    followed = Followed()
    for number in range(2 * PAGE):
        followed.put(f"talk-{number}", number)
    followed.go_round()
    followed.api.__init__()  # type: ignore[misc]
    followed.api.bookmarks = False
    for number in range(PAGE + 1):
        followed.put(f"restored-{number}", number)
    followed.go_round(followed.a_minute_passes)

    def look() -> None:
        with pytest.raises(DependencyUnavailable, match="not all been read"):
            followed.names()
        followed.client.ping()

    followed.go_round(lambda: None, look, followed.a_minute_passes)
    assert followed.names() == followed.expected()


def test_a_restored_cluster_overrules_what_never_happened_there() -> None:
    """As etcd's restore does it: the version is raised above all that were lost, objects keep theirs."""
    followed = Followed()
    followed.put("talk")
    before = followed.api.documents["talk"]
    followed.put("talk", second=30)
    followed.go_round()
    followed.api.documents["talk"] = before
    followed.api.latest += 1000
    followed.api.forget()
    followed.go_round()
    followed.go_round()
    [shown] = followed.client.newest(ALICE, 1, None).conversions
    assert at(shown.metadata.creation_timestamp or NOW) == before["metadata"]["creationTimestamp"]


def test_a_list_that_never_ends_does_not_count_as_heard() -> None:
    followed = Followed()
    for number in range(2 * PAGE):
        followed.put(f"talk-{number}", number)
    followed.go_round()
    followed.api.forget()
    followed.put("new")
    followed.api.forget()
    for _ in range(4):
        followed.clock.now += STALE_SECONDS / 3
        followed.go_round(lambda: followed.api.switch.off("list_page", times=1))
    with pytest.raises(DependencyUnavailable, match="silent"):
        followed.names()


def test_a_watch_that_is_cut_after_a_while_is_followed_at_once() -> None:
    """As proxies do with those that are quiet."""
    followed = Followed()
    followed.go_round()
    followed.api.bookmarks = False
    for _ in range(8):

        def cut() -> None:
            followed.clock.now += 30
            raise DependencyUnavailable("kubernetes", "cut")

        followed.go_round(cut)
    assert all(pause <= 0.5 for pause in followed.pauses)


def test_what_the_cache_grows_by_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reflector, "_GROWN", 3)
    followed, grown = Followed(), []
    followed.reflector = Reflector(followed.api, followed.cache, on_grown=lambda: grown.append(len(followed.names())))
    followed.cache.watching()
    followed.put("first")
    followed.go_round(*[lambda name=name: followed.put(name) for name in "abcde"])
    assert grown == [1, 4]


def test_a_quiet_watch_is_no_reason_to_list_or_to_wait() -> None:
    followed = Followed()
    followed.go_round()
    followed.api.bookmarks = False
    assert [followed.go_round(followed.a_minute_passes) for _ in range(3)] == [0, 0, 0]
    assert followed.api.calls == ["list", "watch", "watch", "watch", "watch"]


def test_a_watch_that_ends_as_soon_as_it_began_is_a_failure() -> None:
    followed = Followed()
    followed.api.bookmarks = False
    assert followed.go_round() == 1


def test_the_pauses_grow_to_a_bound_and_begin_anew() -> None:
    followed = Followed()
    followed.api.switch.off("list_page", times=20)
    for _ in range(20):
        followed.go_round()
    assert 0.25 <= followed.pauses[0] <= 0.5
    assert all(5 <= pause <= 10 for pause in followed.pauses[8:])
    assert followed.go_round() == 0
    followed.api.switch.off("watch")
    followed.go_round()
    assert followed.pauses[-1] <= 0.5


def test_what_nobody_thought_of_does_not_end_it() -> None:
    followed = Followed()
    followed.put("a")
    followed.go_round()
    broken = followed.api.put(a_conversion("b").owned_by(ALICE))
    del broken["metadata"]["resourceVersion"]
    assert followed.go_round() == 1
    followed.api.put(a_conversion("b").owned_by(ALICE))
    assert followed.go_round() == 0
    assert followed.names() == followed.expected()


class Chance:
    """What others do, and what goes wrong."""

    def __init__(self, seed: int, followed: Followed) -> None:
        self.random = random.Random(seed)
        self._followed = followed
        self._kinds = [self._put, self._put, self._put, self._remove, followed.api.forget, self._fail]

    def something(self) -> None:
        self.random.choice(self._kinds)()

    def _put(self) -> None:
        name = f"talk-{self.random.randrange(12)}"
        self._followed.put(name, self.random.randrange(60), self.random.choice([ALICE, BOB]))

    def _remove(self) -> None:
        if self._followed.api.documents:
            self._followed.api.remove(self.random.choice(sorted(self._followed.api.documents)))

    def _fail(self) -> None:
        self._followed.api.switch.off(self.random.choice(["list_page", "watch", "event"]), times=1)


@pytest.mark.parametrize("seed", range(40))
def test_after_any_history_both_say_the_same(seed: int) -> None:
    followed = Followed()
    chance = Chance(seed, followed)
    for _ in range(12):
        followed.go_round(*[chance.something] * chance.random.randrange(8))
    while followed.go_round():
        pass
    for owner in (ALICE, BOB):
        assert followed.names(owner, limit=4) == followed.expected(owner)


# --- before it is complete, and when it grows old


def test_before_the_watch_there_is_no_list() -> None:
    followed = Followed()
    followed.put("a")
    followed.api.switch.off("watch", times=1)
    followed.go_round()
    for question in (followed.names, followed.client.ping):
        with pytest.raises(DependencyUnavailable, match="not all been read"):
            question()
    followed.go_round()
    followed.client.ping()
    assert followed.names() == ["a"]


def test_what_is_known_is_shown_for_a_while_and_then_no_more() -> None:
    followed = Followed()
    followed.put("a")
    followed.go_round()
    followed.api.switch.off("watch", times=2)
    followed.clock.now += STALE_SECONDS
    followed.go_round()
    assert followed.names() == ["a"]
    followed.clock.now += 1
    followed.go_round()
    with pytest.raises(DependencyUnavailable, match="silent for 121 s"):
        followed.names()
    assert (followed.client.state.conversions, followed.client.state.silent_seconds) == (1, STALE_SECONDS + 1)
    followed.go_round()
    assert followed.names() == ["a"]


def test_before_anything_was_heard_the_silence_is_endless() -> None:
    assert Followed().client.state.silent_seconds == float("inf")


# --- what this gateway writes itself


def written(name: str, owner: str = ALICE) -> Conversion:
    return Conversion.model_validate(a_conversion(name).owned_by(owner).document)


def test_what_one_wrote_is_there_before_the_watch_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_ECHO_SECONDS", 0)
    followed = Followed()
    followed.go_round()
    followed.client.create(written("a"))
    assert followed.names() == ["a"]
    followed.go_round()
    assert followed.names() == ["a"]


def test_what_one_has_tried_anew_is_in_memory_as_the_api_server_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_ECHO_SECONDS", 0)
    followed = Followed()
    followed.api.put(a_conversion("a").owned_by(ALICE).failed())
    followed.go_round()
    followed.api.put(a_conversion("a").owned_by(ALICE).with_status(phase="Queued"))
    assert followed.client.retry("a", "uid", "2026-03-01T12:00:00Z")
    [row] = followed.client.newest(ALICE, 9, None).conversions
    assert row.status.phase == "Queued"


def test_what_one_deletes_is_being_deleted_before_the_watch_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_ECHO_SECONDS", 0)
    followed = Followed()
    followed.api.put(a_conversion("a").owned_by(ALICE).held())
    followed.go_round()
    followed.api.put(a_conversion("a").owned_by(ALICE).held().with_status(phase="Running"))
    followed.client.delete("a")
    [row] = followed.client.newest(ALICE, 9, None).conversions
    assert (row.status.phase, row.metadata.deletion_timestamp) == ("Running", NOW)
    followed.go_round()
    [row] = followed.client.newest(ALICE, 9, None).conversions
    assert row.metadata.deletion_timestamp == NOW, "what was told before does not undo it"
    followed.api.remove("a")
    followed.go_round()
    assert followed.names() == []


def test_an_answer_that_comes_late_brings_nothing_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made, told by the watch and deleted by somebody, all before the creation's answer is read."""
    followed = Followed()
    followed.go_round()
    create = followed.api.create

    def create_slowly(conversion: Conversion) -> Document:
        document = create(conversion)
        followed.api.remove("a")
        followed.go_round()
        return document

    monkeypatch.setattr(followed.api, "create", create_slowly)
    followed.client.create(written("a"))
    assert followed.names() == []


def test_a_list_that_began_before_does_not_hide_what_one_wrote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_ECHO_SECONDS", 0)
    followed = Followed()
    for number in range(2 * PAGE):
        followed.put(f"talk-{number}", number)
    followed.go_round()
    followed.api.forget()
    followed.put("other", 20)
    followed.api.forget()
    followed.go_round()
    followed.go_round(lambda: followed.client.create(written("a")))
    assert sorted(followed.names()) == sorted(followed.expected())
    assert "a" in followed.names()


def test_writing_waits_until_the_watch_has_told_of_it() -> None:
    followed = Followed()
    followed.go_round()
    create = followed.api.create
    told = threading.Event()

    def create_and_tell(conversion: Conversion) -> Document:
        document = create(conversion)
        threading.Thread(target=lambda: (followed.go_round(), told.set())).start()
        return document

    followed.api.create = create_and_tell  # type: ignore[method-assign]
    followed.client.create(written("a"))
    assert told.wait(20)
    assert followed.names() == ["a"]
