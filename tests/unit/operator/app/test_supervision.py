"""A background loop that fails is begun anew, and none of the others notices."""

import asyncio

import pytest

from tests.unit.operator.fakes import World
from tests.unit.operator.harness import an_operator, until
from video2mp3_operator.app import supervision


def test_a_loop_that_fails_is_counted_and_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "RESTART_SECONDS", 0.001)
    operator = an_operator(World())
    begun: list[int] = []

    async def bug() -> None:
        begun.append(len(begun))
        raise ValueError("bug")

    async def main() -> str:
        operator.resync.run = bug  # type: ignore[method-assign]
        operator.start()
        await until(lambda: len(begun) > 2)
        unhealthy = operator._unhealthy()
        await operator.stop()
        return unhealthy

    assert asyncio.run(main()) == ""
    failures = operator.metrics.registry.get_sample_value
    assert (failures("video2mp3_operator_loop_failures_total", {"loop": "resync"}) or 0) > 1
    assert failures("video2mp3_operator_loop_failures_total", {"loop": "ledger"}) == 0


def test_a_loop_that_is_told_to_end_has_ended() -> None:
    ended: list[str] = []

    async def loop() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            ended.append("tidy")

    async def main() -> None:
        task = asyncio.create_task(supervision.supervise("loop", loop, ended.append))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert ended == ["tidy"]
