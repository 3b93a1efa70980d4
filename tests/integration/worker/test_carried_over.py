"""⑥ Cover and chapters: from every container that has them into the mp3, as other programs read it."""

import array
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from mutagen.aiff import AIFF
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, ID3, TALB, TCON, TIT2, TPE1, BitPaddedInt
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4, MP4Cover

from tests.integration.worker.installation import Installation
from tests.integration.worker.samples import Samples, ffmpeg, with_chapters
from tests.unit.worker.pictures import a_jpeg, a_png
from video2mp3_contracts.api.output import Output, Trim
from video2mp3_contracts.api.tags import Tags
from video2mp3_worker.app.cli import describe
from video2mp3_worker.limits import bounds
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Converter, Mp3

HOSTILE = {
    "larger than it may be": a_jpeg(more=b"\xff\xe1\xff\xff" + bytes(65_533)) + bytes(bounds.COVER_BYTES),
    "pixels without end": a_png(60_000, 60_000),
    "half a jpeg": a_jpeg()[:-1],
    "half a png": a_png()[:-1],
    "text": b"hello, I am a picture",
    "a playlist": b"#EXTM3U\n/etc/passwd\n",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
    "an animation": b"GIF89a" + bytes(1000),
    "a script": b"ffconcat version 1.0\nfile /etc/passwd\n",
}


def with_cover_in_mp4(samples: Samples, path: Path, data: bytes, mime: str) -> None:
    shutil.copyfile(samples.clip(), path)
    file = MP4(path)
    file["covr"] = [MP4Cover(data, MP4Cover.FORMAT_PNG if mime == "image/png" else MP4Cover.FORMAT_JPEG)]
    file.save()


def with_cover_in_mkv(samples: Samples, path: Path, data: bytes, mime: str) -> None:
    picture = path.with_suffix(".attached")
    picture.write_bytes(data)
    ffmpeg("-i", samples.clip(), "-c", "copy", "-attach", picture, "-metadata:s:t", f"mimetype={mime}", path)


def with_cover_in_mp3(samples: Samples, path: Path, data: bytes, mime: str) -> None:
    ffmpeg("-i", samples.clip(), "-vn", path)
    tag = ID3()
    tag.add(APIC(mime=mime, type=3, desc="x", data=data))
    tag.save(path)


def with_cover_in_flac(samples: Samples, path: Path, data: bytes, mime: str) -> None:
    ffmpeg("-i", samples.clip(), "-vn", path)
    file, picture = FLAC(path), Picture()
    picture.data, picture.mime, picture.type = data, mime, 3
    file.add_picture(picture)
    file.save()


def with_cover_in_aiff(samples: Samples, path: Path, data: bytes, mime: str) -> None:
    ffmpeg("-i", samples.clip(), "-vn", path)
    file = AIFF(path)
    file.add_tags()
    file.tags.add(APIC(mime=mime, type=3, desc="x", data=data))
    file.save()


CONTAINERS = {
    "mp4": with_cover_in_mp4,
    "mkv": with_cover_in_mkv,
    "mp3": with_cover_in_mp3,
    "flac": with_cover_in_flac,
    "aiff": with_cover_in_aiff,
}


def converted(source: Path, output: Output | None = None) -> tuple[Mp3, Path]:
    """And the whole file, as it is downloaded."""
    destination = source.with_name("output.mp3")
    destination.unlink(missing_ok=True)
    mp3 = Converter(Stop()).convert(LocalSource.whole(source), destination, output or Output())
    whole = source.with_name("whole.mp3")
    whole.write_bytes(mp3.tag + mp3.file.read_bytes())
    return mp3, whole


def covers(mp3: Path) -> list[bytes]:
    tags = MP3(mp3).tags
    return [] if tags is None else [frame.data for frame in tags.getall("APIC")]


def probed(mp3: Path, *what: str) -> dict:
    command = ["ffprobe", "-v", "error", *what, "-of", "json", str(mp3)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("name", ["cover.jpg", "cover.png"])
def test_the_cover_is_carried_over_as_it_is(samples: Samples, tmp_path: Path, container: str, name: str) -> None:
    source, data = tmp_path / f"source.{container}", samples.picture(name).read_bytes()
    CONTAINERS[container](samples, source, data, "image/png" if name.endswith("png") else "image/jpeg")

    mp3, whole = converted(source)

    assert (covers(whole), mp3.notes) == ([data], ())
    (picture,) = [stream for stream in probed(whole, "-show_streams")["streams"] if stream["codec_type"] == "video"]
    assert (picture["width"], picture["height"], picture["disposition"]["attached_pic"]) == (300, 200, 1)


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_cover_that_is_none_is_left_out_and_the_sound_converted(
    samples: Samples, tmp_path: Path, container: str, kind: str
) -> None:
    source = tmp_path / f"source.{container}"
    CONTAINERS[container](samples, source, HOSTILE[kind], "image/jpeg")

    mp3, whole = converted(source)

    assert covers(whole) == []
    assert mp3.duration_seconds == pytest.approx(10, abs=0.1)
    assert all(note.endswith("it is left out.") for note in mp3.notes)


def test_what_a_cover_is_called_does_not_matter(samples: Samples, tmp_path: Path) -> None:
    source, data = tmp_path / "source.mkv", samples.picture("cover.png").read_bytes()
    with_cover_in_mkv(samples, source, data, "image/jpeg")

    _, whole = converted(source)

    assert MP3(whole).tags.getall("APIC")[0].mime == "image/png"


def test_the_front_goes_before_the_back_and_a_good_one_before_a_broken_one(samples: Samples, tmp_path: Path) -> None:
    source, good = tmp_path / "source.mp3", samples.picture("cover.png").read_bytes()
    with_cover_in_mp3(samples, source, b"broken", "image/jpeg")
    tag = ID3(source)
    tag.add(APIC(mime="image/jpeg", type=4, desc="back", data=a_jpeg()))
    tag.add(APIC(mime="image/png", type=3, desc="front", data=good))
    tag.save(source)

    mp3, whole = converted(source)

    assert covers(whole) == [good]
    assert len(mp3.notes) == 1


def test_cover_and_chapters_of_a_source_that_is_not_read_whole(
    installation: Installation, samples: Samples, tmp_path: Path
) -> None:
    chapters = [(0, 5, "one"), (5, 12, "two")]
    source, data = tmp_path / "camera.mp4", samples.picture("cover.jpg").read_bytes()
    with_chapters(samples.camera(index_first=False), source, chapters, "-chunk_duration", "1000000")
    file = MP4(source)
    file["covr"] = [MP4Cover(data)]
    file.save()

    ended = installation.run(installation.request(installation.upload(source)))

    assert ended.code == 0, ended.log
    (fetched,) = [line for line in map(json.loads, ended.log.splitlines()) if line["event"] == "source_at_hand"]
    assert fetched["fetched"] < 0.25 * fetched["size"]
    mp3 = installation.mp3()
    assert covers(mp3) == [data]
    assert [entry["tags"]["title"] for entry in probed(mp3, "-show_chapters")["chapters"]] == ["one", "two"]


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("encoding", [0, 1, 2, 3], ids=["Latin-1", "UTF-16", "UTF-16BE", "UTF-8"])
def test_tags_of_every_encoding_become_unicode(samples: Samples, tmp_path: Path, version: int, encoding: int) -> None:
    source = tmp_path / "source.mp3"
    ffmpeg("-i", samples.clip(), "-vn", source)
    tag = ID3()
    for frame, text in ((TIT2, "Käfer"), (TPE1, "Zoë"), (TCON, "(17)"), (TALB, "two\nlines\x07")):
        tag.add(frame(encoding=encoding, text=[text]))
    tag.save(source, v2_version=version)

    _, whole = converted(source, Output(tags=Tags(artist="Ζωή")))

    found = ID3(whole)
    texts = {name: (found[name].text, int(found[name].encoding)) for name in ("TIT2", "TPE1", "TCON", "TALB")}
    assert found.version == (2, 3, 0)
    assert texts == {"TIT2": (["Käfer"], 1), "TPE1": (["Ζωή"], 1), "TCON": (["Rock"], 1), "TALB": (["two lines"], 1)}


def test_of_several_values_those_that_ffmpeg_tells_are_kept(samples: Samples, tmp_path: Path) -> None:
    """And bytes that are no text in the encoding they claim become replacement characters."""
    several, broken = tmp_path / "several.flac", tmp_path / "broken.mp3"
    for source in (several, broken):
        ffmpeg("-i", samples.clip(), "-vn", source)
    file = FLAC(several)
    file["artist"] = ["Ada", "Bob"]
    file.save()
    frames = b"TIT2\0\0\0\x06\0\0\x03\xff\xfeabc" + b"TPE1\0\0\0\x03\0\0\0\xc4B"
    content = broken.read_bytes()
    size = int(BitPaddedInt(content[6:10]))
    broken.write_bytes(b"ID3\x04\0\0" + BitPaddedInt.to_str(len(frames), width=4) + frames + content[10 + size :])

    assert ID3(converted(several)[1])["TPE1"].text == ["Ada;Bob"]
    found = ID3(converted(broken)[1])
    assert (found["TIT2"].text, found["TPE1"].text) == (["\ufffd\ufffdabc"], ["ÄB"])


def titles_and_times(mp3: Path) -> list[tuple[str, float, float]]:
    return [
        (entry.get("tags", {}).get("title", ""), float(entry["start_time"]), float(entry["end_time"]))
        for entry in probed(mp3, "-show_chapters")["chapters"]
    ]


def first_sound(mp3: Path) -> float:
    """Seconds until it is no longer silent, as ffmpeg decodes it."""
    command = ["ffmpeg", "-v", "error", "-i", str(mp3), "-f", "s16le", "-ac", "1", "-ar", "8000", "pipe:1"]
    samples = array.array("h", subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    return next(number for number, value in enumerate(samples) if abs(value) > 1000) / 8000


@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "m4b"])
def test_chapters_are_carried_over(samples: Samples, tmp_path: Path, container: str) -> None:
    expected = [("Käfer; 1 = #2", 0.0, 4.0), ("说\\", 4.0, 10.0)]
    source = tmp_path / f"source.{container}"
    with_chapters(samples.beep(container), source, [(start, end, title) for title, start, end in expected])

    _, whole = converted(source)

    assert titles_and_times(whole) == expected
    assert first_sound(whole) == pytest.approx(4.0, abs=0.05)


@pytest.mark.parametrize("container", ["mp4", "mkv"])
@pytest.mark.parametrize(("sound", "picture"), [("0", "2"), ("2", "0")], ids=["sound first", "picture first"])
def test_a_chapter_stays_with_its_sound(
    samples: Samples, tmp_path: Path, container: str, sound: str, picture: str
) -> None:
    """Also when picture and sound do not begin together, and when the beginning is cut off."""
    apart, source = tmp_path / f"apart.{container}", tmp_path / f"source.{container}"
    inputs = ("-itsoffset", sound, "-i", samples.beep(container), "-itsoffset", picture, "-i", samples.clip())
    ffmpeg(*inputs, "-map", "0:a", "-map", "1:v", "-c", "copy", apart)
    beep = 4 + float(sound)
    with_chapters(apart, source, [(0, beep, "one"), (beep, 12, "two")])

    for output in (Output(), Output(trim=Trim(start="3.5", end=7))):
        _, whole = converted(source, output)
        (two,) = [start for title, start, _end in titles_and_times(whole) if title == "two"]
        assert two == pytest.approx(first_sound(whole), abs=0.1)


@pytest.mark.parametrize(
    ("chapters", "count"),
    [
        ([(number / 400, (number + 1) / 400, f"chapter {number}") for number in range(4000)], 255),
        ([(0, 10, "all"), (0, 5, "half"), (2, 8, "across"), (2, 8, "again"), (9, 9, "nothing")], 2),
        ([(0, 10, "x" * 5_000)], 1),
        ([(0, 10, "\x1b[31m\x07red\x9b")], 1),
        ([(8, 4_000_000, "beyond the end"), (20_000, 30_000, "never")], 1),
    ],
    ids=["thousands", "overlapping", "long title", "control characters", "beyond the end"],
)
def test_chapters_without_sense_are_brought_into_order(
    samples: Samples, tmp_path: Path, chapters: list[tuple[float, float, str]], count: int
) -> None:
    source = tmp_path / "source.mkv"
    with_chapters(samples.clip(), source, chapters)

    _, whole = converted(source)

    found = titles_and_times(whole)
    edges = [edge for _title, start, end in found for edge in (start, end)]
    assert len(found) == count
    assert edges == sorted(edges)
    assert edges[-1] <= 10.1
    assert all(len(title) <= 256 and title.isprintable() for title, _start, _end in found)


def test_the_probe_tells_of_cover_and_chapters(samples: Samples, tmp_path: Path) -> None:
    source = tmp_path / "source.mp4"
    with_chapters(samples.clip(), source, [(0, 4, "one"), (4, 10, "two")])
    file = MP4(source)
    file["covr"] = [MP4Cover(samples.picture("cover.jpg").read_bytes()), MP4Cover(b"broken")]
    file.save()

    told = "\n".join(describe(Converter(Stop()).preview(LocalSource.whole(source), Output(trim=Trim(end=3)))))

    assert "cover     JPEG, 300 x 200" in told
    assert "chapters  2, of which the mp3 gets 1" in told
