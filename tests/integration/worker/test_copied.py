"""⑥ Sound that already is the mp3 that was asked for: passed on, frame by frame, and heard as in the source."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from mutagen.id3 import ID3, TIT2
from mutagen.mp3 import MP3, BitrateMode

from tests.integration.worker.installation import Installation
from tests.integration.worker.samples import Samples, decoded, ffmpeg
from video2mp3_contracts.api.output import Encoding, Loudness, Output, Trim
from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.app.cli import describe
from video2mp3_worker.encoder.frames import Layout, frames_of
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Converter, Mp3


def with_sound(samples: Samples, path: Path, *encoding: str) -> Path:
    """The clip with its sound as an mp3 of 128 kbit/s, if nothing else is said."""
    wanted = encoding or ("-b:a", "128k")
    picture = ("-vn",) if path.suffix in (".mp3", ".wav") else ("-c:v", "copy" if path.suffix != ".flv" else "flv")
    ffmpeg("-i", samples.clip(), *picture, "-c:a", "libmp3lame", "-ac", "2", *wanted, path)
    return path


def converted(source: Path, output: Output | None = None) -> tuple[Mp3, Path]:
    """And the whole file, as it is downloaded."""
    folder = source.parent / f"made-{len(list(source.parent.iterdir()))}"
    folder.mkdir()
    mp3 = Converter(Stop()).convert(LocalSource.whole(source), folder / "output.mp3", output or Output())
    whole = folder / "whole.mp3"
    whole.write_bytes(mp3.tag + mp3.file.read_bytes())
    return mp3, whole


@pytest.mark.parametrize("container", ["mp3", "mp4", "mov", "avi", "ts", "flv", "wav"])
@pytest.mark.parametrize("encoding", [("-b:a", "128k"), ("-q:a", "4"), ("-b:a", "96k", "-abr", "1")], ids="".join)
def test_what_is_copied_sounds_exactly_like_the_source(
    samples: Samples, tmp_path: Path, container: str, encoding: tuple[str, ...]
) -> None:
    source = with_sound(samples, tmp_path / f"source.{container}", *encoding)

    mp3, whole = converted(source)

    assert mp3.encoding.startswith("copied: "), mp3
    assert decoded(whole) == decoded(source)
    assert mp3.duration_seconds == pytest.approx(len(decoded(whole)) / 4 / 44_100, abs=0.001)


@pytest.mark.parametrize(("rate", "bit_rate"), [(44_100, 128), (22_050, 64)])
def test_of_matroska_the_end_is_cut_where_it_says(samples: Samples, tmp_path: Path, rate: int, bit_rate: int) -> None:
    """It leaves the beginning as it is, and cuts the end in the middle of a frame."""
    source = with_sound(samples, tmp_path / "source.mkv", "-b:a", f"{bit_rate}k", "-ar", str(rate))

    mp3, whole = converted(source)

    assert mp3.encoding == f"copied: CBR {bit_rate} kbit/s, {rate} Hz, stereo"
    assert decoded(whole) == decoded(source)
    assert mp3.duration_seconds == pytest.approx(len(decoded(whole)) / 4 / rate, abs=0.001)


@pytest.mark.parametrize(
    ("encoding", "mode", "rate"), [(("-b:a", "160k"), BitrateMode.CBR, 160_000), (("-q:a", "6"), BitrateMode.VBR, None)]
)
def test_players_are_told_its_length_and_bit_rate(
    samples: Samples, tmp_path: Path, encoding: tuple[str, ...], mode: BitrateMode, rate: int | None
) -> None:
    source = with_sound(samples, tmp_path / "source.mp3", *encoding)

    _, whole = converted(source)

    info = MP3(whole).info
    assert info.length == pytest.approx(MP3(source).info.length, abs=0.001)
    assert info.bitrate_mode == mode
    assert rate is None or info.bitrate == pytest.approx(rate, rel=0.01)
    assert MP3(whole).tags["TIT2"].text == ["Ein Käfer"]


def test_an_mp3_of_ours_is_the_one_that_was_asked_for(samples: Samples, tmp_path: Path) -> None:
    """Whatever its bit rate came to, and with every bit of it."""
    first, whole = converted(samples.clip())
    renamed = whole.rename(tmp_path / "again.mp3")

    again, _ = converted(renamed)

    assert (first.encoding, again.encoding) == ("VBR V2, 44100 Hz, mono", "copied: VBR V2, 44100 Hz, mono")
    assert again.duration_seconds == first.duration_seconds
    assert MP3(again.file).info.length == pytest.approx(first.duration_seconds, abs=0.001)
    assert decoded(again.file) == decoded(renamed)


@pytest.mark.parametrize(
    "output",
    [
        Output(encoding=Encoding(cbr=192)),
        Output(encoding=Encoding(vbr=9)),
        Output(channels="mono"),
        Output(sample_rate=22_050),
        Output(trim=Trim(start=1)),
        Output(trim=Trim(end=5)),
        Output(loudness=Loudness(integrated_lufs=-20)),
    ],
    ids=str,
)
def test_what_is_to_be_another_is_encoded(samples: Samples, tmp_path: Path, output: Output) -> None:
    mp3, _ = converted(with_sound(samples, tmp_path / "source.mp4"), output)

    assert "copied" not in mp3.encoding


def test_asked_for_its_own_bit_rate_it_is_copied(samples: Samples, tmp_path: Path) -> None:
    mp3, _ = converted(with_sound(samples, tmp_path / "source.mp4"), Output(encoding=Encoding(cbr=128)))

    assert mp3.encoding == "copied: CBR 128 kbit/s, 44100 Hz, stereo"


def frames(mp3: bytes) -> list[bytes]:
    """The frames of a constant bit rate, the Info frame among them."""
    start = mp3.index(b"\xff\xfb")
    sizes, found, position = Layout(44_100, 2).sizes, [], start
    while position + 4 <= len(mp3) and mp3[position] == 0xFF:
        size = sizes[mp3[position + 2]]
        found.append(mp3[position : position + size])
        position += size
    return found


def with_garbage(mp3: bytes) -> bytes:
    garbage = random.Random(1).randbytes(300)
    return b"".join(frame + (garbage if number % 50 == 49 else b"") for number, frame in enumerate(frames(mp3)))


def with_damaged_frames(mp3: bytes) -> bytes:
    """Whose side information speaks of more than there is."""
    return b"".join(
        frame[:4] + b"\0\0\xff\xff\xff\xff\xff" + frame[11:] if number % 50 == 49 else frame
        for number, frame in enumerate(frames(mp3))
    )


def with_another_rate(mp3: bytes) -> bytes:
    """The second half of the headers says 48 kHz."""
    return b"".join(
        frame[:2] + bytes((frame[2] | 0b0100,)) + frame[3:] if number > 200 else frame
        for number, frame in enumerate(frames(mp3))
    )


@pytest.mark.parametrize("damage", [with_garbage, with_damaged_frames, with_another_rate])
def test_an_mp3_that_is_not_whole_is_encoded(
    samples: Samples, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    source = with_sound(samples, tmp_path / "source.mp3")
    source.write_bytes(damage(source.read_bytes()))

    mp3, whole = converted(source)

    assert mp3.encoding == "VBR V2, 44100 Hz, stereo"
    assert any("encoded anew" in note for note in mp3.notes)
    assert len(decoded(whole)) / 4 / 44_100 == pytest.approx(mp3.duration_seconds, abs=0.001)


def test_layer_two_that_is_called_mp3_is_encoded(samples: Samples, tmp_path: Path) -> None:
    source = tmp_path / "source.mp3"
    ffmpeg("-i", samples.clip(), "-vn", "-c:a", "mp2", "-f", "mp2", source)

    mp3, _ = converted(source)

    assert mp3.encoding.startswith("VBR V2")
    assert mp3.duration_seconds == pytest.approx(10, abs=0.1)


def test_a_free_format_is_refused_or_encoded_but_never_copied(samples: Samples, tmp_path: Path) -> None:
    """What ffmpeg cannot read is no mp3 here."""
    source = with_sound(samples, tmp_path / "source.mp3")
    free = b"".join(frame[:2] + bytes((frame[2] & 0x0F,)) + frame[3:] for frame in frames(source.read_bytes()))
    source.write_bytes(free)

    with pytest.raises(Refused) as refused:
        converted(source)

    assert refused.value.reason is Reason.NOT_MEDIA


def test_tags_at_both_ends_are_no_sound(samples: Samples, tmp_path: Path) -> None:
    source = with_sound(samples, tmp_path / "source.mp3")
    sound = decoded(source)
    tag = ID3(source)
    tag.add(TIT2(encoding=1, text="Ζωή"))
    tag.save(source, v1=2, v2_version=3)
    ape = b"APETAGEX" + (2000).to_bytes(4, "little") + (32).to_bytes(4, "little") + bytes(4) + b"\0\0\0\x80" + bytes(8)
    content = source.read_bytes()
    source.write_bytes(content[:-128] + ape + content[-128:])

    mp3, whole = converted(source)

    assert mp3.encoding == "copied: CBR 128 kbit/s, 44100 Hz, stereo"
    assert decoded(whole) == sound
    assert ID3(whole)["TIT2"].text == ["Ζωή"]


def test_an_mp3_that_was_cut_short_is_copied_up_to_its_last_whole_frame(samples: Samples, tmp_path: Path) -> None:
    source = with_sound(samples, tmp_path / "source.mp3")
    content = source.read_bytes()
    source.write_bytes(content[: len(content) // 2])

    mp3, whole = converted(source)

    assert mp3.encoding.startswith("copied")
    assert mp3.duration_seconds == pytest.approx(5, abs=0.1)
    assert len(decoded(whole)) / 4 / 44_100 == pytest.approx(mp3.duration_seconds, abs=0.03)


@pytest.mark.parametrize("container", ["mkv", "mp4"])
def test_frames_with_a_pause_between_them_are_not_pushed_together(
    samples: Samples, tmp_path: Path, container: str
) -> None:
    source, apart = with_sound(samples, tmp_path / "source.mkv"), tmp_path / "apart.mkv"
    pause = "setts=pts=PTS+if(gte(N\\,200)\\,2/TB\\,0):dts=DTS+if(gte(N\\,200)\\,2/TB\\,0)"
    ffmpeg("-i", source, "-map", "0:a", "-c", "copy", "-bsf:a", pause, apart)
    ffmpeg("-i", apart, "-c", "copy", tmp_path / f"pause.{container}")

    mp3, _ = converted(tmp_path / f"pause.{container}")

    assert "copied" not in mp3.encoding
    assert any("pauses" in note for note in mp3.notes)


def test_what_an_edit_list_leaves_out_stays_out(samples: Samples, tmp_path: Path) -> None:
    source, later = with_sound(samples, tmp_path / "source.mp4"), tmp_path / "later.mp4"
    ffmpeg("-ss", "3.3", "-i", source, "-c", "copy", later)

    mp3, whole = converted(later)

    assert mp3.duration_seconds == pytest.approx(len(decoded(later)) / 4 / 44_100, abs=0.1)
    assert len(decoded(whole)) == pytest.approx(len(decoded(later)), abs=4 * 4410)


def test_the_status_and_the_probe_say_that_it_was_copied(
    installation: Installation, samples: Samples, tmp_path: Path
) -> None:
    source = with_sound(samples, tmp_path / "source.mkv")

    ended = installation.run(installation.request(installation.upload(source)))
    told = describe(Converter(Stop()).preview(LocalSource.whole(source), Output()))

    assert ended.code == 0, ended.log
    assert installation.entry()["result"]["encoding"] == "copied: CBR 128 kbit/s, 44100 Hz, stereo"
    assert any(line.startswith("mp3       copied: CBR 128 kbit/s") for line in told)


def test_the_probe_says_why_an_mp3_is_encoded(samples: Samples, tmp_path: Path) -> None:
    source = with_sound(samples, tmp_path / "source.mp3", "-b:a", "320k")

    told = describe(Converter(Stop()).preview(LocalSource.whole(source), Output()))

    (note,) = [line for line in told if line.startswith("note")]
    assert "since it has 320 kbit/s, and V2 gives 190" in note
    assert told[-1].startswith("mp3       VBR V2")


def test_every_frame_that_is_copied_is_one_of_the_source(samples: Samples, tmp_path: Path) -> None:
    source = with_sound(samples, tmp_path / "source.mp3")

    mp3, _ = converted(source)

    assert frames(mp3.file.read_bytes())[1:] == frames(source.read_bytes())[1:]
    assert len(frames_of(mp3.file.read_bytes(), Layout(44_100, 2))) > 380
