"""What a refused format is called."""

import pytest

from video2mp3_worker.probe.format_names import name_of


@pytest.mark.parametrize(
    ("demuxer", "name"),
    [
        ("srt", "subtitles (SubRip)"),
        ("png_pipe", "a picture (PNG)"),
        ("nut", "NUT"),
        ("mov,nut", "NUT"),
        ("kux", "a rare format (ffmpeg calls it kux)"),
    ],
)
def test_a_refused_format_has_a_name_for_people(demuxer: str, name: str) -> None:
    assert name_of(demuxer) == name
