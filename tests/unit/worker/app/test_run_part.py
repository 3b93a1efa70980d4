"""⑥⑦ Several workers of one sound, with the outside failing or a worker dying at every single call."""

import itertools
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.worker.builders import a_request
from tests.unit.worker.fakes import (
    FakeConverter,
    FakeFiles,
    FakePartLedger,
    FakeQueue,
    Killed,
    Outside,
    at_ease,
    away,
    killed,
)
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.status import OutputReport
from video2mp3_contracts.jobs.worker import Division
from video2mp3_worker.app.reporter import Reporter
from video2mp3_worker.app.run import Worker
from video2mp3_worker.app.run_part import PartWorker
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.ports.errors import Refused, Superseded, TryAgain

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALLS = ("open_part", "find", "chunks", "plan", "convert_part", "name_part_file", "write", "finish_part")
JOIN_CALLS = (
    "claim_join",
    "join",
    "read",
    "read",
    "name_upload",
    "write",
    "store_result",
    "remove",
    "remove",
    "publish",
    "mark_published",
)
tokens = itertools.count()


def a_worker(outside: Outside, scratch: Path, number: int, seconds: float = 60.0) -> PartWorker:
    ledger, files = FakePartLedger(outside, f"token-{next(tokens)}", number=number), FakeFiles(outside)
    worker = Worker(
        request=a_request(parts=2),
        ledger=ledger,
        sources=files,
        web=None,
        mp3s=files,
        queue=FakeQueue(outside),
        reporter=Reporter(ledger, lambda: 0.0, lambda: NOW),
        converter=FakeConverter(outside, seconds),  # type: ignore[arg-type]
        stop=Stop(),
        scratch=scratch,
        now=lambda: NOW,
    )
    return PartWorker(number, ledger, worker)


def is_complete(outside: Outside) -> bool:
    return (
        outside.result is not None
        and {outside.result.file_id: b"tag from 0 from 3 "} == outside.files
        and outside.strays() == set()
        and {message.message_id for message in outside.messages} == {"uid-1:succeeded"}
        and outside.published
    )


def test_the_last_to_be_done_joins(tmp_path: Path) -> None:
    outside = Outside()

    assert a_worker(outside, tmp_path, 1).run() is None
    assert tuple(outside.calls) == CALLS
    assert [(file.kind, file.owner) for file in outside.metadata.values()] == [("part", "")]
    outside.calls.clear()
    assert a_worker(outside, tmp_path, 0).run() == outside.result

    assert tuple(outside.calls) == CALLS + JOIN_CALLS
    assert is_complete(outside)
    assert len(outside.messages) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("call", sorted({*CALLS, *JOIN_CALLS}))
def test_killed_before_any_call_the_next_worker_of_the_part_completes_it(
    tmp_path: Path, call: str, first: bool
) -> None:
    """While it makes its part, and while it joins."""
    outside = Outside()
    if not first:
        a_worker(outside, tmp_path, 1).run()
    outside.before = killed(call)
    dies = not first or call in CALLS
    try:
        a_worker(outside, tmp_path, 0).run()
    except Killed:
        assert dies
    outside.before = at_ease

    a_worker(outside, tmp_path, 0).run()
    if first:
        a_worker(outside, tmp_path, 1).run()

    assert is_complete(outside)


@pytest.mark.parametrize(
    "call",
    ["open_part", "name_part_file", "write", "finish_part", "claim_join", "name_upload", "store_result", "publish"],
)
def test_killed_after_any_call_the_next_worker_of_the_part_completes_it(tmp_path: Path, call: str) -> None:
    outside = Outside()
    a_worker(outside, tmp_path, 1).run()
    outside.after = killed(call)
    with pytest.raises(Killed):
        a_worker(outside, tmp_path, 0).run()
    outside.after = at_ease

    # The other part's worker may be started once more, too: its node went before its end was known.
    assert a_worker(outside, tmp_path, 1).run() in (None, outside.result)
    a_worker(outside, tmp_path, 0).run()

    assert is_complete(outside)


@pytest.mark.parametrize("call", sorted({*CALLS, *JOIN_CALLS} - {"remove"}))
def test_a_service_away_is_an_attempt_to_repeat(tmp_path: Path, call: str) -> None:
    outside = Outside()
    a_worker(outside, tmp_path, 1).run()
    outside.before = away(call)
    with pytest.raises(TryAgain, match="It is away"):
        a_worker(outside, tmp_path, 0).run()
    assert list(tmp_path.iterdir()) == []
    outside.before = at_ease

    a_worker(outside, tmp_path, 0).run()

    assert is_complete(outside)


def test_parts_that_cannot_be_removed_are_left_to_the_operator(tmp_path: Path) -> None:
    outside = Outside()
    a_worker(outside, tmp_path, 1).run()
    outside.before = away("remove")

    a_worker(outside, tmp_path, 0).run()

    assert outside.result is not None
    assert outside.strays() == {file_id for part in outside.parts.values() for file_id in part.files}


def test_a_part_that_is_complete_is_not_made_again_nor_its_source_read(tmp_path: Path) -> None:
    outside = Outside()
    a_worker(outside, tmp_path, 1).run()
    outside.calls.clear()

    assert a_worker(outside, tmp_path, 1).run() is None

    assert outside.calls == ["open_part"]


def test_a_worker_that_was_overtaken_leaves_no_file(tmp_path: Path) -> None:
    outside = Outside()

    def overtake(call: str) -> None:
        if call == "finish_part":
            outside.parts[0] = outside.parts[0].model_copy(update={"token": "other"})

    outside.before = overtake

    with pytest.raises(Superseded):
        a_worker(outside, tmp_path, 0).run()

    assert outside.strays() == set()


def test_who_comes_too_late_to_join_is_content(tmp_path: Path) -> None:
    outside = Outside()
    a_worker(outside, tmp_path, 1).run()

    def join_first(call: str) -> None:
        if call == "claim_join":
            outside.joining = 1

    outside.before = join_first

    assert a_worker(outside, tmp_path, 0).run() is None
    assert outside.result is None
    outside.before = at_ease
    assert a_worker(outside, tmp_path, 1).run() is not None

    assert is_complete(outside)


def test_a_part_that_is_made_again_takes_the_join_from_who_had_begun_it(tmp_path: Path) -> None:
    """The joiner died, and a worker of another version does all parts again: its own part is not the last this time."""
    outside = Outside()
    a_worker(outside, tmp_path, 1).run()
    outside.before = killed("join")
    with pytest.raises(Killed):
        a_worker(outside, tmp_path, 0).run()
    outside.before = at_ease
    for number, part in outside.parts.items():
        outside.parts[number] = part.model_copy(update={"made_of": "0:old"})

    assert a_worker(outside, tmp_path, 0).run() is None
    assert a_worker(outside, tmp_path, 1).run() is not None

    assert is_complete(outside)


def test_a_source_that_changed_meanwhile_is_refused(tmp_path: Path) -> None:
    outside = Outside()
    a_worker(outside, tmp_path, 1).run()

    with pytest.raises(Refused) as refused:
        a_worker(outside, tmp_path, 0, seconds=61.0).run()

    assert refused.value.reason is Reason.BAD_REQUEST


def test_a_result_that_is_there_is_only_published(tmp_path: Path) -> None:
    outside = Outside()
    outside.result = OutputReport(
        file_id="mp3", filename="film.mp3", size=17, duration_seconds=60, sha256="f" * 64, encoding="VBR V2"
    )

    assert a_worker(outside, tmp_path, 0).run() == outside.result

    assert outside.calls == ["open_part", "publish", "mark_published"]


# --- the first look ---


def looking(outside: Outside, scratch: Path, part_seconds: int) -> OutputReport | None:
    part = a_worker(outside, scratch, 0)
    request = a_request(division=Division(part_seconds=part_seconds, max_parts=5))
    return Worker(**(vars(part.worker) | {"request": request})).run()


def test_a_sound_worth_dividing_is_noted_and_left_to_others(tmp_path: Path) -> None:
    outside = Outside()

    assert looking(outside, tmp_path, 20) is None
    assert outside.parallelism == 3
    outside.calls.clear()
    assert looking(outside, tmp_path, 20) is None

    assert outside.calls == ["open_attempt"]
    assert outside.files == {}


@pytest.mark.parametrize("part_seconds", [31, 60, 1000])
def test_a_sound_that_is_not_is_converted(tmp_path: Path, part_seconds: int) -> None:
    outside = Outside()

    assert looking(outside, tmp_path, part_seconds) == outside.result

    assert outside.result is not None
    assert outside.parallelism is None
