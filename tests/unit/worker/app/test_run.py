"""⑥⑦ One attempt after another, with the outside failing or the worker dying at every single call."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.worker.builders import OWNER, SOURCE_ID, a_request
from tests.unit.worker.containers.test_audio_map import SIZE, a_file, a_track
from tests.unit.worker.fake_web import FakeFile, FakeWeb
from tests.unit.worker.fakes import (
    MP3_MADE_AT,
    FakeConverter,
    FakeFiles,
    FakeLedger,
    FakeQueue,
    Killed,
    Outside,
    at_ease,
    away,
    killed,
    mp3_id,
)
from video2mp3_contracts.api.conversion import Source
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.api.status import OutputReport
from video2mp3_contracts.jobs.worker import WorkerLimits
from video2mp3_worker.app.reporter import Reporter
from video2mp3_worker.app.run import Worker
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.ports.errors import Refused, Superseded, TryAgain

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CALLS = (
    "open_attempt",
    "find",
    "chunks",
    "convert",
    "name_upload",
    "write",
    "store_result",
    "publish",
    "mark_published",
)


def a_worker(outside: Outside, scratch: Path, *, token: str = "first", **changes: object) -> Worker:
    ledger, files = FakeLedger(outside, token), FakeFiles(outside)
    parts: dict = {
        "request": a_request(),
        "ledger": ledger,
        "sources": files,
        "web": None,
        "mp3s": files,
        "queue": FakeQueue(outside),
        "reporter": Reporter(ledger, lambda: 0.0, lambda: NOW),
        "converter": FakeConverter(outside),
        "stop": Stop(),
        "scratch": scratch,
        "now": lambda: NOW,
    }
    return Worker(**(parts | changes))


def is_complete(outside: Outside) -> bool:
    return (
        outside.result is not None
        and list(outside.files) == [outside.result.file_id]
        and outside.strays() == set()
        and outside.messages != []
        and {message.message_id for message in outside.messages} == {"uid-1:succeeded"}
        and outside.published
    )


def test_an_attempt_stores_before_it_publishes(tmp_path: Path) -> None:
    outside = Outside()

    a_worker(outside, tmp_path).run()

    assert tuple(outside.calls) == CALLS
    assert is_complete(outside)
    assert len(outside.messages) == 1
    assert outside.files[mp3_id(0)] == b"tag sound of film"
    assert outside.metadata[mp3_id(0)].owner == OWNER
    assert outside.metadata[mp3_id(0)].conversion_uid == "uid-1"
    assert list(tmp_path.iterdir()) == []


def test_what_was_noted_is_stored_and_published_also_by_the_next_attempt(tmp_path: Path) -> None:
    noted = ("The cover in stream 1 is no picture: it is left out.",)
    outside = Outside(before=killed("publish"))
    with pytest.raises(Killed):
        a_worker(outside, tmp_path, converter=FakeConverter(outside, notes=noted)).run()
    outside.before = at_ease

    a_worker(outside, tmp_path, token="second").run()

    assert outside.result is not None
    assert outside.result.notes == noted
    assert [message.notes for message in outside.messages] == [noted]


@pytest.mark.parametrize("call", CALLS)
def test_killed_before_any_call_the_next_attempt_completes_it(tmp_path: Path, call: str) -> None:
    outside = Outside(before=killed(call))
    with pytest.raises(Killed):
        a_worker(outside, tmp_path).run()
    outside.before = at_ease

    a_worker(outside, tmp_path, token="second").run()

    assert is_complete(outside)


@pytest.mark.parametrize("call", ["open_attempt", "name_upload", "write", "store_result", "publish", "mark_published"])
def test_killed_after_any_call_the_next_attempt_completes_it(tmp_path: Path, call: str) -> None:
    outside = Outside(after=killed(call))
    with pytest.raises(Killed):
        a_worker(outside, tmp_path).run()
    outside.after = at_ease

    a_worker(outside, tmp_path, token="second").run()

    assert is_complete(outside)


@pytest.mark.parametrize("call", CALLS)
def test_a_service_away_is_an_attempt_to_repeat(tmp_path: Path, call: str) -> None:
    outside = Outside(before=away(call))
    with pytest.raises(TryAgain, match="It is away"):
        a_worker(outside, tmp_path).run()
    assert list(tmp_path.iterdir()) == []
    outside.before = at_ease

    a_worker(outside, tmp_path, token="second").run()

    assert is_complete(outside)


def test_an_answer_that_was_lost_does_not_lose_the_result(tmp_path: Path) -> None:
    """The result was stored, but the worker never learned of it: it must not remove the file."""
    outside = Outside(after=away("store_result"))
    with pytest.raises(TryAgain):
        a_worker(outside, tmp_path).run()
    assert outside.result is not None
    assert outside.result.file_id in outside.files
    outside.after = at_ease

    a_worker(outside, tmp_path, token="second").run()

    assert is_complete(outside)
    assert outside.calls.count("convert") == 1


def test_a_failed_write_is_cleaned_up_at_once(tmp_path: Path) -> None:
    outside = Outside(before=away("write"))

    with pytest.raises(TryAgain):
        a_worker(outside, tmp_path).run()

    assert outside.strays() == set()


WHOLE = a_file(a_track(offsets=list(range(0, SIZE, 70_000)), sizes=[100] * 400)).getvalue()
"""An mp4 with its index in front and sound everywhere."""


@pytest.mark.parametrize("refused_before", [False, True])
def test_a_source_that_is_not_what_was_stored_leaves_nothing_behind(tmp_path: Path, refused_before: bool) -> None:
    """Though it was converted while it came, and whatever else was found to be wrong with it by then."""
    outside = Outside(sources={SOURCE_ID: WHOLE})

    def refuse(call: str) -> None:
        if call == "convert" and refused_before:
            raise Refused(Reason.NO_AUDIO, "There is no sound in it.")

    outside.before = refuse
    files = FakeFiles(outside, chunk_bytes=100_000, sha256="0" * 64)

    with pytest.raises(Refused) as error:
        a_worker(outside, tmp_path, sources=files).run()

    assert error.value.reason is Reason.TRUNCATED
    assert "name_upload" not in outside.calls
    assert (outside.files, outside.messages) == ({}, [])
    assert list(tmp_path.iterdir()) == []


def test_a_worker_that_was_overtaken_writes_nothing(tmp_path: Path) -> None:
    outside = Outside()

    def overtake(call: str) -> None:
        if call == "convert":
            outside.token = "second"

    outside.before = overtake

    with pytest.raises(Superseded):
        a_worker(outside, tmp_path).run()

    assert outside.uploads == []
    assert outside.files == {}


def test_a_worker_that_was_overtaken_at_the_last_moment_leaves_no_file(tmp_path: Path) -> None:
    """Given up or deleted meanwhile: there is no result, and nobody else knows of the file."""
    outside = Outside()

    def overtake(call: str) -> None:
        if call == "store_result":
            outside.token = ""

    outside.before = overtake

    with pytest.raises(Superseded):
        a_worker(outside, tmp_path).run()

    assert outside.strays() == set()


def test_a_worker_that_lost_at_the_last_moment_removes_its_file_and_publishes_the_winners(tmp_path: Path) -> None:
    outside = Outside()
    winner = OutputReport(
        file_id="winner", filename="film.mp3", size=17, duration_seconds=60, sha256="f" * 64, encoding="VBR V2"
    )

    def lose(call: str) -> None:
        if call == "store_result":
            outside.token, outside.result = "second", winner
            outside.files["winner"] = b"sound"

    outside.before = lose

    assert a_worker(outside, tmp_path).run() == winner

    assert list(outside.files) == ["winner"]
    assert [message.file_id for message in outside.messages] == ["winner"]


@pytest.mark.parametrize(("seconds", "end"), [(3600, MP3_MADE_AT + timedelta(hours=1)), (None, None)])
@pytest.mark.parametrize("waited", [timedelta(0), timedelta(minutes=10)])
def test_the_message_tells_until_when_the_mp3_is_there_however_late_it_goes_out(
    tmp_path: Path, seconds: int | None, end: datetime | None, waited: timedelta
) -> None:
    """The Conversion's time has begun with its result, though no message could be published."""
    outside, request = Outside(before=away("publish")), a_request(ttl_seconds=seconds)
    with pytest.raises(TryAgain):
        a_worker(outside, tmp_path, request=request).run()
    outside.before = at_ease

    a_worker(outside, tmp_path, token="second", request=request, now=lambda: NOW + waited).run()

    assert [message.expires_at for message in outside.messages] == [end]


@pytest.mark.parametrize("taken", [{"adopted_from": "uid-0"}, {"predecessor": "uid-0"}], ids=["adopted", "inherited"])
def test_no_end_is_told_of_an_mp3_that_was_taken_over(tmp_path: Path, taken: dict[str, str]) -> None:
    """It was made long before this Conversion finished."""
    outside = Outside(before=away("publish"))
    with pytest.raises(TryAgain):
        a_worker(outside, tmp_path).run()
    later = replace(outside, before=at_ease, **taken)

    a_worker(later, tmp_path, token="second", request=a_request(ttl_seconds=3600)).run()

    assert [message.expires_at for message in later.messages] == [None]


def test_a_published_result_is_not_published_again(tmp_path: Path) -> None:
    outside = Outside()
    a_worker(outside, tmp_path).run()
    outside.calls.clear()

    a_worker(outside, tmp_path, token="second").run()

    assert outside.calls == ["open_attempt"]
    assert len(outside.messages) == 1


def test_asked_to_stop_it_stops_before_it_converts(tmp_path: Path) -> None:
    outside, stop = Outside(), Stop()
    stop.request()

    with pytest.raises(TryAgain) as stopped:
        a_worker(outside, tmp_path, stop=stop).run()

    assert stopped.value.reason is Reason.STOPPED
    assert "convert" not in outside.calls


def every_second(outside: Outside) -> Reporter:
    """One that has something to report each time it is asked."""
    ticks = itertools.count(step=2.0)
    return Reporter(FakeLedger(outside, "first"), lambda: next(ticks), lambda: NOW)


def test_it_shows_signs_of_life_while_it_stores_the_mp3(tmp_path: Path) -> None:
    outside = Outside()

    a_worker(outside, tmp_path, reporter=every_second(outside)).run()

    assert "report_progress" in outside.calls[outside.calls.index("write") : outside.calls.index("store_result")]


def test_it_shows_signs_of_life_while_it_removes_what_was_left(tmp_path: Path) -> None:
    outside = Outside(uploads=["left"], halves={"left"})

    a_worker(outside, tmp_path, reporter=every_second(outside)).run()

    assert "report_progress" in outside.calls[outside.calls.index("remove") : outside.calls.index("find")]
    assert is_complete(outside)


def test_overtaken_while_it_stores_the_mp3_it_leaves_no_file(tmp_path: Path) -> None:
    outside = Outside()

    def overtake(call: str) -> None:
        if call == "write":
            outside.token = "second"

    outside.before = overtake

    with pytest.raises(Superseded):
        a_worker(outside, tmp_path, reporter=every_second(outside)).run()

    assert "store_result" not in outside.calls
    assert outside.strays() == set()


def test_asked_to_stop_while_it_removes_what_was_left_it_stops(tmp_path: Path) -> None:
    outside, stop = Outside(uploads=["left"]), Stop()
    outside.before = lambda call: stop.request() if call == "remove" else None

    with pytest.raises(TryAgain) as stopped:
        a_worker(outside, tmp_path, stop=stop).run()

    assert stopped.value.reason is Reason.STOPPED
    assert outside.calls[-1] == "remove"


def test_a_source_on_the_web_is_converted_like_any_other(tmp_path: Path) -> None:
    outside = Outside(sources={})
    url = "https://media.example/film.mp4"
    web = FakeWeb({url: FakeFile(b"film" * 100, cuts=[100])})
    request = a_request(source=Source(url=url), limits=WorkerLimits(allowed_hosts=("media.example",)))

    a_worker(outside, tmp_path, request=request, web=web).run()

    assert is_complete(outside)
    assert outside.files[mp3_id(0)] == b"tag sound of film"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "owner", "sha256", "reason"),
    [
        ({}, "eve@example.org", None, Reason.OWNER_MISMATCH),
        ({}, OWNER, "0" * 64, Reason.TRUNCATED),
        ({"source": Source(gridfs={"fileId": SOURCE_ID}, sha256="0" * 64)}, OWNER, None, Reason.CHECKSUM_MISMATCH),
        ({"source": Source(gridfs={"fileId": "b" * 24})}, OWNER, None, Reason.SOURCE_NOT_FOUND),
    ],
)
def test_a_source_that_is_not_the_wanted_one_is_refused(
    tmp_path: Path, changes: dict, owner: str, sha256: str | None, reason: Reason
) -> None:
    outside = Outside()
    sources = FakeFiles(outside, owner=owner, sha256=sha256)

    with pytest.raises(Refused) as refused:
        a_worker(outside, tmp_path, request=a_request(**changes), sources=sources).run()

    assert refused.value.reason is reason
    assert "convert" not in outside.calls
