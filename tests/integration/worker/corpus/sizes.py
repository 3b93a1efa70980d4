"""Files whose headers claim more than is there, since their writers could not know, or never came back to say."""

import math
import struct
from array import array
from pathlib import Path

from tests.integration.worker.corpus.making import chunk, film, number_at, put, tone, written


def _sine(seconds: float, rate: int, channels: int, order: str) -> bytes:
    """440 Hz in 16 bits; `order` as in `struct`."""
    count = round(seconds * rate)
    heights = [round(9000 * math.sin(math.tau * 440 * n / rate)) for n in range(count)]
    samples = array("h", [height for height in heights for _ in range(channels)])
    return struct.pack(f"{order}{len(samples)}h", *samples)


def _wav(samples: bytes, rate: int, channels: int, bits: int, claims: tuple[int, int]) -> bytes:
    """A wav that claims sizes of its own: of the whole, and of the samples."""
    width = channels * bits // 8
    form = chunk(b"fmt ", struct.pack("<HHIIHH", 1, channels, rate, rate * width, width, bits))
    return chunk(b"RIFF", b"WAVE" + form + chunk(b"data", samples, claims=claims[1]), claims=claims[0])


def wav_sox_pipe(path: Path) -> None:
    """SoX into a pipe: it claims as much as a player that counts with a sign can take."""
    path.write_bytes(_wav(_sine(3, 44_100, 2, "<"), 44_100, 2, 16, (0x7FFFF024, 0x7FFFF000)))


def wav_arecord(path: Path) -> None:
    """ALSA's arecord into a pipe."""
    path.write_bytes(_wav(_sine(3, 48_000, 1, "<"), 48_000, 1, 16, (0x80000024, 0x80000000)))


def wav_zero(path: Path) -> None:
    """A recorder that crashed before it came back to fill in the sizes."""
    path.write_bytes(_wav(_sine(3, 48_000, 1, "<"), 48_000, 1, 16, (0, 0)))


def wav_all_ones(path: Path) -> None:
    """As ffmpeg and GStreamer write into a pipe."""
    path.write_bytes(_wav(_sine(3, 48_000, 1, "<"), 48_000, 1, 16, (2**32 - 1, 2**32 - 1)))


def wav_odd_pad(path: Path) -> None:
    """An odd number of bytes: the whole's size counts a byte of padding that nobody wrote."""
    samples = bytes(128 + round(60 * math.sin(math.tau * 440 * n / 8000)) for n in range(24_001))
    path.write_bytes(_wav(samples, 8000, 1, 8, (36 + len(samples) + 1, len(samples))))


def aiff_sox_pipe(path: Path) -> None:
    """SoX into a pipe: the count of samples, the sound's chunk and the whole are all made up."""
    rate = struct.pack(">HQ", 16_383 + 15, 44_100 << 48)
    common = chunk(b"COMM", struct.pack(">hIh", 2, 0x1FC00000, 16) + rate, order=">")
    sound = chunk(b"SSND", bytes(8) + _sine(3, 44_100, 2, ">"), claims=0x7F000008, order=">")
    path.write_bytes(chunk(b"FORM", b"AIFF" + common + sound, claims=0x7F000050, order=">"))


def mp4_trailing_free_cut(path: Path) -> None:
    """Sound and index are whole; of the padding at the very end, only a little was written."""
    content = written(path, "mp4", *film(3), *tone(3, rate=48_000), "-c:v", "mpeg4", "-c:a", "aac")
    path.write_bytes(content + struct.pack(">I4s", 4096, b"free") + bytes(92))


def avi_crash_1gb(path: Path) -> None:
    """A recorder that reserved two gigabytes in the headers first, and crashed before the index."""
    content = written(path, "avi", *film(3), *tone(3, rate=44_100), "-c:v", "mpeg4", "-c:a", "pcm_s16le")
    del content[content.rindex(b"idx1") :]
    put(content, 4, "<I", 0x7FFFFFFF)
    put(content, content.index(b"movi") - 4, "<I", 0x7FFFFF00)
    path.write_bytes(content)


def asf_live_size(path: Path) -> None:
    """Saved from a live stream, until somebody stopped it: the data claim to go on."""
    content = written(path, "asf", *film(3), *tone(3, rate=44_100), "-c:v", "wmv2", "-c:a", "wmav2")
    size = number_at(content, 16, "<Q") + 16
    put(content, size, "<Q", number_at(content, size, "<Q") + 100_000)
    path.write_bytes(content)


def fmp4_last_fragment_cut(path: Path) -> None:
    """A screen recorder in fragments, and then a power cut: the last fragment has but its first bytes."""
    flags = ("-movflags", "frag_keyframe+empty_moov+default_base_moof")
    encoders = ("-c:v", "mpeg4", "-g", "25", "-c:a", "aac")
    content = written(path, "mp4", *film(8), *tone(8, rate=48_000), *encoders, *flags)
    path.write_bytes(content[: content.rindex(b"mdat") + 200])
