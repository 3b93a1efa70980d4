"""The ConversionClasses in memory: how old they may be, and what is there while the API server is away."""

import threading

import pytest

from tests.builders import a_class
from tests.unit.gateway.fakes import FakeClasses, FakeClock
from video2mp3_gateway.classes.catalogue import FRESH_SECONDS, ClassCatalogue
from video2mp3_gateway.ports.systems import DependencyUnavailable, Document

SPEECH, MUSIC = a_class("speech", offered=True, default=True), a_class("music", offered=True)


class Kept:
    """A catalogue over classes that a test changes."""

    def __init__(self) -> None:
        self.api, self.clock = FakeClasses(SPEECH), FakeClock()
        self.catalogue = ClassCatalogue(self.api, "ours", self.clock)

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.catalogue.known().offered]


def test_a_list_is_used_for_some_seconds() -> None:
    kept = Kept()
    assert kept.names == ["speech"]
    kept.api.documents.append(MUSIC)
    kept.clock.now = FRESH_SECONDS - 0.1
    assert (kept.names, kept.api.lists) == (["speech"], 1)
    kept.clock.now = FRESH_SECONDS
    assert (kept.names, kept.api.lists) == (["music", "speech"], 2)


def test_what_is_gone_is_gone() -> None:
    kept = Kept()
    assert kept.names == ["speech"]
    kept.api.documents.clear()
    kept.clock.now = FRESH_SECONDS
    assert (kept.names, kept.catalogue.default()) == ([], None)


def test_while_the_api_server_is_away_what_was_known_holds_and_it_is_asked_now_and_then() -> None:
    kept = Kept()
    assert kept.names == ["speech"]
    kept.api.switch.off("all")
    for seconds in range(60):
        kept.clock.now = 3600.0 + seconds
        assert kept.names == ["speech"]
    assert kept.api.lists == 1 + 60 / FRESH_SECONDS


def test_nothing_is_known_before_the_first_list() -> None:
    kept = Kept()
    kept.api.switch.off("all", times=1)
    for _ in range(3):
        with pytest.raises(DependencyUnavailable):
            kept.catalogue.known()
        assert kept.catalogue.default() is None
    assert kept.api.lists == 1
    kept.clock.now = FRESH_SECONDS
    default = kept.catalogue.default()
    assert default is not None
    assert default.name == "speech"


class SlowClasses(FakeClasses):
    """Answers when it is told to."""

    def __init__(self) -> None:
        super().__init__(SPEECH)
        self.asked, self.answers = threading.Event(), threading.Event()

    def all(self) -> list[Document]:
        self.asked.set()
        assert self.answers.wait(10)
        return super().all()


def test_one_thread_lists_and_who_chooses_no_class_does_not_wait_for_it() -> None:
    api = SlowClasses()
    catalogue = ClassCatalogue(api, "ours")
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.extend(each.name for each in catalogue.known().offered)) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    assert api.asked.wait(10)
    assert catalogue.default() is None
    api.answers.set()
    for thread in threads:
        thread.join()
    assert (found, api.lists) == (["speech"] * 3, 1)
