"""How soon the ledger is asked again."""

import asyncio

import pytest

from tests.builders import a_conversion, a_job
from tests.unit.operator.fakes import World
from tests.unit.operator.harness import an_operator


@pytest.mark.parametrize(("running", "expected"), [(0, 2.0), (1, 0.1), (25, 0.3), (120, 1.2), (400, 2.0)])
def test_few_that_run_are_asked_about_often_and_many_seldom(
    monkeypatch: pytest.MonkeyPatch, running: int, expected: float
) -> None:
    operator = an_operator(World())
    for number in range(running):
        conversion = a_conversion(f"talk-{number}")
        operator.cache.see_conversion(conversion.document)
        operator.cache.see_job(a_job(conversion).document)
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    asyncio.run(operator.polling._pause())
    assert sum(slept) == pytest.approx(expected)
