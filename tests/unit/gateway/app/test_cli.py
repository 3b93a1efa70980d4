"""The command that stores a video, on fakes."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pytest

from tests.unit.gateway.fakes import FakeSources
from video2mp3_gateway.app import cli
from video2mp3_gateway.app.cli import main
from video2mp3_gateway.app.settings import GatewaySettings

PIECE_BYTES = 256 * 1024


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pod's."""
    monkeypatch.setenv("GATEWAY_MONGODB_URI", "mongodb://gateway:secret@mongodb:27017")
    monkeypatch.setenv("GATEWAY_AUTH_URL", "http://auth:8080")
    monkeypatch.setenv("GATEWAY_CONVERSION_NAMESPACE", "video2mp3")


@contextmanager
def sent(content: bytes) -> Iterator[BinaryIO]:
    """Standard input with this content."""
    with tempfile.TemporaryFile() as video:
        video.write(content)
        video.seek(0)
        yield video


def run(sources: FakeSources, *arguments: str, video: bytes | BinaryIO = b"video") -> int:
    def connect(settings: GatewaySettings) -> FakeSources:
        assert settings.mongodb_uri.get_secret_value().startswith("mongodb://gateway:")
        return sources

    if isinstance(video, bytes):
        with sent(video) as stream:
            return main(arguments, stream, connect)
    return main(arguments, video, connect)


def test_it_prints_the_id_of_what_it_stored(capsys: pytest.CaptureFixture[str]) -> None:
    sources = FakeSources()
    content = bytes(range(256)) * 4096
    assert run(sources, "store", "--owner", "you@example.com", "folder/talk.mp4", video=content) == 0
    [(file_id, file)] = sources.files.items()
    assert capsys.readouterr().out == f"{file_id}\n"
    assert file == {"owner": "you@example.com", "filename": "talk.mp4", "content_type": "video/mp4"}
    assert sources.chunks[file_id] == content
    assert sources.largest_write == PIECE_BYTES


def test_a_file_of_nobody_and_of_no_known_type() -> None:
    sources = FakeSources()
    assert run(sources, "store", "talk") == 0
    assert [*sources.files.values()] == [{"owner": "", "filename": "talk", "content_type": "application/octet-stream"}]


@pytest.mark.parametrize("arguments", [(), ("store",), ("stroe", "talk.mp4")])
def test_a_wrong_usage_reads_what_it_is_sent(arguments: tuple[str, ...]) -> None:
    """For that kubectl exec waits for ever."""
    with sent(b"v" * (2 * PIECE_BYTES)) as video:
        with pytest.raises(SystemExit):
            run(FakeSources(), *arguments, video=video)
        assert video.read() == b""


@pytest.mark.parametrize("arguments", [("--help",), ("store", "--help")])
def test_help_comes_at_once(arguments: tuple[str, ...]) -> None:
    with sent(b"video") as video:
        with pytest.raises(SystemExit):
            run(FakeSources(), *arguments, video=video)
        assert video.read() == b"video"


def test_who_stops_it_waits_for_nothing() -> None:
    class Stopped(FakeSources):
        def begin(self, *_: object) -> None:  # type: ignore[override]
            raise KeyboardInterrupt

    with sent(b"v" * (2 * PIECE_BYTES)) as video:
        with pytest.raises(KeyboardInterrupt):
            run(Stopped(), "store", "talk.mp4", video=video)
        assert len(video.read()) == PIECE_BYTES


def test_who_sends_no_more_and_does_not_say_so_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "_QUIET_SECONDS", 0.01)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as video, os.fdopen(writing, "wb", buffering=0) as sender:
        sender.write(b"video")
        with pytest.raises(SystemExit):
            run(FakeSources(), "store", video=video)
        sender.close()
        assert video.read() == b""


def test_a_standard_input_that_is_closed_has_no_video(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a shell closes it by `<&-`."""
    monkeypatch.setattr(sys, "stdin", None)
    assert main(("store", "talk.mp4"), None, lambda _: FakeSources()) == 1
    assert "error: Nothing came on standard input" in capsys.readouterr().err


@pytest.mark.parametrize("step", ["begin", "write", "finish"])
def test_a_store_that_is_away_reads_what_it_is_sent(step: str) -> None:
    sources = FakeSources()
    sources.switch.off(step)
    with sent(b"v" * (3 * PIECE_BYTES)) as video:
        assert run(sources, "store", "talk.mp4", video=video) == 1
        assert video.read() == b""


def test_settings_that_are_missing_read_what_they_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEWAY_MONGODB_URI")
    with sent(b"video") as video:
        assert run(FakeSources(), "store", "talk.mp4", video=video) == 1
        assert video.read() == b""


def test_nothing_is_no_video(capsys: pytest.CaptureFixture[str]) -> None:
    sources = FakeSources()
    assert run(sources, "store", "talk.mp4", video=b"") == 1
    assert "error: Nothing came on standard input" in capsys.readouterr().err
    assert sources.chunks == {}


@pytest.mark.parametrize("step", ["begin", "write", "finish"])
def test_a_store_that_is_away_is_told_of_and_keeps_nothing(step: str, capsys: pytest.CaptureFixture[str]) -> None:
    sources = FakeSources()
    sources.switch.off(step)
    assert run(sources, "store", "talk.mp4") == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("error: mongodb: ")
    assert said.err.endswith("Nothing was stored.\n")
    assert sources.chunks == {}


def test_without_its_settings_it_names_them(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GATEWAY_MONGODB_URI")
    assert run(FakeSources(), "store", "talk.mp4") == 1
    assert capsys.readouterr().err == "error: GATEWAY_MONGODB_URI: Field required\n"
