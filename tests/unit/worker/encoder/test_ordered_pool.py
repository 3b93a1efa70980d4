"""Threads that answer in order."""

import threading
from collections.abc import Iterator

import pytest

from video2mp3_worker.encoder import ordered_pool


def test_answers_come_in_the_order_given_however_long_each_takes() -> None:
    gates = [threading.Event() for _ in range(3)]
    gates[2].set()

    def work(number: int) -> int:
        assert gates[number].wait(10)
        if number:
            gates[number - 1].set()
        return number * 10

    assert list(ordered_pool.in_order(work, range(3), threads=3)) == [(0, 0), (1, 10), (2, 20)]


def test_little_is_taken_in_before_the_first_is_done() -> None:
    taken: list[int] = []

    def given() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    answers = ordered_pool.in_order(lambda number: number, given(), threads=2)

    next(answers)
    assert len(taken) == 3


def test_an_error_comes_where_the_answer_would() -> None:
    answers = ordered_pool.in_order(lambda number: 1 / number, (1, 0), threads=1)

    assert next(answers) == (1, 1.0)
    with pytest.raises(ZeroDivisionError):
        next(answers)
