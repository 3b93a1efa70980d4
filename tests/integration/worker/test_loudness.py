"""⑥ Loudness: the mp3 beside what ffmpeg says of it, and beside what plain ffmpeg makes of the same file."""

import math
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from mutagen.id3 import ID3
from mutagen.mp3 import MP3

from tests.integration.worker.samples import ffmpeg
from video2mp3_contracts.api.output import AudioTrack, Encoding, Loudness, Output, Trim
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Converter, Mp3

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


def a_dynamic_sound(path: Path) -> Path:
    """Soft speech, as it were, with a loud knock every second: far from loud, but its peaks allow no gain."""
    soft = "0.04*sin(2*PI*330*t)*(0.3+abs(sin(2*PI*1.7*t)))"
    knock = "0.85*sin(2*PI*700*t)*exp(-mod(t\\,1)*200)"
    source = f"aevalsrc='{soft}+{knock}|{soft}*0.9+{knock}':channel_layout=stereo:sample_rate=44100:duration=5"
    ffmpeg("-f", "lavfi", "-i", source, "-c:a", "flac", path)
    return path


@pytest.mark.parametrize("cbr", [32, 96, 160, 192, 224, 256, 320])
def test_what_lame_takes_away_of_a_constant_bit_rate_is_made_up_for(tmp_path: Path, cbr: int) -> None:
    source = a_sound(tmp_path / "a.flac", 1)

    _, whole = converted(source, Output(encoding=Encoding(cbr=cbr), loudness=Loudness(integrated_lufs=-21)))  # type: ignore[arg-type]

    assert heard(whole).integrated == pytest.approx(-21, abs=0.15)


def test_where_peaks_forbid_it_the_loudness_that_is_reached_is_told(tmp_path: Path) -> None:
    source = a_dynamic_sound(tmp_path / "a.flac")

    mp3, whole = converted(source, Output(loudness=Loudness(integrated_lufs=-16)))

    reached = heard(whole)
    assert reached.integrated < -17
    assert reached.true_peak <= -0.7
    (note,) = mp3.notes
    told = re.match(r"The loudness of -16 LUFS is not reached: the sound has (\S+) LUFS, since its peaks", note)
    assert told is not None
    assert float(told[1]) == pytest.approx(reached.integrated, abs=TOLERANCE)


@pytest.mark.parametrize("wanted", [-20, -16, -14])
@pytest.mark.parametrize(
    "more", [{}, {"channels": "mono", "sample_rate": 24000}, {"encoding": Encoding(cbr=128)}], ids=str
)
def test_a_limiter_reaches_what_one_gain_cannot(tmp_path: Path, wanted: float, more: dict) -> None:
    source = a_dynamic_sound(tmp_path / "a.flac")

    mp3, whole = converted(source, Output(loudness=Loudness(integrated_lufs=wanted, mode="limit"), **more))

    assert heard(whole).integrated == pytest.approx(wanted, abs=TOLERANCE)
    assert mp3.notes == ()
    assert mp3.duration_seconds == 5.0


def test_the_limiter_holds_true_peaks_in_what_is_encoded(tmp_path: Path) -> None:
    """An mp3 of a high bit rate is close to what was encoded."""
    source = a_dynamic_sound(tmp_path / "a.flac")

    _, whole = converted(
        source, Output(encoding=Encoding(cbr=320), loudness=Loudness(integrated_lufs=-14, mode="limit"))
    )

    assert heard(whole).true_peak <= -0.9


def frames(whole: Path) -> bytes:
    """All frames but the Info frame."""
    content = whole.read_bytes()
    at = max(content.find(b"Xing"), content.find(b"Info"))
    assert at >= 0
    return content[content.index(b"\xff\xfb", at) :]


@pytest.mark.parametrize("encoding", [Encoding(vbr=2), Encoding(cbr=128)], ids=str)
def test_what_is_only_measured_keeps_every_sample_and_tells_players(tmp_path: Path, encoding: Encoding) -> None:
    source = a_sound(tmp_path / "a.m4a", 6)
    _, as_it_is = converted(source, Output(encoding=encoding))

    mp3, whole = converted(source, Output(encoding=encoding, loudness=Loudness(mode="measureOnly")))

    assert frames(whole) == frames(as_it_is)
    sound = heard(whole)
    tagged, read = ID3(whole), MP3(whole).info
    assert float(tagged["TXXX:REPLAYGAIN_TRACK_GAIN"].text[0].removesuffix(" dB")) == pytest.approx(
        -18 - sound.integrated, abs=0.2
    )
    peak = float(tagged["TXXX:REPLAYGAIN_TRACK_PEAK"].text[0])
    assert 20 * math.log10(peak) == pytest.approx(sound.true_peak, abs=0.5)
    assert tagged["TXXX:REPLAYGAIN_REFERENCE_LOUDNESS"].text == ["-18.00 LUFS"]
    assert read.track_gain == pytest.approx(-18 - sound.integrated, abs=0.2)
    assert read.track_peak == pytest.approx(peak, abs=0.001)
    assert by_ffmpeg(mp3.file) == pytest.approx(read.track_gain, abs=0.001)


def by_ffmpeg(mp3: Path) -> float:
    """The gain in dB of a track, as ffmpeg reads it from the Info frame of an mp3 without a tag."""
    command = ["ffmpeg", "-nostdin", "-hide_banner", "-i", str(mp3), "-f", "null", "-"]
    said = subprocess.run(command, check=True, capture_output=True, timeout=60, text=True).stderr
    return float(re.findall(r"replaygain: track gain - (\S+),", said)[0])


def test_an_mp3_is_copied_and_tells_its_loudness_too(tmp_path: Path) -> None:
    source = tmp_path / "a.mp3"
    ffmpeg("-i", a_sound(tmp_path / "a.flac", 2), "-b:a", "128k", source)

    mp3, whole = converted(source, Output(encoding=Encoding(cbr=128), loudness=Loudness(mode="measureOnly")))

    assert mp3.encoding.startswith("copied: CBR 128")
    assert frames(whole) == frames(source)
    assert by_ffmpeg(mp3.file) == pytest.approx(-18 - heard(source).integrated, abs=0.15)


def test_after_a_gain_players_are_told_what_the_mp3_has_now(tmp_path: Path) -> None:
    _, whole = converted(a_sound(tmp_path / "a.flac", 2), Output(loudness=Loudness(integrated_lufs=-23)))

    assert MP3(whole).info.track_gain == pytest.approx(5.0, abs=0.15)


@pytest.mark.parametrize("mode", ["gain", "limit", "measureOnly"])
def test_silence_is_left_as_it_is(tmp_path: Path, mode: str) -> None:
    source = tmp_path / "silence.flac"
    ffmpeg("-f", "lavfi", "-i", "anullsrc=duration=2", source)
    target = None if mode == "measureOnly" else -16

    mp3, whole = converted(source, Output(loudness=Loudness(mode=mode, integrated_lufs=target)))  # type: ignore[arg-type]

    assert "REPLAYGAIN" not in str(ID3(whole).keys() if mp3.tag else "")
    assert len(mp3.notes) == (0 if mode == "measureOnly" else 1)


HOSTILE = {
    "a loudness": "I:         -60.0 LUFS  Peak: -50.0 dBFS",
    "a disk": "No space left on device",
    "memory": "Cannot allocate memory",
    "lines": "a\nSummary:\n\n  Integrated loudness:\n    I:     -60.0 LUFS\n\n  True peak:\n    Peak:    -50.0 dBFS\nb",
    "keys": "lavfi.r128.I=-60.0\nlavfi.r128.true_peak=0.001\nout_time_us=99999999",
}


@pytest.mark.parametrize("words", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize(
    "container", ["m4a", "mkv", "ogg", "flac", "mp3", "wav", "avi", "flv", "wma", "aiff", "caf", "ts"]
)
def test_no_word_of_the_file_has_a_part_in_what_is_measured(tmp_path: Path, container: str, words: str) -> None:
    sound, source = a_sound(tmp_path / "a.flac", 2, seconds=1.5), tmp_path / f"hostile.{container}"
    tags = [
        option
        for name in ("title", "comment", "artist", "lavfi.r128.I", "service_name", "encoder")
        for option in ("-metadata", f"{name}={words}", "-metadata:s:a:0", f"{name}={words}")
    ]
    ffmpeg("-i", sound, *tags, "-ac", "2", *(("-id3v2_version", "4") if container in ("mp3", "aiff") else ()), source)

    _, whole = converted(source, Output(loudness=Loudness(integrated_lufs=-23), channels="mono"))

    assert heard(whole).integrated == pytest.approx(-23, abs=TOLERANCE)
