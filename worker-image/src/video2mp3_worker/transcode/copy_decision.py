"""Whether audio that is an mp3 already is the one that was asked for, so that its frames can be passed on. Pure.

To encode an mp3 again costs quality, however it is done, and most of the time. So it is done only where something is to
change. A constant bit rate is one that all frames have. A V-level asks for a quality at the smallest size: no encoder
gets quality back that is lost, so an mp3 that is not larger than that level makes them is what was asked for.
"""

from typing import Final

from video2mp3_contracts.api.output import Encoding, Output
from video2mp3_worker.encoder.frame_copy import Copied
from video2mp3_worker.probe.media import AudioTrack
from video2mp3_worker.transcode.timing import GAP_SECONDS

_KBIT_OF_LEVEL: Final = (245, 225, 190, 175, 165, 130, 115, 100, 85, 65)
"""What LAME's levels V0 to V9 give on average for stereo at 44.1 kHz (lame(1), "VBR quality settings")."""

_FULL_RATE: Final = 44_100


def may_be_copied(track: AudioTrack, output: Output, sample_rate: int, channels: int, lead_seconds: float) -> bool:
    """Whether nothing is to be done to a track but, perhaps, to bring it to another bit rate.

    `lead_seconds` of silence would stand before it.
    """
    is_whole = output.trim is None or output.trim.is_all
    is_same = (track.sample_rate, track.channels) == (sample_rate, channels)
    is_in_time = lead_seconds <= GAP_SECONDS
    is_as_loud = output.loudness is None or output.loudness.mode == "measureOnly"
    is_plain = track.codec == "mp3" and not track.segments
    return is_plain and is_same and is_whole and is_in_time and is_as_loud


def difference(found: Copied, wanted: Encoding, sample_rate: int, channels: int) -> str:
    """What of the encoding is not as it is wanted, in words that follow "since"; empty where nothing is."""
    if wanted.cbr is not None:
        return "" if found.bit_rate == wanted.cbr else f"not all of its frames have {wanted.cbr} kbit/s"
    level = wanted.vbr or 0
    if found.level is not None and found.level >= level:
        return ""
    most = usual_kbit(level, sample_rate, channels)
    if found.average <= most:
        return ""
    return f"it has {found.average:.0f} kbit/s, and V{level} gives {most:.0f}"


def usual_kbit(level: int, sample_rate: int, channels: int) -> float:
    """kbit/s on average of a V-level."""
    return _KBIT_OF_LEVEL[level] * min(sample_rate / _FULL_RATE, 1.0) * channels / 2


def in_words(found: Copied) -> str:
    """How the frames are encoded, for people."""
    if found.bit_rate is not None:
        return f"CBR {found.bit_rate} kbit/s"
    return f"VBR {found.average:.0f} kbit/s" if found.level is None else f"VBR V{found.level}"
