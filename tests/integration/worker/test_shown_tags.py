"""⑥ Tags: from every container that has them into the mp3, as other programs show them."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mutagen.asf import ASF
from mutagen.flac import FLAC
from mutagen.id3 import COMM, ID3, TDRC, TPOS, TXXX, USLT
from mutagen.mp4 import MP4, MP4FreeForm
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis

from tests.integration.worker.samples import ffmpeg, with_chapters
from video2mp3_contracts.api.output import Encoding, Loudness, Output, Trim
from video2mp3_contracts.api.tags import Tags
from video2mp3_worker.app.cli import command_line, describe
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Converter, Mp3

COMMENT, LYRICS, DATE = "Käfer\nand more", "la la\n\n说 🐞", "2026-03-01"


def a_sound(path: Path, *options: str, channels: int = 2) -> Path:
    ffmpeg("-f", "lavfi", "-i", "sine=frequency=440:duration=2", "-ac", str(channels), *options, path)
    return path


def in_mp3(folder: Path, version: int = 4) -> Path:
    path, tag = a_sound(folder / "source.mp3"), ID3()
    for frame in (
        COMM(lang="eng", desc="", text=[COMMENT.replace("\n", "\r\n")]),
        USLT(lang="deu", desc="", text=LYRICS),
        USLT(lang="eng", desc="translated", text="nothing"),
        TDRC(text=[f"{DATE}T10:15"]),
        TPOS(text=["1/2"]),
        TXXX(desc="REPLAYGAIN_TRACK_GAIN", text=["-7.10 dB"]),
        TXXX(desc="replaygain_album_gain", text=["-8.00 dB"]),
        TXXX(desc="private", text=["nobody asked for this"]),
    ):
        tag.add(frame)
    if version == 3:
        tag.update_to_v23()
    tag.save(path, v2_version=version)
    return path


def in_older_mp3(folder: Path) -> Path:
    return in_mp3(folder, 3)


def in_mp4(folder: Path) -> Path:
    path = a_sound(folder / "source.m4a")
    file = MP4(path)
    file.update({"\xa9cmt": COMMENT, "\xa9lyr": LYRICS, "\xa9day": f"{DATE}T10:15:00Z", "disk": [(1, 2)]})
    for name, text in (("track", "-7.10 dB"), ("album", "-8.00 dB")):
        file[f"----:com.apple.iTunes:replaygain_{name}_gain"] = MP4FreeForm(text.encode())
    file.save()
    return path


VORBIS = {
    "COMMENT": COMMENT,
    "LYRICS": LYRICS,
    "DATE": f"{DATE} 10:15",
    "DISCNUMBER": "1/2",
    "REPLAYGAIN_TRACK_GAIN": "-7.10 dB",
    "REPLAYGAIN_ALBUM_GAIN": "-8.00 dB",
}


def in_flac(folder: Path) -> Path:
    path = a_sound(folder / "source.flac")
    file = FLAC(path)
    file.update(VORBIS)
    file.save()
    return path


def in_ogg(folder: Path) -> Path:
    path = a_sound(folder / "source.ogg")
    file = OggVorbis(path)
    file.update(VORBIS)
    file.save()
    return path


def in_opus(folder: Path) -> Path:
    """With the same gains as it has them: 256ths of a dB, towards another reference."""
    path = a_sound(folder / "source.opus", "-c:a", "libopus")
    file = OggOpus(path)
    file.update({name: text for name, text in VORBIS.items() if "GAIN" not in name})
    file.update({"R128_TRACK_GAIN": str(round((-7.1 - 5) * 256)), "R128_ALBUM_GAIN": str(-13 * 256)})
    file.save()
    return path


def in_matroska(folder: Path) -> Path:
    path = folder / "source.mka"
    ffmpeg("-i", in_flac(folder), "-c", "copy", path)
    return path


def in_windows_media(folder: Path) -> Path:
    path = a_sound(folder / "source.wma")
    file = ASF(path)
    file.update({"Description": COMMENT, "WM/Lyrics": LYRICS, "WM/Year": f"{DATE} 10:15", "WM/PartOfSet": "1/2"})
    file.update({"replaygain_track_gain": "-7.10 dB", "replaygain_album_gain": "-8.00 dB"})
    file.save()
    return path


SOURCES = (in_mp3, in_older_mp3, in_mp4, in_flac, in_ogg, in_opus, in_matroska, in_windows_media)


def converted(source: Path, output: Output | None = None) -> tuple[Mp3, Path]:
    """And the whole file, as it is downloaded."""
    mp3 = Converter(Stop()).convert(LocalSource.whole(source), source.with_name("output.mp3"), output or Output())
    whole = source.with_name("whole.mp3")
    whole.write_bytes(mp3.tag + mp3.file.read_bytes())
    return mp3, whole


def by_ffmpeg(path: Path) -> dict[str, str]:
    command = ["ffprobe", "-v", "error", "-show_format", "-of", "json", str(path)]
    found = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    return json.loads(found)["format"].get("tags", {})


def by_mediainfo(path: Path) -> dict[str, Any]:
    command = ["mediainfo", "--Output=JSON", str(path)]
    found = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    return json.loads(found)["media"]["track"][0]


def by_mpg123(path: Path) -> dict[str, str]:
    """The frames of the tag, by their names, as its reader writes them down."""
    command = ["mpg123-id3dump", str(path)]
    said = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout.decode()
    frames = said.partition("==== ID3v2 Raw frames ====\n")[2].splitlines()
    found: dict[str, str] = {}
    name = ""
    for line in frames:
        if line.startswith(" "):
            found[name] += ("\n" if found[name] else "") + line[1:]
        elif line:
            name = line.replace("TXXX description(", "").partition(" ")[0].rstrip(")")
            found[name] = ""
    return found


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.__name__)
@pytest.mark.parametrize("version", ["2.3", "2.4"])
def test_what_the_source_says_is_shown_by_every_reader(
    tmp_path: Path, source: Callable[[Path], Path], version: str
) -> None:
    """No matter by whom, and in which container it was."""
    _, whole = converted(source(tmp_path), Output(tags=Tags(id3_version=version)))  # type: ignore[arg-type]

    tags, dump, info = by_ffmpeg(whole), by_mpg123(whole), by_mediainfo(whole)
    assert whole.read_bytes()[:4] == b"ID3" + bytes((int(version[2]),))
    assert (tags["comment"], tags["lyrics-und"], tags["disc"]) == (COMMENT, LYRICS, "1/2")
    assert tags["date"].replace("T", " ").startswith(f"{DATE} 10:15")
    assert (tags["REPLAYGAIN_TRACK_GAIN"], tags["REPLAYGAIN_ALBUM_GAIN"]) == ("-7.10 dB", "-8.00 dB")
    assert (dump["COMM"], dump["USLT"], dump["TPOS"]) == (COMMENT, LYRICS, "1/2")
    dates = ("TYER", "TDAT", "TIME") if version == "2.3" else ("TDRC",)
    assert [dump.get(name, "")[:16] for name in dates] == (
        ["2026", "0103", "1015"] if version == "2.3" else [f"{DATE}T10:15"]
    )
    assert dump["REPLAYGAIN_TRACK_GAIN"] == "-7.10 dB"
    assert info["Recorded_Date"].startswith(f"{DATE} 10:15")
    assert (info["Part_Position"], info["Part_Position_Total"]) == ("1", "2")
    assert info["extra"]["REPLAYGAIN_TRACK_GAIN"] == "-7.10 dB"
    assert "private" not in tags


@pytest.mark.parametrize("version", ["2.3", "2.4"])
def test_what_sources_say_in_words_is_shown_as_far_as_frames_hold_it(tmp_path: Path, version: str) -> None:
    source = a_sound(tmp_path / "source.flac")
    file = FLAC(source)
    said = {"DATE": "3 May 2021", "TRACKNUMBER": "3 of 12", "DISCNUMBER": "1 (bonus)", "GENRE": "(Drum) Bass"}
    file.update(said)
    file.save()

    _, whole = converted(source, Output(tags=Tags(id3_version=version)))  # type: ignore[arg-type]

    tags, dump, info = by_ffmpeg(whole), by_mpg123(whole), by_mediainfo(whole)
    assert (tags["date"][:10], tags["track"], tags["disc"]) == ("2021-05-03", "3/12", "1")
    assert info["Recorded_Date"].startswith("2021-05-03")
    assert (info["Track_Position"], info["Track_Position_Total"], info["Part_Position"]) == ("3", "12", "1")
    assert tags["DISC_TEXT"] == dump["DISC_TEXT"] == info["extra"]["DISC_TEXT"] == "1 (bonus)"
    assert ID3(whole)["TCON"].genres == ["(Drum) Bass"]
    assert dump["TCON"] == ("((Drum) Bass" if version == "2.3" else "(Drum) Bass")


@pytest.mark.parametrize("version", ["2.3", "2.4"])
def test_what_was_asked_for_is_shown(tmp_path: Path, version: str) -> None:
    wanted = Tags(
        title="Käfer 🐞",
        comment="one\r\ntwo\n",
        lyrics="mine",
        disc="2/2",
        date="2025",
        custom={"MOOD": "ruhig", "Größe": "说", "replaygain_album_gain": ""},
        id3_version=version,  # type: ignore[arg-type]
    )

    _, whole = converted(in_mp4(tmp_path), Output(tags=wanted))

    found = by_ffmpeg(whole)
    assert {name: found[name] for name in ("title", "comment", "lyrics-und", "disc", "date", "MOOD", "Größe")} == {
        "title": "Käfer 🐞",
        "comment": "one\ntwo",
        "lyrics-und": "mine",
        "disc": "2/2",
        "date": "2025",
        "MOOD": "ruhig",
        "Größe": "说",
    }
    assert [name for name in found if name.startswith("REPLAYGAIN")] == ["REPLAYGAIN_TRACK_GAIN"]
    dump = by_mpg123(whole)
    assert (dump["MOOD"], dump["Größe"], dump["TIT2"]) == ("ruhig", "说", "Käfer 🐞")


@pytest.mark.parametrize(
    "output",
    [
        Output(channels="mono"),
        Output(trim=Trim(end=1)),
        Output(loudness=Loudness(integrated_lufs=-23)),
        Output(loudness=Loudness(mode="measureOnly")),
    ],
    ids=["a downmix", "a part", "a gain", "measured"],
)
def test_a_loudness_that_is_not_true_any_more_is_not_told(tmp_path: Path, output: Output) -> None:
    _, whole = converted(in_flac(tmp_path), output)

    found = by_ffmpeg(whole)
    assert found.get("REPLAYGAIN_TRACK_GAIN") != "-7.10 dB"
    assert ("REPLAYGAIN_TRACK_GAIN" in found) is (output.loudness is not None)
    assert "REPLAYGAIN_ALBUM_GAIN" not in found
    assert found["lyrics-und"] == LYRICS


def test_what_lame_takes_away_is_given_back(tmp_path: Path) -> None:
    _, encoded = converted(in_flac(tmp_path), Output(encoding=Encoding(cbr=128)))

    assert by_ffmpeg(encoded)["REPLAYGAIN_TRACK_GAIN"] == "-6.65 dB"


def test_a_copied_sound_keeps_what_is_said_of_its_loudness(tmp_path: Path) -> None:
    mp3, whole = converted(in_mp3(tmp_path), Output(encoding=Encoding(cbr=128)))

    assert mp3.encoding.startswith("copied: ")
    assert by_ffmpeg(whole)["REPLAYGAIN_TRACK_GAIN"] == "-7.10 dB"


def test_chapters_beyond_the_limit_are_told_of(tmp_path: Path) -> None:
    source = tmp_path / "source.mkv"
    with_chapters(
        a_sound(tmp_path / "plain.mkv"), source, [(n / 200, (n + 1) / 200, f"chapter {n}") for n in range(400)]
    )
    told = "Of 400 chapters the mp3 has the first 255, which is as many as an mp3 can have."

    mp3, whole = converted(source)

    assert mp3.notes == (told,)
    assert len(ID3(whole).getall("CHAP")) == 255
    assert f"note      {told}" in describe(Converter(Stop()).preview(LocalSource.whole(source), Output()))


def test_titles_of_chapters_are_shown_in_both_versions(tmp_path: Path) -> None:
    source, title = tmp_path / "source.mkv", "说" * 80
    with_chapters(a_sound(tmp_path / "plain.mkv"), source, [(0, 1, title), (1, 2, "Käfer")])

    def titles(version: str) -> list[str]:
        _, whole = converted(source, Output(tags=Tags(id3_version=version)))  # type: ignore[arg-type]
        command = ["ffprobe", "-v", "error", "-show_chapters", "-of", "json", str(whole)]
        found = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
        return [chapter["tags"]["title"] for chapter in json.loads(found)["chapters"]]

    assert titles("2.3") == [title, "Käfer"]
    assert titles("2.4") == ["说" * 40, "Käfer"]


def test_the_command_line_takes_them_too(tmp_path: Path) -> None:
    source, destination = a_sound(tmp_path / "source.flac"), tmp_path / "out.mp3"
    tags = ("--disc", "1/2", "--lyrics", "la\nla", "--custom", "MOOD=a=b", "--custom", "empty=", "--id3-version", "2.4")

    assert command_line(["convert", str(source), str(destination), *tags]) == 0

    found = by_ffmpeg(destination)
    assert (found["disc"], found["lyrics-und"], found["MOOD"], "empty" in found) == ("1/2", "la\nla", "a=b", False)
    assert ID3(destination).version == (2, 4, 0)


def test_the_probe_tells_of_lyrics_in_one_line(tmp_path: Path) -> None:
    told = describe(Converter(Stop()).preview(LocalSource.whole(in_flac(tmp_path)), Output()))

    assert "tag       lyrics: la la 说 🐞" in told
