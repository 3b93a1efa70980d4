"""Fetching from a web whose connections break, whose files change, and whose servers are not always honest."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.worker.builders import a_request
from tests.unit.worker.fake_web import FakeAnswer, FakeFile, FakeWeb, Page, long_ago, redirect
from video2mp3_contracts.api.conversion import Source
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.jobs.worker import WorkerLimits
from video2mp3_worker.ports.errors import Refused, TryAgain
from video2mp3_worker.ports.systems import BrokenOffError
from video2mp3_worker.source import download
from video2mp3_worker.source.download import Download

URL = "https://media.example/film.mp4?token=secret"
FILM = bytes(range(200))
ANY = WorkerLimits(allowed_hosts=("*",), max_source_bytes=1000)


@dataclass
class Clock:
    """Goes only while somebody sleeps."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def fetched(
    tmp_path: Path,
    web: FakeWeb,
    *,
    limits: WorkerLimits = ANY,
    clock: Clock | None = None,
    watch: Callable[[], None] = lambda: None,
    **source: str,
) -> bytes:
    """What lies on the disk at the end."""
    clock = clock or Clock()
    request = a_request(source=Source(url=URL, **source), limits=limits)
    size = Download(request, web, tmp_path / "source", watch, clock, clock.sleep).run()
    content = (tmp_path / "source").read_bytes()
    assert size == len(content)
    return content


def a_web(*pages: Page, **others: Page) -> FakeWeb:
    return FakeWeb({URL: list(pages)} | {f"https://{host}.example/": page for host, page in others.items()})


def test_a_file_is_fetched_and_asked_for_as_it_is(tmp_path: Path) -> None:
    web = a_web(FakeFile(FILM))
    assert fetched(tmp_path, web, sha256=hashlib.sha256(FILM).hexdigest()) == FILM
    ((url, headers),) = web.asked
    assert url == URL
    assert headers["Accept-Encoding"] == "identity"
    assert not {"Range", "Cookie", "Authorization", "Referer"} & headers.keys()


@pytest.mark.parametrize("validator", [{}, {"etag": "", "changed": long_ago()}], ids=["entity tag", "date of change"])
def test_a_broken_connection_is_taken_up_where_it_broke(tmp_path: Path, validator: dict) -> None:
    web = a_web(FakeFile(FILM, cuts=[70, 0, 50], **validator))
    assert fetched(tmp_path, web, sha256=hashlib.sha256(FILM).hexdigest()) == FILM
    assert [headers.get("Range") for _url, headers in web.asked] == [None, "bytes=70-", "bytes=70-", "bytes=120-"]


@pytest.mark.parametrize(
    "file",
    [
        {"etag": ""},
        {"etag": 'W/"weak"'},
        {"etag": "", "changed": long_ago(seconds=1)},
        {"ranges": False},
    ],
    ids=["no validator", "weak tag", "changed just now", "no ranges"],
)
def test_without_proof_that_the_bytes_belong_together_it_starts_again(tmp_path: Path, file: dict) -> None:
    web = a_web(FakeFile(FILM, cuts=[70], **file))
    assert fetched(tmp_path, web) == FILM
    assert len(web.asked) == 2


@pytest.mark.parametrize("new", [bytes(150), bytes(60), bytes(300)], ids=["shorter", "shorter yet", "longer"])
def test_a_file_that_changed_meanwhile_is_fetched_anew(tmp_path: Path, new: bytes) -> None:
    web = a_web(FakeFile(FILM, cuts=[70]), FakeFile(new, etag='"two"'))
    assert fetched(tmp_path, web, sha256=hashlib.sha256(new).hexdigest()) == new


def test_a_server_that_takes_every_range_for_good_is_not_believed(tmp_path: Path) -> None:
    """It ignores If-Range; only its own tag tells that the file is another."""

    class Careless(FakeFile):
        def _start(self, asked, modified):
            return super()._start(asked | {"If-Range": self.etag}, modified)

    new = bytes(150)
    web = a_web(FakeFile(FILM, cuts=[70]), Careless(new, etag='"two"'))
    assert fetched(tmp_path, web) == new


def test_a_range_behind_the_end_is_given_up(tmp_path: Path) -> None:
    class Careless(FakeFile):
        def _start(self, asked, modified):
            return super()._start(asked | {"If-Range": self.etag}, modified)

    new = bytes(20)
    web = a_web(FakeFile(FILM, cuts=[70]), Careless(new, etag='"two"'))
    assert fetched(tmp_path, web) == new


def test_another_part_than_the_wanted_is_not_taken(tmp_path: Path) -> None:
    shifted = FakeAnswer(206, {"Content-Range": "bytes 60-199/200", "ETag": '"one"'}, FILM[60:])
    web = a_web(FakeFile(FILM, cuts=[70]), shifted, FakeFile(FILM))
    assert fetched(tmp_path, web) == FILM


def test_fewer_bytes_than_were_promised_are_not_the_file(tmp_path: Path) -> None:
    short = FakeAnswer(200, {"Content-Length": "200", "ETag": '"one"'}, FILM[:80])
    assert fetched(tmp_path, a_web(short, FakeFile(FILM))) == FILM


def test_tries_are_bounded_and_pauses_grow(tmp_path: Path) -> None:
    clock = Clock()
    web = a_web(BrokenOffError("No connection to media.example could be made."))
    with pytest.raises(TryAgain) as over:
        fetched(tmp_path, web, clock=clock)
    assert over.value.reason is Reason.SOURCE_UNAVAILABLE
    assert over.value.message == "The source could not be fetched: No connection to media.example could be made."
    assert len(web.asked) == 5
    assert 17.5 <= clock.now < 19


def test_a_server_that_ends_every_connection_after_a_while_gets_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_PROGRESS_BYTES", 20)
    web = a_web(FakeFile(FILM, cuts=[20] * 9))
    assert fetched(tmp_path, web) == FILM
    assert len(web.asked) == 10


def test_an_answer_that_may_pass_is_waited_out(tmp_path: Path) -> None:
    web = a_web(FakeAnswer(503), FakeAnswer(429), FakeFile(FILM, cuts=[70]), FakeAnswer(500), FakeFile(FILM))
    assert fetched(tmp_path, web) == FILM
    assert web.asked[-1][1]["Range"] == "bytes=70-"


def test_the_time_for_all_of_it_is_limited(tmp_path: Path) -> None:
    clock = Clock()
    with pytest.raises(TryAgain) as over:
        fetched(
            tmp_path,
            a_web(FakeAnswer(503)),
            clock=clock,
            limits=ANY.model_copy(update={"run_seconds": 3}),
        )
    assert over.value.reason is Reason.SOURCE_UNAVAILABLE
    assert over.value.message == "The source was not fetched within 3 seconds."


def test_a_drip_is_cut_off_in_time(tmp_path: Path) -> None:
    clock = Clock()
    with pytest.raises(TryAgain, match="within 7200 seconds"):
        fetched(tmp_path, a_web(FakeFile(FILM)), clock=clock, watch=lambda: clock.sleep(1000))


def test_asked_to_stop_it_stops(tmp_path: Path) -> None:
    def stop() -> None:
        raise TryAgain(Reason.STOPPED, "Stopped.")

    with pytest.raises(TryAgain) as stopped:
        fetched(tmp_path, a_web(FakeFile(FILM)), watch=stop)
    assert stopped.value.reason is Reason.STOPPED


@pytest.mark.parametrize("says_length", [True, False])
def test_a_file_over_the_limit_is_refused(tmp_path: Path, says_length: bool) -> None:
    limits = ANY.model_copy(update={"max_source_bytes": 150})
    with pytest.raises(Refused) as refused:
        fetched(tmp_path, a_web(FakeFile(FILM, says_length=says_length)), limits=limits)
    assert refused.value.reason is Reason.TOO_LARGE
    assert (tmp_path / "source").stat().st_size <= (0 if says_length else 150)


@pytest.mark.parametrize("says_length", [True, False])
def test_an_empty_file_is_refused(tmp_path: Path, says_length: bool) -> None:
    with pytest.raises(Refused) as refused:
        fetched(tmp_path, a_web(FakeFile(b"", says_length=says_length)))
    assert refused.value.reason is Reason.EMPTY_SOURCE


def test_another_content_than_was_named_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        fetched(tmp_path, a_web(FakeFile(FILM)), sha256="0" * 64)
    assert refused.value.reason is Reason.CHECKSUM_MISMATCH
    assert hashlib.sha256(FILM).hexdigest() in refused.value.message


def test_redirects_are_followed_and_each_try_starts_at_the_first_address(tmp_path: Path) -> None:
    """What they lead to may be good for a short time only."""
    web = FakeWeb(
        {
            URL: [redirect("https://a.example/", 301), redirect("https://b.example/", 307)],
            "https://a.example/": redirect("film.mp4"),
            "https://a.example/film.mp4": FakeFile(FILM, cuts=[70]),
            "https://b.example/": FakeFile(FILM),
        }
    )
    assert fetched(tmp_path, web) == FILM
    asked = ["https://a.example/", "https://a.example/film.mp4", URL, "https://b.example/"]
    assert [url for url, _headers in web.asked] == [URL, *asked]
    assert web.asked[-1][1]["Range"] == "bytes=70-"


def test_redirects_are_bounded(tmp_path: Path) -> None:
    web = a_web(redirect(URL))
    with pytest.raises(Refused) as refused:
        fetched(tmp_path, web)
    assert refused.value.reason is Reason.SOURCE_REFUSED
    assert len(web.asked) == 6


def test_a_redirect_to_nowhere_ends_as_one_in_a_circle(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="more than 5 times"):
        fetched(tmp_path, a_web(FakeAnswer(302)))


def test_a_redirect_out_of_what_is_allowed_is_not_followed(tmp_path: Path) -> None:
    web = a_web(redirect("https://evil.example/"))
    with pytest.raises(Refused) as refused:
        fetched(tmp_path, web, limits=ANY.model_copy(update={"allowed_hosts": ("media.example",)}))
    assert refused.value.reason is Reason.SOURCE_NOT_ALLOWED
    assert len(web.asked) == 1


def test_no_word_of_it_tells_more_than_the_host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pages = [
        FakeAnswer(404),
        FakeAnswer(503),
        FakeAnswer(200, {"Content-Encoding": "br"}),
        redirect("http://x.example"),
    ]
    for page in pages:
        with pytest.raises((Refused, TryAgain)) as over:
            fetched(tmp_path, a_web(page))
        assert "media.example" in over.value.message
        assert "secret" not in over.value.message + over.value.detail
    assert "secret" not in "".join(capsys.readouterr())
