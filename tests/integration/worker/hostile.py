"""Files that cannot become an mp3, each broken or made to do harm in its own way."""

import random
import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.integration.worker.catalogue import FORMATS
from video2mp3_contracts.api.reasons import Reason

ADDRESS: Final = "127.0.0.1:{port}"
"""Of a server that must never hear of anybody: stands in the files that name an address."""

Make = Callable[[Path], bytes]


@dataclass(frozen=True)
class Hostile:
    """A file, and why it is refused."""

    what: str
    """In words that tell it from the others, as they stand in docs/formats.md."""

    reason: Reason
    make: Make


def of(name: str) -> Make:
    """A format of the catalogue."""
    (found,) = [wanted for wanted in FORMATS if wanted.name == name]
    return lambda folder: found.make(folder).read_bytes()


def half(name: str) -> Hostile:
    """The first half of a format's file."""
    whole = of(name)

    def make(folder: Path) -> bytes:
        content = whole(folder)
        return content[: len(content) // 2]

    return Hostile(f"half of a file ({name.partition(',')[0]})", Reason.TRUNCATED, make)


def _text(what: str, content: str) -> Hostile:
    return Hostile(what, Reason.NOT_MEDIA, lambda _folder: content.encode())


def _bytes(what: str, reason: Reason, content: bytes) -> Hostile:
    return Hostile(what, reason, lambda _folder: content)


def box(kind: bytes, *contents: bytes) -> bytes:
    """A box of an mp4."""
    content = b"".join(contents)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def changed(name: str, old: bytes, new: bytes) -> Make:
    """A format with some bytes replaced by as many others, wherever they are."""

    def make(folder: Path) -> bytes:
        content = of(name)(folder)
        assert old in content
        assert len(old) == len(new)
        return content.replace(old, new)

    return make


def ffmpeg(suffix: str, *options: str) -> Make:
    """What ffmpeg makes of options."""

    def make(folder: Path) -> bytes:
        path = folder / f"made.{suffix}"
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *options, str(path)], check=True, timeout=60)
        return path.read_bytes()

    return make


def a_wav(rate: int, channels: int, size: int = 48_000) -> bytes:
    """8-bit sound of a rate and channels that the header takes."""
    form = struct.pack("<HHIIHH", 1, channels, rate, rate * channels % 2**32, channels, 8)
    chunks = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", size) + bytes(size)
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def element(kind: str, content: bytes) -> bytes:
    """An element of Matroska, its size in eight bytes."""
    return bytes.fromhex(kind) + b"\1" + len(content).to_bytes(7, "big") + content


def matroska(*tracks: bytes, clusters: bytes = b"") -> bytes:
    """A Matroska file by hand."""
    header = element("1a45dfa3", element("4282", b"matroska"))
    return header + element("18538067", element("1654ae6b", b"".join(tracks)) + clusters)


def _a_matroska_track(*more: bytes) -> bytes:
    audio = element("e1", element("b5", struct.pack(">d", 8000.0)) + element("9f", b"\1") + element("6264", b"\x10"))
    parts = (element("d7", b"\1"), element("83", b"\2"), element("86", b"A_PCM/INT/LIT"), audio, *more)
    return element("ae", b"".join(parts))


def _a_cluster(blocks: int) -> bytes:
    return element("1f43b675", element("e7", b"\0") + element("a3", b"\x81\0\0\x80" + bytes(160)) * blocks)


def _encrypted_matroska(_folder: Path) -> bytes:
    encryption = element("6d80", element("6240", element("5033", b"\1") + element("5035", element("47e1", b"\5"))))
    return matroska(_a_matroska_track(encryption), clusters=_a_cluster(50))


def _scrambled_ts(folder: Path) -> bytes:
    content = bytearray(of("mpeg-ts, mp2")(folder))
    for start in range(0, len(content), 188):
        # Tables stay readable, as they are in broadcasts.
        if content[start + 1] & 0x1F:
            content[start + 3] |= 0x80
    return bytes(content)


def _drm_wma(folder: Path) -> bytes:
    content = of("wma, wma v2")(folder)
    drm = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e") + struct.pack("<Q", 40) + bytes(16)
    size, count = struct.unpack_from("<QI", content, 16)
    return content[:16] + struct.pack("<QI", size + 40, count + 1) + content[28:30] + drm + content[30:]


def a_movie(
    *, entry: bytes = b"sowt", rate: int = 8000, samples: int = 8000, each: int = 2, references: bytes = b""
) -> bytes:
    """A mov by hand: one track of uncompressed sound, as many samples as its tables say, one chunk."""

    def full(kind: bytes, *numbers: int, head: int = 0) -> bytes:
        return box(kind, struct.pack(f">I{len(numbers)}I", head, *(number % 2**32 for number in numbers)))

    sound = struct.pack(">6xH8xHHHHI", 1, 1, 16, 0, 0, (rate << 16) % 2**32)
    tables = (
        box(b"stsd", struct.pack(">II", 0, 1), box(entry, sound)),
        full(b"stts", 1, samples, 1),
        full(b"stsc", 1, 1, samples, 1),
        full(b"stsz", each, samples),
        full(b"stco", 1, 40),
    )
    header = full(b"mdhd", 0, 0, rate, samples, 0)
    handler = box(b"hdlr", struct.pack(">II4s12x", 0, 0, b"soun"), b"\0")
    track = box(b"trak", box(b"mdia", header, handler, box(b"minf", references, box(b"stbl", *tables))))
    ftyp, media = box(b"ftyp", b"qt  ", bytes(4), b"qt  "), box(b"mdat", bytes(16_016))
    return ftyp + media + box(b"moov", full(b"mvhd", 0, 0, rate, samples), track)


def _zipped_index() -> bytes:
    """A compressed index (cmov) that is 300 MB when it is unpacked."""
    packed = zlib.compress(bytes(300_000_000), 9)
    header = box(b"dcom", b"zlib")
    return box(b"ftyp", b"qt  ", bytes(4)) + box(
        b"moov", box(b"cmov", header, box(b"cmvd", struct.pack(">I", 300_000_000), packed))
    )


def _nested(depth: int) -> bytes:
    sizes = range(8 * depth, 0, -8)
    return box(b"ftyp", b"isom", bytes(4)) + b"".join(struct.pack(">I4s", size, b"moov") for size in sizes)


_TONE: Final = ("-f", "lavfi", "-i", "sine=duration=1:sample_rate=8000")
_PICTURE: Final = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=5:duration=1")
_LATE: Final = "asetpts='PTS+gt(N,5)*96000/TB'"
_PLAYLIST: Final = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nhttp://{ADDRESS}/a.ts\n#EXT-X-ENDLIST\n"
_MANIFEST: Final = (
    f'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>http://{ADDRESS}/</BaseURL></MPD>'
)
_CENC: Final = ("-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "0" * 31 + "1", "-encryption_kid", "2" * 32)

NOT_MEDIA: Final = (
    _bytes("noise", Reason.NOT_MEDIA, random.Random(1).randbytes(50_000)),
    _bytes("a megabyte of noughts", Reason.NOT_MEDIA, bytes(1_000_000)),
    _text("a letter", "Dear diary, " * 100),
    _text("a web page", "<!DOCTYPE html><html><body>404</body></html>"),
    _text("a playlist (m3u8)", _PLAYLIST),
    _text("a playlist (pls)", f"[playlist]\nFile1=http://{ADDRESS}/a.mp3\nNumberOfEntries=1\n"),
    _text("a playlist (asx)", f'<asx version="3.0"><entry><ref href="http://{ADDRESS}/a.wma"/></entry></asx>'),
    _text("a script (ffconcat)", "ffconcat version 1.0\nfile neighbour.wav\n"),
    _text("a session description (SDP)", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nt=0 0\nm=audio 5004 RTP/AVP 0\n"),
    _text("a manifest (DASH)", _MANIFEST),
    _text("subtitles (SRT)", "1\n00:00:00,000 --> 00:00:10,000\nneighbour.wav\n"),
    _text("subtitles (WebVTT)", "WEBVTT\n\n00:00.000 --> 00:10.000\nneighbour.wav\n"),
    _text("a drawing (SVG)", '<svg xmlns="http://www.w3.org/2000/svg"><image href="neighbour.wav"/></svg>'),
    _text("metadata of ffmpeg", ";FFMETADATA1\ntitle=neighbour.wav\n"),
    _bytes("a PDF", Reason.NOT_MEDIA, b"%PDF-1.7\n" + bytes(1000)),
    _bytes("a ZIP archive", Reason.NOT_MEDIA, b"PK\3\4" + bytes(1000)),
    Hostile("a picture (PNG)", Reason.NOT_MEDIA, ffmpeg("png", *_PICTURE, "-frames:v", "1")),
    Hostile("a picture (JPEG)", Reason.NOT_MEDIA, ffmpeg("jpg", *_PICTURE, "-frames:v", "1")),
    Hostile("a picture (GIF)", Reason.NOT_MEDIA, ffmpeg("gif", *_PICTURE)),
    _bytes("an mp4 of nothing but nested boxes", Reason.NOT_MEDIA, _nested(100_000)),
)

ENCRYPTED: Final = (
    Hostile("an mp4 with Common Encryption", Reason.ENCRYPTED, ffmpeg("mp4", *_TONE, "-c:a", "aac", *_CENC)),
    Hostile("a song with FairPlay", Reason.ENCRYPTED, changed("m4a, aac", b"mp4a", b"drms")),
    Hostile("Matroska with encrypted sound", Reason.ENCRYPTED, _encrypted_matroska),
    Hostile("Windows Media with DRM", Reason.ENCRYPTED, _drm_wma),
    Hostile("a scrambled broadcast (mpeg-ts)", Reason.ENCRYPTED, _scrambled_ts),
)

LIMITS: Final = (
    Hostile(
        "a film of 65 audio tracks",
        Reason.LIMIT_EXCEEDED,
        ffmpeg("mkv", *_TONE, *(["-map", "0:a"] * 65), "-c:a", "pcm_s16le"),
    ),
    _bytes("a sound of 16 channels", Reason.LIMIT_EXCEEDED, a_wav(8000, 16)),
    _bytes("a sound of 1 Hz", Reason.LIMIT_EXCEEDED, a_wav(1, 1)),
    _bytes("a sound of 2 GHz", Reason.LIMIT_EXCEEDED, a_wav(2**31 - 1, 1)),
    Hostile(
        "a second of sound with a pause of a day",
        Reason.TOO_LONG,
        ffmpeg("mkv", *_TONE, "-c:a", "pcm_s16le", "-af", _LATE),
    ),
    _bytes("a mov that counts two thousand million samples", Reason.TRUNCATED, a_movie(samples=2**31 - 1)),
    _bytes("a mov that plays the same byte for hours", Reason.LIMIT_EXCEEDED, a_movie(samples=8000 * 7200, each=0)),
    Hostile("a mov with an index of 300 MB, compressed", Reason.LIMIT_EXCEEDED, lambda _folder: _zipped_index()),
    _bytes("a mov of 1 Hz", Reason.LIMIT_EXCEEDED, a_movie(rate=1)),
)

_HALVES: Final = (
    "mp4, aac", "mp4 in fragments, aac", "mov, pcm_s16le", "3gp, aac", "m4a, alac", "matroska, opus", "webm, vorbis",
    "avi, mp3", "asf/wmv, wma v2", "wav, pcm_s16le", "aiff, pcm_s16be", "w64, pcm_s16le", "caf, pcm_s16be",
    "au, pcm_s16be", "flac, flac", "wavpack, wavpack", "tta, tta",
)  # fmt: skip
"""Formats that say how long they are. The others end where they end."""

OTHERS: Final = (
    _bytes("an empty file", Reason.EMPTY_SOURCE, b""),
    Hostile("a film without sound", Reason.NO_AUDIO, ffmpeg("mp4", *_PICTURE)),
    *map(half, _HALVES),
)

HOSTILE: Final = (*OTHERS, *NOT_MEDIA, *ENCRYPTED, *LIMITS)
