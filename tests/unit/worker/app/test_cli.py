"""The command line refuses options in their own words, before it looks at any file."""

import errno
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from video2mp3_contracts.jobs.exit_codes import ExitCode
from video2mp3_worker.app.cli import command_line

POSITION = 'seconds from 0 to 999999, such as 90 or "90.5", or "HH:MM:SS.mmm", such as "00:01:30.500"'
WANTED = "set --loudness where --loudness-mode is gain or limit,"
ONE_LINE = "one line of text, without line ends, tabs and other control characters"
LINES = "lines of text, without control characters other than line ends and tabs"
CUSTOM = (
    "at most 16 texts in one line, of at most 256 characters each, under names of 1 to 64 characters, without control"
    " characters"
)


@pytest.fixture(autouse=True)
def signals() -> Iterator[None]:
    """The command line listens to them; what runs the tests does again afterwards."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("command", ["convert", "probe"])
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--start", "1:30"], f"--start must be {POSITION}"),
        (["--end", "soon"], f"--end must be {POSITION}"),
        (["--start", "x", "--end", "-1"], f"--start must be {POSITION}; --end must be {POSITION}"),
        (["--loudness", "3"], "--loudness: Input should be less than or equal to -5"),
        (["--loudness-mode", "limit"], f"{WANTED} and leave it out for measureOnly"),
        (["--loudness", "-16", "--loudness-mode", "measureOnly"], f"{WANTED} and leave it out for measureOnly"),
        (["--language", "german"], "--language must be a BCP 47 tag, such as de, deu or pt-BR"),
        (["--audio-track", "64"], "--audio-track: Input should be less than or equal to 63"),
        (["--album-artist", "a\nb"], f"--album-artist must be {ONE_LINE}"),
        (["--album", "a\nb"], f"--album must be {ONE_LINE}"),
        (["--disc", "1\n2"], f"--disc must be {ONE_LINE}"),
        (["--lyrics", "la\x07"], f"--lyrics must be {LINES}"),
        (["--comment", "a\0"], f"--comment must be {LINES}"),
        (["--custom", "calm"], "--custom must be NAME=TEXT, for example MOOD=calm"),
        *(
            (["--loudness", value], "--loudness must be a number of LUFS, for example -16")
            for value in ("nan", "inf", "x", "")
        ),
        (["--custom", "=calm"], f"--custom must be {CUSTOM}"),
        (["--custom", "MOOD=two\nlines"], f"--custom must be {CUSTOM}"),
        (["--custom", f"{'x' * 65}=calm"], f"--custom must be {CUSTOM}"),
        ([option for number in range(17) for option in ("--custom", f"{number}=")], f"--custom must be {CUSTOM}"),
        (["--title", "x" * 257], "--title: String should have at most 256 characters"),
        (
            ["--cbr", "320", "--sample-rate", "8000"],
            "--cbr must be at most 160 where --sample-rate is under 32000, and at most 64 where it is up to 12000",
        ),
    ],
)
def test_options_that_cannot_be_are_named(
    command: str, options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["nowhere.mp4", "nowhere.mp3"][: 2 if command == "convert" else 1]
    assert command_line([command, *files, *options]) == ExitCode.BAD_REQUEST
    assert capsys.readouterr().err == f"BadRequest: {said}\n"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--id3-version", "2.2"], "argument --id3-version: invalid choice: '2.2' (choose from '2.3', '2.4')"),
    ],
)
def test_options_that_are_none_are_named(options: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line(["probe", "nowhere.mp4", *options])
    assert said.partition(" (")[0] in capsys.readouterr().err


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(b"not looked at")
    return path


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """What is on standard error: one line."""
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize("command", ["convert", "probe"])
@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("missing.mp4", ExitCode.SOURCE_MISSING, "SourceNotFound: There is no file {0}."),
        ("film.mp4/film.mp4", ExitCode.SOURCE_MISSING, "SourceNotFound: There is no file {0}."),
        ("missing\udce0.mp4", ExitCode.SOURCE_MISSING, "SourceNotFound: There is no file {0}."),
        (".", ExitCode.SOURCE_MISSING, "SourceNotFound: {0} is a folder; IN is a file."),
    ],
)
@pytest.mark.usefixtures("film")
def test_an_in_that_is_no_file_is_one_line(
    tmp_path: Path, command: str, name: str, code: ExitCode, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / name

    assert command_line([command, str(source), *[str(tmp_path / "out.mp3")][: command == "convert"]]) == code
    assert said(capsys) == words.format(os.fsencode(source).decode(errors="replace"))


@pytest.mark.parametrize("call", ["is_file", "open"])
def test_an_in_that_may_not_be_read_is_one_line(
    film: Path, call: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, call, refuse)

    assert command_line(["probe", str(film)]) == ExitCode.SOURCE_MISSING
    assert said(capsys) == f"SourceRefused: {film} cannot be read: Permission denied."


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (".", "{0} is a folder; OUT is the mp3 itself."),
        ("missing/out.mp3", "There is no folder {1}."),
        ("film.mp4/out.mp3", "There is no folder {1}."),
        ("x" * 300 + "/out.mp3", "{0} cannot be written: File name too long."),
        ("film.mp4", "{0} is IN itself, which would be lost."),
    ],
)
def test_an_out_that_cannot_be_written_is_one_line(
    film: Path, name: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    destination = film.parent / name

    assert command_line(["convert", str(film), str(destination)]) == ExitCode.BAD_REQUEST
    assert said(capsys) == "BadRequest: " + words.format(destination, destination.parent)
    assert list(film.parent.iterdir()) == [film]


def test_an_out_that_is_a_device_stays_one(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    device = film.with_name("device")
    os.mkfifo(device)

    assert command_line(["convert", str(film), str(device)]) == ExitCode.BAD_REQUEST
    assert said(capsys) == f"BadRequest: {device} is no file; OUT is one that may be replaced."
    assert device.is_fifo()


def test_a_folder_that_may_not_be_written_into_is_one_line(
    film: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr("video2mp3_worker.app.cli.Converter.convert", refuse)

    assert command_line(["convert", str(film), str(film.with_name("out.mp3"))]) == ExitCode.BAD_REQUEST
    assert said(capsys) == f"BadRequest: {film.with_name('out.mp3')} cannot be written: Read-only file system."
