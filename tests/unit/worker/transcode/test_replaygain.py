"""What players are told of the loudness: measured, else the source's own words where they still are true."""

from typing import Any

import pytest

from tests.unit.worker.builders import a_media, a_track
from video2mp3_contracts.api.output import Encoding, Output, Trim
from video2mp3_contracts.jobs.worker import WorkerLimits
from video2mp3_worker.probe.gains import Gains
from video2mp3_worker.transcode.levelling import Level, Levelling, Loudness
from video2mp3_worker.transcode.plan import decide
from video2mp3_worker.transcode.replaygain import tags

GAINS = Gains(track=-7.1, track_peak=0.5)
SAID = {"REPLAYGAIN_TRACK_GAIN": "-7.10 dB", "REPLAYGAIN_TRACK_PEAK": "0.500000"}


def found(output: Output, level: Level | None = None, *, is_copied: bool = False, **track: Any) -> dict[str, str]:
    plan = decide(a_media(a_track(**({"gains": GAINS} | track))), output, WorkerLimits())
    return tags(level, plan, output, is_copied=is_copied)


@pytest.mark.parametrize(
    ("output", "track", "expected"),
    [
        (Output(), {}, SAID),
        (Output(), {"gains": None}, {}),
        (Output(channels="stereo", sample_rate=22050), {}, SAID),
        (Output(encoding=Encoding(cbr=320)), {}, SAID),
        (Output(channels="mono"), {}, {}),
        (Output(channels="stereo"), {"channels": 1}, {}),
        (Output(), {"channels": 6}, {}),
        (Output(), {"channels": 4, "is_ambisonic": True}, {}),
        (Output(trim=Trim(start=1)), {}, {}),
        (Output(trim=Trim(end=1)), {}, {}),
        (Output(trim=Trim(start=0)), {}, SAID),
        (Output(trim=Trim(start="00:00:00.000")), {}, SAID),
        (Output(trim=Trim()), {}, SAID),
    ],
)
def test_the_sources_words_stay_while_they_are_true(
    output: Output, track: dict[str, Any], expected: dict[str, str]
) -> None:
    assert found(output, **track) == expected


def test_what_lame_takes_away_is_given_back_unless_the_sound_is_copied() -> None:
    output = Output(encoding=Encoding(cbr=128))

    assert found(output) == {"REPLAYGAIN_TRACK_GAIN": "-6.65 dB", "REPLAYGAIN_TRACK_PEAK": "0.475000"}
    assert found(output, is_copied=True) == SAID


def test_what_was_measured_is_said_and_nothing_else() -> None:
    measured = found(Output(), Level(Levelling(), Loudness(-20.0, -6.0)), gains=Gains(track=-7, album=-9))

    assert measured == {
        "REPLAYGAIN_TRACK_GAIN": "2.00 dB",
        "REPLAYGAIN_TRACK_PEAK": "0.501187",
        "REPLAYGAIN_REFERENCE_LOUDNESS": "-18.00 LUFS",
    }
