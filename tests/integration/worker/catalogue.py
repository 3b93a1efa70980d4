"""One file for each format of container and sound that the worker is expected to read, made by ffmpeg or by hand.

Each holds the same sound: 440 Hz for a second, silence for half of one, then 1000 Hz for a second, all at a quarter of
full scale. Where the machine has no encoder, the frames are made up, and only their number and rate can be checked.
"""

import random
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

SECONDS: Final = 2.5
EDGES: Final = (0.0, 1.0, 1.5, 2.5)
"""When the sound begins and ends, in turns."""

AMPLITUDE: Final = 0.25
TONES: Final = ((440.0, 0.1, 0.9), (1000.0, 1.6, 2.4))
"""Frequency in Hz, from second, to second."""

_SOUND: Final = "if(lt(t,1),sin(2*PI*440*t),if(lt(t,1.5),0,sin(2*PI*1000*t)))"
_PICTURE: Final = ("-f", "lavfi", "-i", f"testsrc2=size=64x48:rate=25:duration={SECONDS}")

AMR_NB: Final = (b"#!AMR\n", 8000, b"\x3c", 32)
AMR_WB: Final = (b"#!AMR-WB\n", 16000, b"\x44", 61)
"""The file's mark, Hz, a frame's header byte at the highest bit rate, a frame's size in bytes: RFC 4867, section 5."""


@dataclass(frozen=True)
class Format:
    """A container with one codec in it."""

    container: str
    codec: str
    suffix: str
    options: tuple[str, ...]
    """ffmpeg's, for the output."""

    picture: str = ""
    """ffmpeg's encoder for one; "" for none."""

    rate: int = 48_000
    channels: int = 2
    off_seconds: float = 0.06
    """How far the sound may be from where it was, by what the codec puts before and after it."""

    finish: Callable[[bytes], bytes] | None = None
    """What is done by hand to the file that ffmpeg wrote."""

    made_up: tuple[bytes, int, bytes, int] | None = None
    """Frames without a meaning instead of the sound: see AMR_NB."""

    @property
    def name(self) -> str:
        return f"{self.container}, {self.codec}"

    def make(self, folder: Path) -> Path:
        """Write the file into a folder, if it is not there yet."""
        path = folder / f"{self.name.replace('/', ' ')}.{self.suffix}"
        if not path.exists():
            self._write(path)
            if self.finish:
                path.write_bytes(self.finish(path.read_bytes()))
        return path

    def _write(self, path: Path) -> None:
        picture = (*_PICTURE, "-c:v", self.picture) if self.picture else ("-vn",)
        inputs, outputs = (picture[:4], picture[4:]) if self.picture else ((), picture)
        if self.made_up:
            frames = path.with_suffix(".frames")
            frames.write_bytes(made_up_frames(*self.made_up))
            sound: tuple[str, ...] = ("-f", "amr", "-i", str(frames))
        else:
            tone = "|".join([f"{AMPLITUDE}*{_SOUND}"] * self.channels)
            sound = ("-f", "lavfi", "-i", f"aevalsrc='{tone}':s={self.rate}:d={SECONDS}")
        command = ("ffmpeg", "-nostdin", "-v", "error", "-y", *inputs, *sound, *outputs, "-strict", "-2")
        subprocess.run([*command, *self.options, str(path)], check=True, timeout=60)


def made_up_frames(mark: bytes, _rate: int, header: bytes, size: int) -> bytes:
    """Frames of 20 ms, with noise for their bits."""
    noise = random.Random(1)
    return mark + b"".join(header + noise.randbytes(size - 1) for _ in range(round(SECONDS / 0.02)))


def _with_spectral_band_replication(mp4: bytes) -> bytes:
    """Say of AAC that it is HE-AAC with an empty upper half: ISO/IEC 14496-3, 1.6.2 (AudioSpecificConfig)."""
    plain, explicit = bytes.fromhex("131056e500"), bytes.fromhex("2b11880000")
    assert mp4.count(plain) == 1
    return mp4.replace(plain, explicit)


def _pcm(container: str, suffix: str, *codecs: str) -> Iterator[Format]:
    for codec in codecs:
        yield Format(container, codec, suffix, ("-c:a", codec), off_seconds=0.002)


def _many(container: str, suffix: str, picture: str, codecs: str, *options: str) -> Iterator[Format]:
    for codec in codecs.split():
        exact = codec in ("flac", "alac", "tta", "wavpack") or codec.startswith("pcm_")
        off = 0.03 if exact else 0.06
        yield Format(container, _NAMES.get(codec, codec), suffix, ("-c:a", codec, *options), picture, off_seconds=off)


_NAMES: Final = {
    "libmp3lame": "mp3", "libopus": "opus", "libvorbis": "vorbis", "dca": "dts", "libspeex": "speex",
    "libgsm_ms": "gsm_ms", "wmav1": "wma v1", "wmav2": "wma v2",
}  # fmt: skip
"""Encoders that are not called as what they make."""

_FRAGMENTED: Final = ("-movflags", "frag_keyframe+delay_moov+default_base_moof", "-frag_duration", "400000")


def _video() -> Iterator[Format]:
    yield from _many("mp4", "mp4", "mpeg4", "aac libmp3lame ac3 eac3 libopus flac alac dca mp2")
    yield from _many("mp4 in fragments", "mp4", "mpeg4", "aac ac3 libopus", *_FRAGMENTED)
    yield from _many("m4v", "m4v", "mpeg4", "aac", "-f", "mp4")
    yield from _many("mov", "mov", "mpeg4", "aac alac pcm_s16le pcm_s16be pcm_s24le pcm_f32le adpcm_ima_qt pcm_mulaw")
    yield from _many("3gp", "3gp", "mpeg4", "aac")
    for codec, frames in (("amr-nb", AMR_NB), ("amr-wb", AMR_WB)):
        yield Format("3gp", codec, "3gp", ("-c:a", "copy"), "mpeg4", frames[1], 1, made_up=frames)
    yield from _many(
        "matroska", "mkv", "mpeg4", "aac libmp3lame mp2 ac3 eac3 dca libopus libvorbis flac alac pcm_s16le pcm_f32le"
        " wavpack truehd wmav2",
    )  # fmt: skip
    yield from _many("webm", "webm", "libvpx", "libopus libvorbis")
    yield from _many("avi", "avi", "mpeg4", "libmp3lame mp2 ac3 pcm_s16le adpcm_ms wmav2")
    yield from _many("mpeg-ts", "ts", "mpeg2video", "aac libmp3lame mp2 ac3 eac3 dca libopus s302m")
    yield replace(next(_many("mpeg-ts", "ts", "mpeg2video", "aac", "-mpegts_flags", "latm")), codec="aac in latm")
    yield from _many("mpeg-ps", "mpg", "mpeg2video", "mp2 libmp3lame ac3 dca", "-f", "vob")
    yield from _many("flv", "flv", "flv", "aac")
    yield replace(next(_many("flv", "flv", "flv", "libmp3lame")), rate=44_100)
    yield from (
        replace(found, rate=rate, channels=1)
        for found, rate in zip(_many("flv", "flv", "flv", "nellymoser libspeex"), (44_100, 16_000), strict=True)
    )
    yield from _many("asf/wmv", "wmv", "wmv2", "wmav1 wmav2 libmp3lame")
    yield from _many("mxf", "mxf", "mpeg2video", "pcm_s16le pcm_s24le")
    yield from _many("dv", "dv", "dvvideo", "pcm_s16le", "-s", "720x576", "-pix_fmt", "yuv420p")
    yield from _many("realmedia", "rm", "rv10", "ac3")
    yield from _many("wtv", "wtv", "mpeg2video", "mp2 ac3")
    yield from _many("ogg", "ogv", "libtheora", "libvorbis")


def _audio() -> Iterator[Format]:
    yield from _many("mp3", "mp3", "", "libmp3lame")
    yield from _many("mp2", "mp2", "", "mp2")
    yield from _many("m4a", "m4a", "", "aac alac")
    low = replace(next(_many("m4a", "m4a", "", "aac")), codec="he-aac", rate=24_000)
    yield replace(low, finish=_with_spectral_band_replication, off_seconds=0.1)
    yield from _many("adts", "aac", "", "aac")
    yield from _many("latm", "latm", "", "aac")
    yield from _many("flac", "flac", "", "flac")
    yield from _pcm("wav", "wav", "pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_f64le")
    yield from _many("wav", "wav", "", "pcm_alaw pcm_mulaw adpcm_ima_wav adpcm_ms")
    yield replace(next(_many("wav", "wav", "", "libgsm_ms")), rate=8_000, channels=1, off_seconds=0.2)
    yield replace(next(_many("wav", "wav", "", "g726", "-b:a", "32k")), rate=8_000, channels=1)
    yield from _pcm("voc", "voc", "pcm_s16le")
    yield from _pcm("aiff", "aiff", "pcm_s8", "pcm_s16be", "pcm_s24be", "pcm_s32be")
    yield from _pcm("w64", "w64", "pcm_s16le", "pcm_s24le")
    yield from _pcm("caf", "caf", "pcm_s16be", "pcm_s24le")
    yield from _many("caf", "caf", "", "alac")
    yield from _pcm("au", "au", "pcm_s16be", "pcm_mulaw")
    yield from _many("ogg", "ogg", "", "libopus flac")
    yield replace(next(_many("ogg", "ogg", "", "libspeex")), rate=16_000, channels=1)
    yield from _many("wma", "wma", "", "wmav1 wmav2", "-f", "asf")
    for codec, frames in (("amr-nb", AMR_NB), ("amr-wb", AMR_WB)):
        yield Format("amr", codec, "amr", ("-c:a", "copy", "-f", "amr"), "", frames[1], 1, made_up=frames)
    yield from _many("ac3", "ac3", "", "ac3")
    yield from _many("eac3", "eac3", "", "eac3")
    yield from _many("dts", "dts", "", "dca")
    yield from _many("truehd", "thd", "", "truehd", "-f", "truehd")
    yield from _many("tta", "tta", "", "tta")
    yield from _many("wavpack", "wv", "", "wavpack")


FORMATS: Final = (*_video(), *_audio())

RATES: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 88_200, 96_000, 176_400, 192_000)
"""Hz, of sources."""

LAYOUTS: Final = {
    "mono": ("FC",),
    "stereo": ("FL", "FR"),
    "3.0": ("FL", "FR", "FC"),
    "quad": ("FL", "FR", "BL", "BR"),
    "5.0": ("FL", "FR", "FC", "BL", "BR"),
    "5.1": ("FL", "FR", "FC", "LFE", "BL", "BR"),
    "6.1": ("FL", "FR", "FC", "LFE", "BC", "SL", "SR"),
    "7.1": ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR"),
}
"""ffmpeg's layouts, one for each number of channels, with the speakers in their order."""


def of_rate(rate: int) -> Format:
    """The sound at a rate in Hz."""
    return Format("wav", f"{rate} Hz", "wav", ("-c:a", "pcm_s16le"), rate=rate)


def speaker_tone(number: int) -> float:
    """The frequency in Hz that only the speaker of this number plays."""
    return 400.0 + 230.0 * number


def of_layout(layout: str, folder: Path) -> Path:
    """A second of sound in which each speaker plays a tone of its own, at a quarter of full scale."""
    path = folder / f"{layout}.wav"
    tones = "|".join(f"{AMPLITUDE}*sin(2*PI*{speaker_tone(n)}*t)" for n in range(len(LAYOUTS[layout])))
    sound = f"aevalsrc='{tones}':c={layout}:s=48000:d=1"
    command = ("ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", sound, "-c:a", "pcm_s24le", str(path))
    subprocess.run(command, check=True, timeout=60)
    return path
