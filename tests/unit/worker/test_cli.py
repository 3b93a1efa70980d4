"""The command line refuses options in their own words, before it looks at any file."""

import signal
from collections.abc import Iterator

import pytest

from video2mp3_contracts.exit_codes import ExitCode
from video2mp3_worker.cli import command_line

POSITION = 'seconds from 0 to 999999, such as 90 or "90.5", or "HH:MM:SS.mmm", such as "00:01:30.500"'
WANTED = "set --loudness where --loudness-mode is gain or limit,"
ONE_LINE = "one line of text, without line ends, tabs and other control characters"


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
