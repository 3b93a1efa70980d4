"""Every format that docs/formats.md promises, converted in the worker's image and listened to.

What containers can do with their times is shown with this machine's ffmpeg.
"""

import pickle
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.worker import in_image
from tests.integration.worker.catalogue import (
    AMPLITUDE,
    EDGES,
    FORMATS,
    LAYOUTS,
    RATES,
    SECONDS,
    TONES,
    Format,
)  # fmt: skip
from tests.integration.worker.formats_page import PAGE
from tests.integration.worker.listening import Heard
from tests.integration.worker.measurements import Found, Measurements
from video2mp3_contracts.api.output import Output, Trim
from video2mp3_worker.transcode.plan import fitting_rate

_LEFT = {
    "3.0": {"FL": 1, "FC": 0.707},
    "quad": {"FL": 1, "BL": 0.707},
    "5.0": {"FL": 1, "FC": 0.707, "BL": 0.707},
    "5.1": {"FL": 1, "FC": 0.707, "BL": 0.707},
    "6.1": {"FL": 1, "FC": 0.707, "BC": 0.5, "SL": 0.707},
    "7.1": {"FL": 1, "FC": 0.707, "BL": 0.707, "SL": 0.707},
}
"""ITU-R BS.775, annex 4; a centre at the back is halved like that of the front, and then again as a surround."""

_MIRROR = {"FL": "FR", "BL": "BR", "SL": "SR", "FC": "FC", "BC": "BC"}
LAYOUTS_OF_MANY = sorted(_LEFT)

pytestmark = pytest.mark.timeout(in_image.SECONDS + 300)


@dataclass(frozen=True)
class Image:
    """What the worker's image made of the catalogue: the page that it would write, and what was heard."""

    page: str
    found: Found


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    kept = tmp_path_factory.mktemp("image") / "found"
    done = in_image.run("tests.integration.worker.formats_page", "--keep", str(kept), shared=kept.parent)
    assert done.returncode == 0, done.stderr
    return Image(done.stdout, pickle.loads(kept.read_bytes()))


@pytest.fixture
def measurements(tmp_path: Path) -> Measurements:
    return Measurements(tmp_path)


def test_the_page_of_formats_is_what_the_image_makes_of_them(image: Image) -> None:
    assert image.page == PAGE.read_text()


@pytest.mark.parametrize("wanted", FORMATS, ids=lambda wanted: wanted.name)
def test_a_format_is_converted(image: Image, wanted: Format) -> None:
    heard = image.found.formats[wanted.name]

    rate = 2 * wanted.rate if wanted.codec == "he-aac" else wanted.rate
    assert (heard.rate, len(heard.channels)) == (rate, wanted.channels)
    assert heard.seconds == pytest.approx(SECONDS, abs=wanted.off_seconds)
    if wanted.made_up:
        assert max(heard.channels[0]) > 0.05
        return
    assert_in_time(heard, EDGES, wanted.off_seconds)
    for channel in range(wanted.channels):
        for tone in TONES:
            assert heard.level(*tone, channel) == pytest.approx(AMPLITUDE, rel=0.1)


def assert_in_time(heard: Heard, expected: tuple[float, ...], off: float) -> None:
    """Each expected edge is heard near its time; and no sound where there should be none."""
    edges = heard.edges()
    for time in expected:
        assert min(abs(edge - time) for edge in edges) <= off, (edges, time)
    for end, start in zip(expected[1::2], expected[2::2], strict=False):
        assert not [edge for edge in edges if end + off < edge < start - off], edges


@pytest.mark.parametrize("rate", RATES)
def test_a_rate_becomes_the_nearest_one_that_mp3_has(image: Image, rate: int) -> None:
    heard = image.found.rates[rate]

    assert heard.rate == fitting_rate(rate, Output().encoding)
    assert heard.seconds == pytest.approx(SECONDS, abs=0.001)
    assert heard.level(*TONES[0]) == pytest.approx(AMPLITUDE, rel=0.1)


@pytest.mark.parametrize("layout", LAYOUTS_OF_MANY)
def test_many_channels_are_mixed_by_the_usual_coefficients(image: Image, layout: str) -> None:
    left, right = image.found.weights[layout]

    for speaker in LAYOUTS[layout]:
        assert left[speaker] == pytest.approx(_LEFT[layout].get(speaker, 0), abs=0.02)
        mirrored = {_MIRROR[one]: weight for one, weight in _LEFT[layout].items()}
        assert right[speaker] == pytest.approx(mirrored.get(speaker, 0), abs=0.02)


@pytest.mark.parametrize("layout", ["mono", "stereo"])
def test_few_channels_stay_as_they_are(image: Image, layout: str) -> None:
    for own, weights in zip(LAYOUTS[layout], image.found.weights[layout], strict=True):
        assert {speaker for speaker, weight in weights.items() if weight > 0.01} == {own}


_OF_CONTAINER = {
    "mp4": ("mp4, flac", "mp4"), "matroska": ("matroska, flac", "mkv"), "webm": ("webm, opus", "webm"),
    "mpeg-ts": ("mpeg-ts, mp2", "ts"), "mpeg-ps": ("mpeg-ps, mp2", "mpg"), "flv": ("flv, aac", "flv"),
    "asf": ("asf/wmv, mp3", "wmv"),
}  # fmt: skip
"""Containers whose packets have times, with a format of the catalogue and the name that a file has."""

_NEAR_SECONDS = 0.03


@pytest.fixture
def rewritten(measurements: Measurements, tmp_path: Path) -> Callable[..., Path]:
    """A file of the catalogue in one container, written again without encoding, with other options."""

    def rewrite(container: str, *options: str, late: float | None = None) -> Path:
        name, suffix = _OF_CONTAINER[container]
        (source,) = [one.make(tmp_path) for one in FORMATS if one.name == name]
        path = tmp_path / f"rewritten.{suffix}"
        inputs = ["-i", str(source)]
        if late is not None:
            inputs += ["-itsoffset", str(late), *inputs, "-map", "0:v", "-map", "1:a"]
        muxer = ("-f", "vob") if suffix == "mpg" else ()
        command = [
            "ffmpeg",
            "-nostdin",
            "-v",
            "error",
            "-y",
            *inputs,
            "-c",
            "copy",
            "-strict",
            "-2",
            *options,
            *muxer,
            str(path),
        ]
        subprocess.run(command, check=True, timeout=60)
        return path

    return rewrite


@pytest.mark.parametrize("container", sorted(_OF_CONTAINER))
def test_sound_that_begins_later_than_the_picture_has_silence_before_it(
    measurements: Measurements, rewritten: Callable[..., Path], container: str
) -> None:
    plain = measurements.converted(rewritten(container))

    heard = measurements.converted(rewritten(container, late=0.4))

    assert heard.seconds == pytest.approx(plain.seconds + 0.4, abs=_NEAR_SECONDS)
    assert_in_time(heard, tuple(time + 0.4 for time in EDGES), 2 * _NEAR_SECONDS)
    assert heard.edges()[0] > 0.3


@pytest.mark.parametrize("container", sorted(set(_OF_CONTAINER) - {"mpeg-ps"}))
def test_a_gap_in_the_times_is_as_long_a_silence(
    measurements: Measurements, rewritten: Callable[..., Path], container: str
) -> None:
    later = "+gte(T-STARTT,1.25)*0.7/TB".replace("T-STARTT", "(PTS-STARTPTS)*TB")
    pause = f"setts=pts='PTS{later}':dts='DTS{later}'"

    heard = measurements.converted(rewritten(container, "-bsf:a", pause))

    assert_in_time(heard, (0.0, 1.0, 2.2, 3.2), 2 * _NEAR_SECONDS)


@pytest.mark.parametrize("container", ["mp4", "matroska", "mpeg-ts", "mpeg-ps", "flv"])
@pytest.mark.parametrize("start", [0.0, 0.2, 0.9])
def test_a_part_is_cut_by_the_times_of_the_picture(
    measurements: Measurements, rewritten: Callable[..., Path], container: str, start: float
) -> None:
    source = rewritten(container, late=0.4)

    heard = measurements.converted(source, Output(trim=Trim(start=str(start), end="1.9")))

    assert heard.seconds == pytest.approx(1.9 - start, abs=0.001)
    assert_in_time(heard, (max(0.4 - start, 0.0), 1.4 - start), _NEAR_SECONDS)


@pytest.mark.parametrize("container", ["flv", "mpeg-ts", "matroska"])
def test_when_times_go_back_nothing_is_lost(measurements: Measurements, tmp_path: Path, container: str) -> None:
    """Two recordings in one file, one simply behind the other."""
    name, suffix = _OF_CONTAINER[container]
    (content,) = [one.make(tmp_path).read_bytes() for one in FORMATS if one.name == name]
    source = tmp_path / f"twice.{suffix}"
    source.write_bytes(content + (content[13:] if suffix == "flv" else content))

    heard = measurements.converted(source)

    assert heard.seconds == pytest.approx(2 * SECONDS, abs=0.1)
    assert_in_time(heard, (0.0, 1.0, 1.5, 1.0 + SECONDS, 1.5 + SECONDS), 0.1)


_CHANGES = [("mp3", "libmp3lame", 22_050), ("aac", "aac", 22_050), ("ogg", "libvorbis", 22_050), ("ts", "mp2", 32_000)]


@pytest.mark.parametrize(("suffix", "codec", "rate"), _CHANGES, ids=[suffix for suffix, _codec, _rate in _CHANGES])
def test_rate_and_channels_may_change_on_the_way(
    measurements: Measurements, tmp_path: Path, suffix: str, codec: str, rate: int
) -> None:
    """Stereo, then mono at another rate: both play at their own pitch and for their own time."""
    first = Format("first", codec, suffix, ("-c:a", codec)).make(tmp_path)
    second = Format("second", codec, suffix, ("-c:a", codec), rate=rate, channels=1).make(tmp_path)
    source = tmp_path / f"both.{suffix}"
    source.write_bytes(first.read_bytes() + second.read_bytes())

    heard = measurements.converted(source)

    assert heard.seconds == pytest.approx(2 * SECONDS, abs=0.12)
    assert_in_time(heard, (0.0, 1.0, 1.5, 1.0 + SECONDS, 1.5 + SECONDS), 0.12)
    for frequency, start, end in TONES:
        assert heard.level(frequency, start + 0.1, end - 0.1) > 0.8 * AMPLITUDE
        assert heard.level(frequency, start + SECONDS + 0.1, end + SECONDS - 0.1) > 0.6 * AMPLITUDE
