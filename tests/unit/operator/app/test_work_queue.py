"""The queue's promises: once, one at a time, nothing unseen, patient with errors."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.unit.operator.harness import until
from video2mp3_operator.app.work_queue import Backoff, WorkQueue

QUICK = Backoff(0.001, 0.01)


def run_for(queue: WorkQueue[str], check: Callable[[], bool]) -> None:
    async def main() -> None:
        task = asyncio.create_task(queue.run())
        await until(check)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())


def counting(
    seen: list[str], work: Callable[[str], Awaitable[float | None]] | None = None, concurrency: int = 4
) -> WorkQueue[str]:
    async def process(key: str) -> float | None:
        seen.append(key)
        return await work(key) if work else None

    return WorkQueue(process, lambda _key, _error: QUICK, concurrency)


def test_a_key_that_waits_is_worked_on_once() -> None:
    seen: list[str] = []
    queue = counting(seen)
    for _ in range(5):
        queue.add("a")
    queue.add("b")
    assert len(queue) == 2
    run_for(queue, lambda: queue.idle)
    assert seen == ["a", "b"]


def test_what_is_urgent_goes_first_and_once() -> None:
    seen: list[str] = []
    urgent: set[str] = {"u"}

    async def process(key: str) -> None:
        seen.append(key)

    queue = WorkQueue(process, lambda _key, _error: QUICK, 1, urgent.__contains__)
    for key in ("a", "b", "u", "c"):
        queue.add(key)
    urgent.add("c")
    queue.add("c")
    urgent.clear()
    queue.add("u")
    assert len(queue) == 4
    run_for(queue, lambda: queue.idle)
    assert seen == ["u", "c", "a", "b"]


def test_a_key_that_changes_while_it_is_worked_on_is_worked_on_again_and_never_twice_at_once() -> None:
    seen: list[str] = []
    at_once = most = 0

    async def work(key: str) -> float | None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        if len(seen) == 1:
            queue.add(key)
            queue.add(key)
        await asyncio.sleep(0.005)
        at_once -= 1
        return None

    queue = counting(seen, work)
    queue.add("a")
    run_for(queue, lambda: len(seen) == 2 and queue.idle)
    assert (seen, most) == (["a", "a"], 1)


def test_what_happens_while_it_fails_is_looked_at_soon_however_often_it_failed() -> None:
    seen: list[str] = []

    async def work(key: str) -> float | None:
        if len(seen) == 3:
            queue.add(key)
        raise ValueError("not yet")

    async def process(key: str) -> float | None:
        seen.append(key)
        return await work(key)

    pauses = iter([Backoff(0.001, 0.001), Backoff(0.001, 0.001), Backoff(0.001, 600), Backoff(600, 600)])
    queue = WorkQueue(process, lambda _key, _error: next(pauses), 1)
    queue._failures["a"] = 20
    queue.add("a")
    run_for(queue, lambda: len(seen) == 4)


def test_concurrency_is_bounded() -> None:
    seen: list[str] = []
    at_once = most = 0

    async def work(_key: str) -> float | None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0.002)
        at_once -= 1
        return None

    queue = counting(seen, work, concurrency=3)
    for number in range(20):
        queue.add(str(number))
    run_for(queue, lambda: len(seen) == 20 and queue.idle)
    assert most == 3


def test_an_error_is_tried_again_and_forgotten_after_a_success() -> None:
    seen: list[str] = []

    async def work(_key: str) -> float | None:
        if len(seen) < 4:
            raise ValueError("not yet")
        return None

    queue = counting(seen, work)
    queue.add("a")
    run_for(queue, lambda: len(seen) == 4 and queue.idle)
    assert queue._failures == {}


def test_a_key_can_ask_to_be_looked_at_later() -> None:
    seen: list[str] = []

    async def work(_key: str) -> float | None:
        return 0.005 if len(seen) < 3 else None

    queue = counting(seen, work)
    queue.add("a")
    run_for(queue, lambda: len(seen) == 3)


def test_sooner_wins_over_later() -> None:
    seen: list[str] = []
    queue = counting(seen)

    async def main() -> None:
        queue.add_after("a", 60)
        queue.add_after("a", 0.001)
        queue.add_after("a", 60)
        task = asyncio.create_task(queue.run())
        await until(lambda: bool(seen))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert seen == ["a"]


def test_backoff_doubles_up_to_its_limit() -> None:
    backoff = Backoff(1, 60)
    for failures, expected in ((1, 1), (2, 2), (5, 16), (7, 60), (10_000, 60)):
        assert 0.8 * expected <= backoff.pause(failures) <= 1.2 * expected
