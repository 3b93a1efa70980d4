"""What cannot be read is skipped, told and counted, and stops nobody else."""

import asyncio
from typing import Any

import kopf
import pytest

from tests.builders import a_conversion, a_job
from tests.unit.operator.fakes import World
from tests.unit.operator.harness import an_operator, live, status
from video2mp3_contracts.api import names
from video2mp3_operator.app import handlers
from video2mp3_operator.app.bootstrap import Operator
from video2mp3_operator.objects.jobs import parse_job
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.objects.unreadable import UnreadableEntry, read_entry

BROKEN = a_job(a_conversion("broken")).with_metadata(creationTimestamp="yesterday")


def skipped(operator: Operator, kind: str) -> float | None:
    return operator.metrics.registry.get_sample_value("video2mp3_operator_objects_skipped_total", {"kind": kind})


def test_a_jobs_generation_that_is_no_number_is_none() -> None:
    job = parse_job(a_job().with_metadata(labels={names.LABEL_JOB_GENERATION: "second"}).document)
    assert job is not None
    assert job.generation == 0


def test_an_object_of_a_list_that_cannot_be_read_is_skipped_and_the_others_are_taken_in() -> None:
    world = World()
    world.jobs[Key("media", "broken")] = BROKEN.document
    world.jobs[Key("media", "whole")] = a_job().document
    key = world.apply(a_conversion())
    operator = an_operator(world)
    asyncio.run(operator.prime())
    assert operator.cache.conversion(key) is not None
    assert operator.cache.job("uid-media-talk") is not None
    assert skipped(operator, "job") == 1


@pytest.mark.parametrize("kind", ["ADDED", "DELETED"])
def test_an_event_that_cannot_be_read_is_skipped(kind: str) -> None:
    operator = an_operator(World())
    memo = kopf.Memo(operator=operator)
    asyncio.run(handlers.on_job(event={"type": kind, "object": BROKEN.document}, memo=memo))
    assert skipped(operator, "job") == 1
    assert not len(operator.queue)


def test_a_ledger_entry_that_cannot_be_read_keeps_its_conversion_waiting_and_no_other() -> None:
    world = World()
    broken, whole = world.apply(a_conversion("broken")), world.apply(a_conversion("whole"))
    counted: list[str] = []
    document: dict[str, Any] = {"_id": "uid-media-broken", "result": {"fileId": 7}}
    world.entries["uid-media-broken"] = read_entry(document, counted.append)
    live(world)
    assert counted == ["ledger entry"]
    assert isinstance(world.entries["uid-media-broken"], UnreadableEntry)
    assert status(world, broken)["message"].startswith("Its entry in the ledger cannot be read")
    assert status(world, whole)["reason"] == "Starting"
    assert [job["metadata"]["labels"][names.LABEL_CONVERSION] for job in world.jobs.values()] == ["whole"]
