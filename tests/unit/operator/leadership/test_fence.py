"""What passes the fence, and when."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from video2mp3_operator.leadership.fence import Fence, fenced
from video2mp3_operator.ports.errors import ConflictError, NotLeadingError


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Port:
    """Writes twice in one call, and tidies up."""

    def __init__(self, between: Callable[[], None] = lambda: None) -> None:
        self.written: list[str] = []
        self._between = between

    async def write(self) -> str:
        """Two writes, each followed by its answer."""
        try:
            self.written.append("first")
            await asyncio.sleep(0)
            self._between()
            await asyncio.sleep(0)
            self.written.append("second")
            await asyncio.sleep(0)
        finally:
            self.written.append("closed")
        return "done"

    async def fail(self) -> None:
        await asyncio.sleep(0)
        raise ConflictError("changed")

    async def wait(self) -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.written.append("cancelled")
            raise

    async def read(self) -> AsyncIterator[str]:
        yield "one"


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def fence(time: Time) -> Fence:
    return Fence(time, 7)


def test_nothing_passes_before_a_renewal_was_confirmed(fence: Fence) -> None:
    port = Port()
    with pytest.raises(NotLeadingError):
        asyncio.run(fenced(port, fence.admit_leader).write())
    assert port.written == []


def test_it_is_open_from_the_beginning_of_a_renewal(fence: Fence, time: Time) -> None:
    time.now = 5
    fence.confirm(began=1)
    assert fence.remaining() == 3
    time.now = 8
    assert not fence.is_open
    assert fence.is_lost


def test_a_renewal_that_is_confirmed_too_late_opens_nothing(fence: Fence, time: Time) -> None:
    time.now = 60
    fence.confirm(began=50)
    with pytest.raises(NotLeadingError):
        fence.admit_leader()


def test_closed_it_stays_closed(fence: Fence) -> None:
    fence.confirm(0)
    fence.close()
    fence.confirm(0)
    assert not fence.is_open


def test_a_leader_passes_with_answers_errors_and_cancellations_as_they_are(fence: Fence) -> None:
    fence.confirm(0)
    port = Port()
    ours = fenced(port, fence.admit_leader)
    assert asyncio.run(ours.write()) == "done"
    with pytest.raises(ConflictError, match="changed"):
        asyncio.run(ours.fail())

    async def cancelled() -> None:
        async with asyncio.timeout(0.01):
            await ours.wait()

    with pytest.raises(TimeoutError):
        asyncio.run(cancelled())
    assert port.written == ["first", "second", "closed", "cancelled"]


def test_one_that_is_paused_between_two_writes_of_a_call_does_not_make_the_second(fence: Fence, time: Time) -> None:
    def pause() -> None:
        time.now = 60

    fence.confirm(0)
    port = Port(between=pause)
    with pytest.raises(NotLeadingError):
        asyncio.run(fenced(port, fence.admit_leader).write())
    assert port.written == ["first", "closed"]


def test_a_standby_may_beat_and_who_has_lost_may_not(fence: Fence, time: Time) -> None:
    beats = fenced(Port(), fence.admit_standby)
    assert asyncio.run(beats.write()) == "done"
    fence.confirm(0)
    assert asyncio.run(beats.write()) == "done"
    time.now = 60
    with pytest.raises(NotLeadingError):
        asyncio.run(beats.write())


def test_lists_pass(fence: Fence) -> None:
    async def read() -> list[str]:
        return [each async for each in fenced(Port(), fence.admit_leader).read()]

    assert asyncio.run(read()) == ["one"]
