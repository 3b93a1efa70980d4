"""The mail sink treats senders as it was told, at the stage and as often as it was told."""

import asyncio

import pytest
from pydantic import ValidationError

from video2mp3_mailsink.behaviour import Behaviour, Mode, Stage, Treatment

GREYLISTING = Treatment(mode=Mode.ANSWER, stage=Stage.RECIPIENT, reply="451 4.7.1 Greylisted", times=1)


def modes(treatment: Treatment, *stages: Stage) -> list[Mode]:
    """What becomes of senders who come to these stages."""

    async def run() -> list[Mode]:
        behaviour = Behaviour()
        await behaviour.switch_to(treatment)
        return [(await behaviour.decided(stage)).mode for stage in stages]

    return asyncio.run(run())


def test_only_its_stage_is_treated() -> None:
    assert modes(GREYLISTING, Stage.SENDER, Stage.RECIPIENT) == [Mode.ACCEPT, Mode.ANSWER]


def test_it_is_over_after_so_many_senders() -> None:
    assert modes(GREYLISTING, Stage.RECIPIENT, Stage.RECIPIENT) == [Mode.ANSWER, Mode.ACCEPT]


def test_without_a_number_it_is_for_all() -> None:
    assert modes(Treatment(mode=Mode.DROP), *[Stage.MESSAGE] * 3) == [Mode.DROP] * 3


def test_whoever_is_stalled_gets_what_comes_next() -> None:
    async def run() -> Mode:
        behaviour = Behaviour()
        await behaviour.switch_to(Treatment(mode=Mode.STALL))
        stalled = asyncio.ensure_future(behaviour.decided(Stage.MESSAGE))
        await asyncio.sleep(0)
        assert not stalled.done()
        await behaviour.switch_to(Treatment(mode=Mode.DROP))
        return (await stalled).mode

    assert asyncio.run(run()) is Mode.DROP


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"mode": "answer"},
        {"mode": "accept", "reply": "250 fine"},
        {"mode": "keep-and-drop", "stage": "sender"},
        {"mode": "drop", "times": 0},
        {"mode": "drop", "when": "always"},
    ],
)
def test_a_treatment_that_makes_no_sense_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Treatment.model_validate(given)
