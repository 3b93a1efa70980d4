"""⑥ Loudness: the mp3 beside what ffmpeg says of it, and beside what plain ffmpeg makes of the same file."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.worker.samples import ffmpeg
from video2mp3_contracts.output import AudioTrack, Encoding, Loudness, Output, Trim
from video2mp3_worker.convert import Converter, Mp3
from video2mp3_worker.local_source import LocalSource
from video2mp3_worker.stop import Stop

LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}
TOLERANCE = 0.3
"""LU."""


@dataclass(frozen=True)
class Heard:
    """What ffmpeg's `ebur128` says of a file."""

    integrated: float
    true_peak: float


def heard(path: Path, *before: str) -> Heard:
    command = ["ffmpeg", "-nostdin", "-hide_banner", *before, "-i", str(path), "-map", "0:a:0"]
    command += ["-af", "ebur128=peak=true", "-f", "null", "-"]
    said = subprocess.run(command, check=True, capture_output=True, timeout=120, text=True).stderr
    summary = said[said.rindex("Summary:") :]
    return Heard(*(float(re.findall(rf"{name}:\s+(\S+)", summary)[0]) for name in ("I", "Peak")))


def a_sound(path: Path, channels: int, seconds: float = 4.0, rate: int = 48000, volume: float = 1.0) -> Path:
    """Tones with syllables, another in each channel, as `path` names the container."""
    tones = (
        f"{0.15 * volume}*sin(2*PI*{220 + 170 * channel}*t)*(0.3+abs(sin(2*PI*{1.3 + channel / 5}*t)))"
        f"+{0.005 * volume}*(random({channel})-0.5)"
        for channel in range(channels)
    )
    source = f"aevalsrc='{'|'.join(tones)}':channel_layout={LAYOUTS[channels]}:sample_rate={rate}:duration={seconds}"
    codecs = {
        ".wav": "pcm_s16le",
        ".mov": "pcm_f32le",
        ".m4a": "aac",
        ".flac": "flac",
        ".ac3": "ac3",
        ".opus": "libopus",
    }
    options = ("-b:a", "384k") if path.suffix in (".m4a", ".ac3") else ()
    ffmpeg("-f", "lavfi", "-i", source, "-c:a", codecs[path.suffix], *options, path)
    return path


def converted(source: Path, output: Output) -> tuple[Mp3, Path]:
    """And the whole file, as it is downloaded."""
    folder = source.parent / f"made-{len(list(source.parent.iterdir()))}"
    folder.mkdir()
    mp3 = Converter(Stop()).convert(LocalSource.whole(source), folder / "output.mp3", output)
    whole = folder / "whole.mp3"
    whole.write_bytes(mp3.tag + mp3.file.read_bytes())
    return mp3, whole


@pytest.mark.parametrize(
    ("name", "channels", "wanted", "more"),
    [
        ("a.wav", 1, -20, {}),
        ("a.m4a", 1, -23, {"channels": "stereo"}),
        ("a.wav", 2, -18, {"channels": "mono"}),
        ("a.m4a", 2, -23, {"channels": "mono"}),
        ("a.opus", 2, -16, {"trim": Trim(start="0.7", end="3.1")}),
        ("a.flac", 3, -23, {"encoding": Encoding(cbr=192)}),
        ("a.mov", 4, -19, {"sample_rate": 22050}),
        ("a.m4a", 5, -18, {"encoding": Encoding(cbr=128)}),
        ("a.flac", 5, -16, {"channels": "mono"}),
        ("a.m4a", 6, -23, {}),
        ("a.ac3", 6, -23, {"channels": "mono", "sample_rate": 32000}),
        ("a.wav", 6, -23, {"channels": "stereo", "trim": Trim(start=1)}),
        ("a.mov", 7, -30, {"sample_rate": 44100}),
        ("a.wav", 8, -20, {}),
        ("a.opus", 8, -21, {"channels": "mono"}),
        ("a.mov", 8, -20, {"sample_rate": 16000, "encoding": Encoding(vbr=5)}),
    ],
    ids=str,
)
def test_it_is_as_loud_as_asked(tmp_path: Path, name: str, channels: int, wanted: float, more: dict) -> None:
    source = a_sound(tmp_path / name, channels)

    mp3, whole = converted(source, Output(loudness=Loudness(integrated_lufs=wanted), **more))

    assert heard(whole).integrated == pytest.approx(wanted, abs=TOLERANCE)
    assert mp3.notes == ()


def test_it_is_the_chosen_track_that_is_measured(tmp_path: Path) -> None:
    quiet, loud = a_sound(tmp_path / "quiet.m4a", 2, volume=0.1), a_sound(tmp_path / "loud.ac3", 6)
    both = tmp_path / "both.mkv"
    ffmpeg("-i", quiet, "-i", loud, "-map", "0", "-map", "1", "-c", "copy", both)

    for index in (0, 1):
        output = Output(loudness=Loudness(integrated_lufs=-24), audio_track=AudioTrack(index=index))
        assert heard(converted(both, output)[1]).integrated == pytest.approx(-24, abs=TOLERANCE)


def test_silence_before_a_late_sound_counts_as_a_player_counts_it(tmp_path: Path) -> None:
    sound, film = a_sound(tmp_path / "a.m4a", 2, seconds=1.5), tmp_path / "late.mp4"
    picture = ("-f", "lavfi", "-i", "testsrc2=size=160x120:rate=10:duration=4")
    ffmpeg(*picture, "-itsoffset", "2.34", "-i", sound, "-map", "0", "-map", "1", "-c:v", "mpeg4", "-c:a", "copy", film)

    _, whole = converted(film, Output(loudness=Loudness(integrated_lufs=-23)))

    assert heard(whole).integrated == pytest.approx(-23, abs=0.15)


def test_what_changes_its_channels_on_the_way_is_measured_as_a_whole(tmp_path: Path) -> None:
    """Then ffmpeg makes its filters anew: each of them forgets what it has heard."""
    quiet, loud = a_sound(tmp_path / "quiet.ac3", 2, volume=0.2), a_sound(tmp_path / "loud.ac3", 6, seconds=2.0)
    source = tmp_path / "both.ac3"
    source.write_bytes(loud.read_bytes() + quiet.read_bytes())

    _, whole = converted(source, Output(loudness=Loudness(integrated_lufs=-23), channels="stereo"))

    assert heard(whole).integrated == pytest.approx(-23, abs=TOLERANCE)


@pytest.mark.parametrize("wanted", ["mono", "stereo"])
@pytest.mark.parametrize(
    ("name", "channels"),
    [("a.m4a", 2), ("a.m4a", 1), ("a.m4a", 6), ("a.ac3", 5), ("a.flac", 6), ("a.wav", 2), ("a.wav", 8)],
)
def test_without_a_loudness_it_is_as_loud_as_plain_ffmpegs(
    tmp_path: Path, name: str, channels: int, wanted: str
) -> None:
    source, plain = a_sound(tmp_path / name, channels), tmp_path / "plain.mp3"
    ffmpeg("-i", source, "-ac", "1" if wanted == "mono" else "2", "-q:a", "2", plain)

    _, whole = converted(source, Output(channels=wanted))  # type: ignore[arg-type]

    assert heard(whole).integrated == pytest.approx(heard(plain).integrated, abs=0.1)
