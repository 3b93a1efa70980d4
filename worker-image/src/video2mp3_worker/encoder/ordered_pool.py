"""Threads that work side by side and answer in order. Bounded: little is taken in before what came first is done."""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Final, Generic, TypeVar

_AHEAD: Final = 1
"""Tasks that wait for a thread, so that no thread waits for a task."""

_STACK_BYTES: Final = 1024**2

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass
class _Task(Generic[In, Out]):
    given: In
    done: threading.Event = field(default_factory=threading.Event)
    answer: Out | None = None
    error: Exception | None = None


def in_order(work: Callable[[In], Out], given: Iterable[In], threads: int) -> Iterator[tuple[In, Out]]:
    """`work` done on each that is given, in that many threads; in the order given. Raises what `work` raises."""
    waiting: SimpleQueue[_Task[In, Out] | None] = SimpleQueue()
    before = threading.stack_size(_STACK_BYTES)
    for _ in range(threads):
        threading.Thread(target=_work_through, args=(waiting, work), daemon=True).start()
    threading.stack_size(before)
    open_tasks: deque[_Task[In, Out]] = deque()
    try:
        for each in given:
            task: _Task[In, Out] = _Task(each)
            open_tasks.append(task)
            waiting.put(task)
            del each, task
            if len(open_tasks) >= threads + _AHEAD:
                yield _finished(open_tasks.popleft())
        while open_tasks:
            yield _finished(open_tasks.popleft())
    finally:
        for _ in range(threads):
            waiting.put(None)


def _finished(task: _Task[In, Out]) -> tuple[In, Out]:
    task.done.wait()
    if task.error is not None:
        raise task.error
    return task.given, task.answer  # type: ignore[return-value] # done without an error: there is an answer


def _work_through(waiting: "SimpleQueue[_Task[In, Out] | None]", work: Callable[[In], Out]) -> None:
    while (task := waiting.get()) is not None:
        try:
            task.answer = work(task.given)
        except Exception as error:  # noqa: BLE001 - raised again where the answer is awaited
            task.error = error
        task.done.set()
        del task
