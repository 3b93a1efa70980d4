"""libmp3lame, as much of it as is needed. Calls release the interpreter's lock, so that threads encode side by side.

Source: lame.h of LAME 3.100.
"""

import ctypes
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from video2mp3_worker.encoder.frames import Layout

HEADROOM: Final = 4.0
"""Samples come at a quarter of their size: decoded audio may go over full scale, and is not clipped before LAME."""

DELAY_SAMPLES: Final = 576
"""LAME's own delay, as it stands in the Info frame (`ENCDELAY`)."""

_LIBRARY: Final = "libmp3lame.so.0"
_JOINT_STEREO, _MONO = 1, 3
_VBR_MTRH: Final = 4
DEFAULT_QUALITY: Final = 3
"""LAME's own `quality`, which stays as it is (lame.h, `lame_set_quality`). See ADR 14."""

_FLUSH_BYTES: Final = 7200
_BLOCK_FRAMES: Final = 48
"""Encoded by one call."""


@dataclass(frozen=True)
class Quality:
    """How to encode: LAME's V-level (0 to 9), or a constant bit rate in kbit/s; exactly one of them."""

    level: int | None = None
    bit_rate: int | None = None


def load() -> ctypes.CDLL:
    """Load the library. Raises OSError when it is not installed."""
    library = ctypes.CDLL(_LIBRARY)
    library.lame_init.restype = ctypes.c_void_p
    library.get_lame_short_version.restype = ctypes.c_char_p
    return library


class _Symbol(ctypes.Structure):
    """`Dl_info` of dlfcn.h."""

    _fields_ = (
        ("file", ctypes.c_char_p),
        ("base", ctypes.c_void_p),
        ("name", ctypes.c_char_p),
        ("address", ctypes.c_void_p),
    )


def build(library: ctypes.CDLL) -> str:
    """Tells the library from other builds of LAME, which make other bytes of the same audio: a checksum of its file.

    The loader takes the one for the processor it runs on. Raises OSError when its file cannot be read.
    """
    found = _Symbol()
    address = ctypes.cast(library.lame_init, ctypes.c_void_p)
    if not ctypes.CDLL(None).dladdr(address, ctypes.byref(found)):
        raise OSError(f"{_LIBRARY} is in no file")
    return f"{zlib.crc32(Path(os.fsdecode(found.file)).read_bytes()):08x}"


class LameError(Exception):
    """LAME refused."""


class Lame:
    """Encodes pieces of a stream, each from scratch. May be used by many threads at once."""

    def __init__(self, library: ctypes.CDLL, layout: Layout, quality: Quality) -> None:
        self._library = library
        self._layout = layout
        self._quality = quality
        self.version = library.get_lame_short_version().decode()

    def lowpass(self) -> int:
        """The frequency in Hz above which LAME cuts; 0 when it does not."""
        with self._configured(reservoir=True) as handle:
            return max(int(self._library.lame_get_lowpassfreq(handle)), 0)

    def encode(self, samples: bytearray, first: int = 0, *, reservoir: bool) -> bytes:
        """Encode interleaved signed 32-bit samples from byte `first` on, to the end; answer whole frames."""
        with self._configured(reservoir=reservoir) as handle:
            return self._encoded(handle, samples, first)

    @contextmanager
    def _configured(self, *, reservoir: bool) -> Iterator[ctypes.c_void_p]:
        handle = ctypes.c_void_p(self._library.lame_init())
        if not handle:
            raise LameError("no memory for LAME")
        try:
            self._configure(handle, reservoir=reservoir)
            yield handle
        finally:
            self._library.lame_close(handle)

    def _configure(self, handle: ctypes.c_void_p, *, reservoir: bool) -> None:
        wanted: dict[str, Any] = {
            "lame_set_num_channels": self._layout.channels,
            "lame_set_in_samplerate": self._layout.sample_rate,
            "lame_set_out_samplerate": self._layout.sample_rate,
            "lame_set_mode": _MONO if self._layout.channels == 1 else _JOINT_STEREO,
            "lame_set_bWriteVbrTag": 0,
            "lame_set_disable_reservoir": int(not reservoir),
            # Not `lame_set_scale`: with a variable bit rate that moves the threshold of hearing as well. Of one channel
            # LAME takes the left's.
            "lame_set_scale_left": ctypes.c_float(HEADROOM),
            "lame_set_scale_right": ctypes.c_float(HEADROOM),
        }
        if self._quality.bit_rate is None:
            wanted |= {
                "lame_set_VBR": _VBR_MTRH,
                "lame_set_VBR_quality": ctypes.c_float(self._quality.level or 0),
            }
        else:
            wanted |= {"lame_set_brate": self._quality.bit_rate}
        for name, value in wanted.items():
            if getattr(self._library, name)(handle, value) < 0:
                raise LameError(f"{name} refused {value}")
        if self._library.lame_init_params(handle) < 0:
            raise LameError("LAME refused its parameters")

    def _encoded(self, handle: ctypes.c_void_p, samples: bytearray, first: int) -> bytes:
        channels = self._layout.channels
        count = (len(samples) - first) // (4 * channels)
        step = _BLOCK_FRAMES * self._layout.samples
        room = ctypes.create_string_buffer(step * 5 // 4 + _FLUSH_BYTES)
        address = ctypes.addressof((ctypes.c_char * len(samples)).from_buffer(samples)) + first
        parts = []
        for start in range(0, count, step):
            taken = min(step, count - start)
            left = ctypes.c_void_p(address + start * 4 * channels)
            if channels == 1:
                size = self._library.lame_encode_buffer_int(handle, left, left, taken, room, len(room))
            else:
                size = self._library.lame_encode_buffer_interleaved_int(handle, left, taken, room, len(room))
            parts.append(_taken(room, size))
        parts.append(_taken(room, self._library.lame_encode_flush(handle, room, len(room))))
        return b"".join(parts)


def _taken(room: "ctypes.Array[ctypes.c_char]", size: int) -> bytes:
    if size < 0:
        raise LameError(f"LAME could not encode ({size})")
    return ctypes.string_at(room, size)
