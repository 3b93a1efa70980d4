"""How long Conversions are seen to wait."""

from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.policy.stopwatches import Stopwatches

KEY = Key("media", "talk")


class Watch:
    """A stopwatch that the test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_a_wait_is_counted_from_when_it_was_first_seen() -> None:
    watch = Watch()
    waits = Stopwatches(watch)
    assert waits.watch(KEY, "pod") == 0
    watch.seconds += 5
    assert waits.watch(Key("media", "other"), "pod") == 0
    assert waits.watch(KEY, "pod") == 5


def test_another_wait_is_counted_anew() -> None:
    watch = Watch()
    waits = Stopwatches(watch)
    waits.watch(KEY, "pod")
    watch.seconds += 5
    assert waits.watch(KEY, "another pod") == 0
    watch.seconds += 5
    assert waits.watch(KEY, None) == 0
    assert waits.watch(KEY, "another pod") == 0


def test_who_is_gone_is_forgotten() -> None:
    waits = Stopwatches(Watch())
    waits.watch(KEY, "pod")
    waits.forget(KEY)
    waits.forget(KEY)
    assert not waits._since
