"""⑥ An mp3 of any length is known for one by other programs: by its bytes, under a name that says nothing."""

import json
import subprocess
from pathlib import Path

import pytest
from mutagen.flac import FLAC, Picture
from mutagen.mp3 import MP3

from tests.integration.worker.samples import ffmpeg
from tests.unit.worker.pictures import a_jpeg
from video2mp3_contracts.api.output import Encoding, Output
from video2mp3_contracts.api.tags import Tags
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Converter, Mp3

SURE = 51
"""ffmpeg's score of what needs no name (AVPROBE_SCORE_EXTENSION + 1)."""

PLAUSIBLE = 25
"""ffmpeg's score from which it does not look further (AVPROBE_SCORE_RETRY); it takes what has 1 for video as well."""


def a_sound(folder: Path, samples: int, rate: int = 44_100, channels: int = 1) -> Path:
    """Noise: what its frames hold is different every time."""
    source = folder / "source.flac"
    noise = f"anoisesrc=sample_rate={rate}:amplitude=0.5,atrim=end_sample={samples}"
    ffmpeg("-f", "lavfi", "-i", noise, "-ac", str(channels), source)
    return source


def with_cover(source: Path, data: bytes) -> Path:
    file, picture = FLAC(source), Picture()
    picture.data, picture.mime, picture.type = data, "image/jpeg", 3
    file.add_picture(picture)
    file.save()
    return source


def converted(source: Path, output: Output | None = None) -> tuple[Mp3, Path]:
    """And the whole file, under a name without meaning."""
    mp3 = Converter(Stop()).convert(LocalSource.whole(source), source.with_name("output.mp3"), output or Output())
    whole = source.with_name("whole")
    whole.write_bytes(mp3.tag + mp3.file.read_bytes())
    return mp3, whole


def said(*command: str | Path) -> str:
    return subprocess.run([*map(str, command)], check=True, capture_output=True, timeout=60, text=True).stdout


def by_ffmpeg(path: Path) -> tuple[str, int]:
    """The format, and how sure ffmpeg is of it."""
    found = json.loads(said("ffprobe", "-v", "error", "-show_format", "-of", "json", path))["format"]
    return found["format_name"], found["probe_score"]


def by_mediainfo(path: Path) -> list[tuple[str, str | None]]:
    tracks = json.loads(said("mediainfo", "--Output=JSON", path))["media"]["track"]
    return [
        (track["Format"], track.get("Format_Profile")) for track in tracks if track["@type"] in ("General", "Audio")
    ]


def assert_known(whole: Path, samples: int, channels: int, score: int) -> None:
    name, found = by_ffmpeg(whole)
    assert (name, found >= score) == ("mp3", True), found
    assert said("file", "--brief", "--mime-type", whole).strip() == "audio/mpeg"
    assert by_mediainfo(whole) == [("MPEG Audio", None), ("MPEG Audio", "Layer 3")]
    for player in (
        ["ffmpeg", "-v", "error", "-i", str(whole), "-f", "s16le", "pipe:1"],
        ["mpg123", "--quiet", "--stdout", str(whole)],
    ):
        played = subprocess.run(player, check=True, capture_output=True, timeout=60)
        assert (len(played.stdout) / 2 / channels, played.stderr) == (samples, b""), player[0]


@pytest.mark.parametrize("samples", [1, 47, 48, 100, 1152, 4410, 44_100])
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("encoding", [Encoding(vbr=2), Encoding(vbr=9), Encoding(cbr=64), Encoding(cbr=320)], ids=str)
def test_however_short_it_is(tmp_path: Path, samples: int, channels: int, encoding: Encoding) -> None:
    mp3, whole = converted(a_sound(tmp_path, samples, channels=channels), Output(encoding=encoding))

    assert (mp3.tag, mp3.duration_seconds) == (b"", round(samples / 44_100, 3))
    assert_known(whole, samples, channels, SURE)


@pytest.mark.parametrize("rate", [8000, 11025, 12000, 16000, 22050, 24000, 32000, 48000])
def test_at_every_rate(tmp_path: Path, rate: int) -> None:
    _, whole = converted(a_sound(tmp_path, 100, rate))

    assert_known(whole, 100, 1, SURE)


@pytest.mark.parametrize("rate", [8000, 11025, 12000, 16000, 22050, 24000, 32000, 48000])
def test_one_sample_is_a_sound(tmp_path: Path, rate: int) -> None:
    mp3, whole = converted(a_sound(tmp_path, 1, rate))

    assert_known(whole, 1, 1, SURE)
    assert mp3.duration_seconds == pytest.approx(1 / rate, abs=0.0005)


@pytest.mark.parametrize("segments", [1, 9, 18, 30])
@pytest.mark.parametrize("samples", [100, 4410, 441_000])
@pytest.mark.parametrize("version", ["2.3", "2.4"])
def test_behind_a_large_cover(tmp_path: Path, segments: int, samples: int, version: str) -> None:
    data = a_jpeg(more=(b"\xff\xe1\xff\xff" + bytes(65_533)) * segments)
    source = with_cover(a_sound(tmp_path, samples), data)

    mp3, whole = converted(source, Output(tags=Tags(title="T", id3_version=version)))  # type: ignore[arg-type]

    assert len(mp3.tag) > segments * 65_536
    # A tag that is longer than what ffmpeg looks at makes it less sure of what follows, by one.
    assert_known(whole, samples, 1, PLAUSIBLE if samples < 4410 else 48)


@pytest.mark.parametrize("frames", [1, 3, 5])
def test_an_mp3_of_few_frames_is_not_copied_but_encoded(tmp_path: Path, frames: int) -> None:
    long, source = tmp_path / "long.mp3", tmp_path / "source.mka"
    ffmpeg("-i", a_sound(tmp_path, 44_100), "-b:a", "128k", long)
    ffmpeg("-i", long, "-c", "copy", "-frames:a", str(frames), source)

    mp3, whole = converted(source, Output(encoding=Encoding(cbr=128)))

    assert mp3.encoding == "CBR 128 kbit/s, 44100 Hz, mono"
    assert any("so few" in note for note in mp3.notes)
    assert by_ffmpeg(whole)[1] >= SURE
    assert MP3(whole).info.length == pytest.approx(mp3.duration_seconds, abs=0.001)
