"""What people are told by Events, and that it is told once."""

import asyncio
from typing import Any

import pytest

from tests.builders import NOW, a_conversion
from tests.unit.operator.fakes import FakeKubernetes, World
from tests.unit.operator.harness import until
from video2mp3_contracts.api.conversion import ObjectMeta
from video2mp3_contracts.api.status import Attempt, ConversionStatus
from video2mp3_operator.ports.errors import UnavailableError
from video2mp3_operator.telemetry.events import EventRecorder, Happening, build_event, happenings

META = ObjectMeta.model_validate(a_conversion().document["metadata"])


def status(phase: str, reason: str, *attempts: Attempt) -> ConversionStatus:
    return ConversionStatus(phase=phase, reason=reason, message=f"{reason}!", attempts=attempts)


ENDED = Attempt(number=1, end_time=NOW, reason="ServiceUnavailable", message="Away.")
UNSEEN = status("Pending", "Pending")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (UNSEEN, status("Queued", "Queued"), []),
        (UNSEEN, status("Running", "Starting"), [("Normal", "Starting", "Starting!")]),
        (status("Running", "Starting"), status("Running", "Running"), []),
        (status("Running", "Running"), status("Succeeded", "Succeeded"), [("Normal", "Succeeded", "Succeeded!")]),
        (status("Running", "Running"), status("Failed", "NoAudio"), [("Warning", "NoAudio", "NoAudio!")]),
        (UNSEEN, status("Pending", "ServiceUnavailable"), [("Warning", "ServiceUnavailable", "ServiceUnavailable!")]),
        (
            status("Running", "Running"),
            status("Running", "Retrying", ENDED),
            [("Warning", "AttemptFailed", "Attempt 1 (ServiceUnavailable): Away.")],
        ),
        (status("Running", "Retrying", ENDED), status("Running", "Retrying", ENDED), []),
        (
            status("Running", "Running"),
            status("Running", "Running", ENDED.model_copy(update={"reason": "Disrupted"})),
            [],
        ),
    ],
)
def test_happenings(before: ConversionStatus, after: ConversionStatus, expected: list[tuple[str, str, str]]) -> None:
    assert [(each.kind, each.reason, each.note) for each in happenings(before, after)] == expected


def test_the_whole_event() -> None:
    assert build_event(META, Happening("Normal", "Succeeded", "n" * 2000), NOW) == {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "talk.c691eac2a35cebf4", "namespace": "media"},
        "involvedObject": {
            "apiVersion": "video2mp3.dev/v1",
            "kind": "Conversion",
            "namespace": "media",
            "name": "talk",
            "uid": "uid-media-talk",
        },
        "type": "Normal",
        "reason": "Succeeded",
        "message": "n" * 1024,
        "firstTimestamp": "2026-03-01T12:00:00Z",
        "lastTimestamp": "2026-03-01T12:00:00Z",
        "count": 1,
        "source": {"component": "video2mp3-operator"},
        "reportingComponent": "video2mp3-operator",
        "reportingInstance": "",
    }


def test_what_happened_twice_on_another_occasion_is_another_event() -> None:
    def name(occasion: str) -> str:
        return str(build_event(META, Happening("Warning", "AttemptFailed", "", occasion), NOW)["metadata"]["name"])

    assert name("1") == name("1") != name("2")


def test_an_api_server_that_is_away_costs_events_and_nothing_else() -> None:
    class Away(FakeKubernetes):
        async def post(self, manifest: object) -> None:
            raise UnavailableError("away")

    dropped: list[int] = []
    recorder = EventRecorder(Away(World()), lambda: dropped.append(1))
    recorder.record(META, [Happening("Normal", "Succeeded", "")], NOW)

    async def main() -> None:
        task = asyncio.create_task(recorder.run())
        await until(lambda: bool(dropped))
        assert not task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert len(dropped) == 1


def test_the_queue_is_bounded() -> None:
    dropped: list[int] = []
    recorder = EventRecorder(FakeKubernetes(World()), lambda: dropped.append(1))
    recorder.record(META, [Happening("Normal", "Retrying", "", str(number)) for number in range(1500)], NOW)
    assert len(dropped) == 500


def test_a_start_is_the_same_whether_its_pod_is_known_or_not() -> None:
    early = happenings(UNSEEN, status("Running", "Starting"))
    late = happenings(UNSEEN, status("Running", "Starting", Attempt(number=1, pod="talk-1")))
    assert early == late
    assert early != happenings(UNSEEN, status("Running", "Starting", ENDED))


def test_what_was_told_is_not_posted_again() -> None:
    posted: list[str] = []

    class Noting(FakeKubernetes):
        async def post(self, manifest: dict[str, Any]) -> None:
            posted.append(manifest["message"])

    recorder = EventRecorder(Noting(World()), lambda: None)

    async def main() -> None:
        task = asyncio.create_task(recorder.run())
        for occasion, note in (("1", "first"), ("1", "again"), ("2", "second")):
            recorder.record(META, [Happening("Normal", "Starting", note, occasion)], NOW)
        await until(lambda: "second" in posted)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert posted == ["first", "second"]
