"""Which track it is, and when it plays: what containers say of that, and what writers make of it."""

import struct
from pathlib import Path

from tests.integration.worker.corpus.making import film, number_at, put, tone, written
from tests.integration.worker.hostile import box
from tests.integration.worker.samples import ffmpeg

_ALL = ("-map", "0", "-map", "1", "-map", "2")


def avi_late_audio(path: Path) -> None:
    """The sound's header says that it starts two seconds after the picture, as an editor writes a delay."""
    content = written(path, "avi", *film(6), *tone(4, rate=48_000), "-c:v", "mpeg4", "-c:a", "pcm_s16le")
    header = content.index(b"auds")
    scale, rate = number_at(content, header + 20, "<I"), number_at(content, header + 24, "<I")
    put(content, header + 28, "<I", 2 * rate // scale)
    path.write_bytes(content)


def mkv_clock_drift_minus(path: Path) -> None:
    """Twenty seconds of a steady tone whose timestamps run slow by a hundredth: they end at 19.8."""
    slow = ("-bsf:a", "setts=ts='TS*0.99'")
    written(
        path, "matroska", *film(20), *tone(20, rate=48_000), "-c:v", "mpeg4", "-c:a", "libopus", "-b:a", "96k", *slow
    )


def mka_ten_seconds_in_an_hour(path: Path) -> None:
    """Somebody who spoke for five seconds, was muted for an hour, without any packet, and spoke again."""
    voice = ("-f", "lavfi", "-i", "anoisesrc=duration=10:sample_rate=48000:amplitude=0.2:color=pink:seed=5")
    spoken = path.with_suffix(".spoken")
    written(spoken, "matroska", *voice, "-c:a", "libopus", "-b:a", "24k", "-cluster_time_limit", "500")
    muted = "setts=ts='TS+gt(TS,5000)*3600000'"
    ffmpeg("-i", spoken, "-c", "copy", "-bsf:a", muted, "-f", "matroska", path)
    spoken.unlink()


def mov_two_mono_tracks(path: Path) -> None:
    """A camera that keeps left and right as two tracks of one channel."""
    sounds = (*tone(3, rate=48_000), *tone(3, rate=48_000, frequency=880))
    written(path, "mov", *film(3), *sounds, *_ALL, "-c:v", "mpeg4", "-c:a", "pcm_s16le")


def mp4_elst_hole(path: Path) -> None:
    """Trimmed on a phone: the edit list plays the first second, pauses for one, and plays the third.

    The seconds are 400, 600 and 800 Hz.
    """
    steps = ("-f", "lavfi", "-i", "aevalsrc='0.3*sin(2*PI*(400+200*floor(t))*t)':duration=3:sample_rate=48000")
    content = written(path, "mov", *film(3), *steps, "-c:v", "mpeg4", "-c:a", "pcm_s16le")
    index = content.index(b"moov") - 4
    track = content.index(b"trak", content.index(b"trak") + 4) - 4
    old = content.index(b"edts", track) - 4
    edits = b"".join(struct.pack(">IiI", 1000, begin, 1 << 16) for begin in (0, -1, 96_000))
    new = box(b"edts", box(b"elst", struct.pack(">II", 0, 3), edits))
    end = old + number_at(content, old, ">I")
    for parent in (index, track):
        put(content, parent, ">I", number_at(content, parent, ">I") + len(new) - (end - old))
    path.write_bytes(content[:old] + new + content[end:])


def mp4_ac4_then_aac(path: Path) -> None:
    """The default sound is AC-4, for which there is no decoder; the second is AAC."""
    sounds = (*tone(3, rate=48_000, frequency=300), *tone(3, rate=48_000))
    encoders = ("-c:v", "mpeg4", "-c:a:0", "ac3", "-c:a:1", "aac")
    content = written(path, "mp4", *film(3), *sounds, *_ALL, *encoders)
    assert content.count(b"ac-3") == 1
    path.write_bytes(content.replace(b"ac-3", b"ac-4").replace(b"dac3", b"dac4"))


def webm_ambisonic(path: Path) -> None:
    """Sound from all around: Opus with four channels of ambisonics (mapping family 2)."""
    around = ("-f", "lavfi", "-i", "aevalsrc=0.3*sin(2*PI*440*t)|0|0|0:sample_rate=48000:duration=3")
    written(path, "webm", *around, "-c:a", "libopus", "-mapping_family", "2")


def mp3_cut_after_one_frame(path: Path) -> None:
    """Of an mp3, what tells its length and two frames: less than the encoder's delay and padding."""
    shape = ("-ac", "2", "-c:a", "libmp3lame", "-q:a", "9", "-id3v2_version", "0")
    content = written(path, "mp3", *tone(0.02, rate=24_000), *shape)
    told = max(content.find(b"Xing"), content.find(b"Info"))
    delays = told + 120 + 21
    content[delays : delays + 3] = (713 << 12 | 1500).to_bytes(3, "big")
    end = 0
    for _ in range(4):
        end += _layer3_bytes(content[end : end + 4])
    path.write_bytes(content[:end])


def _layer3_bytes(header: bytes | bytearray) -> int:
    """The size of a frame of 24 kHz: ISO/IEC 13818-3, 2.4.2.3."""
    kilobits = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)[header[2] >> 4]
    return 72 * kilobits * 1000 // 24_000 + (header[2] >> 1 & 1)


def name_not_utf8(path: Path) -> None:
    """A film whose name is in Latin-1, as on old disks: it lies beside `path`."""
    film_itself = path.with_suffix(".mp4")
    written(film_itself, "mp4", *tone(1, rate=48_000), "-c:a", "aac")
    film_itself.rename(Path(str(path.parent), b"mod\xe0.mp4".decode("utf-8", "surrogateescape")))
