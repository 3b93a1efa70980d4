"""What people call the formats that are refused, by the names of ffmpeg's demuxers. Pure."""

from typing import Final

_NAMES: Final = {
    "ass": "subtitles (SubStation Alpha)",
    "srt": "subtitles (SubRip)",
    "webvtt": "subtitles (WebVTT)",
    "microdvd": "subtitles (MicroDVD)",
    "subviewer": "subtitles (SubViewer)",
    "sami": "subtitles (SAMI)",
    "vobsub": "subtitles (VobSub)",
    "sup": "subtitles (PGS)",
    "lrc": "song lyrics (LRC)",
    "ffmetadata": "metadata of ffmpeg",
    "concat": "a concat script, which only points at other files",
    "hls": "an m3u8 playlist, which only points at other files",
    "dash": "a DASH manifest, which only points at other files",
    "imf": "an IMF package's list, which only points at other files",
    "sdp": "a session description (SDP), which only points at an address",
    "gif": "a picture (GIF)",
    "apng": "a picture (APNG)",
    "image2": "a picture",
    "ico": "an icon",
    "h263": "a film without sound (H.263)",
    "h264": "a film without sound (H.264)",
    "hevc": "a film without sound (H.265)",
    "mpegvideo": "a film without sound (MPEG)",
    "m4v": "a film without sound (MPEG-4)",
    "mjpeg": "a film without sound (Motion JPEG)",
    "ivf": "a film without sound (IVF)",
    "yuv4mpegpipe": "a film without sound (YUV4MPEG)",
    "tty": "a text",
    "nut": "NUT",
    "gxf": "GXF",
    "mpc": "Musepack",
    "mpc8": "Musepack",
    "dsf": "DSD",
    "iff": "IFF (8SVX or DSDIFF)",
    "tak": "TAK",
    "shn": "Shorten",
    "oma": "OpenMG (ATRAC)",
    "aea": "ATRAC of a MiniDisc",
    "qcp": "QCP",
    "sox": "SoX's own format",
    "nist": "NIST SPHERE",
    "ircam": "IRCAM",
    "xmv": "XMV",
    "bink": "Bink",
    "smk": "Smacker",
    "roq": "RoQ",
    "swf": "Flash (SWF)",
    "nsv": "Nullsoft Video",
    "vivo": "VivoActive",
    "rl2": "RL2",
    "tedcaptions": "subtitles (TED)",
    "libopenmpt": "a tracker module",
    "libgme": "music of a game console",
}
_PIPE: Final = "_pipe"
"""So end the names for single pictures."""


def name_of(demuxer: str) -> str:
    """A name that stands after "The file looks like"."""
    if demuxer.endswith(_PIPE):
        return f"a picture ({demuxer.removesuffix(_PIPE).upper()})"
    known = next((_NAMES[name] for name in demuxer.split(",") if name in _NAMES), None)
    return known or f"a rare format (ffmpeg calls it {demuxer})"
