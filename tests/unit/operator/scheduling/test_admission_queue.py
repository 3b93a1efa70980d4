"""Who asks for a turn, and keeps it."""

from tests.builders import a_conversion
from tests.unit.operator.scheduling.test_ordering import candidate
from video2mp3_operator.cache.store import Cache
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.scheduling.admission_queue import AdmissionQueue
from video2mp3_operator.scheduling.ordering import Caps


def seeing(*names: str) -> Cache:
    """A cache of Conversions of these names, whose uids are their names."""
    cache = Cache()
    for name in names:
        cache.see_conversion(a_conversion(name).with_metadata(uid=name).document)
    return cache


def test_nobody_is_admitted_before_everyone_was_heard() -> None:
    called: list[Key] = []
    admission_queue = AdmissionQueue(seeing("early", "late"), Caps(1, 9, 9), called.append)
    assert not admission_queue.ask(candidate("late", age=1)).admitted
    assert not admission_queue.ask(candidate("early", age=9)).admitted
    admission_queue.review()
    assert [key.name for key in called] == ["early"]
    assert admission_queue.ask(candidate("early", age=9)).admitted
    assert admission_queue.ask(candidate("late", age=1)).position == 1


def test_a_place_is_held_until_it_is_given_back() -> None:
    admission_queue = AdmissionQueue(seeing("first", "second"), Caps(1, 9, 9), lambda _: None)
    admission_queue.review()
    assert admission_queue.ask(candidate("first")).admitted
    assert not admission_queue.ask(candidate("second")).admitted
    admission_queue.leave("first")
    admission_queue.review()
    assert admission_queue.ask(candidate("second")).admitted
    assert len(admission_queue) == 0


def test_who_is_gone_loses_its_place_though_no_event_said_so() -> None:
    cache = seeing("first", "second")
    admission_queue = AdmissionQueue(cache, Caps(1, 9, 9), lambda _: None)
    admission_queue.review()
    assert admission_queue.ask(candidate("first")).admitted
    cache.see_conversion(a_conversion("first").with_metadata(uid="another").versioned(9).document)
    admission_queue.review()
    assert admission_queue.ask(candidate("second")).admitted
