"""The formats and codecs that ffmpeg may touch. Everything else is refused before a line of its parser runs.

Formats are names of ffmpeg's demuxers, codecs are names of its decoders. There are no playlists, no manifests, no
scripts, no image sequences and no network protocols among them: what names another file or address is not media here.
"""

from typing import Final

PROTOCOLS: Final = ("file",)

COMING_PROTOCOL: Final = "subfile"
"""A stretch of a file; only for a source that is still being fetched."""

FORMATS: Final = (
    "mov", "matroska", "webm", "avi", "mpegts", "mpeg", "flv", "asf", "ogg", "mp3", "aac", "loas", "ac3", "eac3", "dts",
    "dtshd", "truehd", "mlp", "flac", "wav", "w64", "aiff", "caf", "au", "amr", "wv", "tta", "ape", "mxf", "dv", "rm",
    "wtv", "voc",
)  # fmt: skip

AUDIO_CODECS: Final = (
    "aac", "aac_latm", "mp3float", "mp3", "mp2float", "mp2", "mp1float", "mp1", "ac3", "eac3", "dca", "truehd",
    "mlp", "opus", "libopus", "vorbis", "libvorbis", "flac", "alac", "wavpack", "tta", "ape", "amrnb", "amrwb",
    "wmav1", "wmav2", "wmapro", "wmavoice", "wmalossless", "nellymoser", "speex", "libspeex", "gsm", "gsm_ms",
    "qdm2", "qdmc", "adpcm_ima_qt", "adpcm_ima_wav", "adpcm_ima_amv", "adpcm_ms", "adpcm_swf", "adpcm_yamaha",
    "adpcm_ct", "adpcm_sbpro_2", "adpcm_sbpro_3", "adpcm_sbpro_4", "g722", "g726", "g726le", "cook", "sipr",
    "atrac3", "real_144", "real_288", "s302m", "pcm_alaw", "pcm_mulaw", "pcm_u8", "pcm_s8", "pcm_s16le",
    "pcm_s16be", "pcm_u16le", "pcm_u16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le",
    "pcm_f32be", "pcm_f64le", "pcm_f64be", "pcm_s16le_planar", "pcm_s24le_planar", "pcm_s32le_planar", "pcm_bluray",
    "pcm_dvd",
)  # fmt: skip

DECODER_OF_CODEC: Final = {
    "dts": "dca", "amr_nb": "amrnb", "amr_wb": "amrwb", "adpcm_g722": "g722", "adpcm_g726": "g726",
    "adpcm_g726le": "g726le", "ra_144": "real_144", "ra_288": "real_288",
}  # fmt: skip
"""Where ffmpeg's decoder is not called as its codec, which is what a file is said to hold."""


CHOSEN_DECODERS: Final = {"speex": "libspeex"}
"""Where ffmpeg's own choice is not the right one: its decoder of Speex gives twice as many samples as there are of
wideband speech in Ogg (seen with 7.1.5; 5.1 was right)."""


def is_decodable(codec: str) -> bool:
    """Whether audio in a codec of this name can be read."""
    return DECODER_OF_CODEC.get(codec, codec) in AUDIO_CODECS


NAMED_ONLY_CODECS: Final = (
    "h264", "hevc", "mpeg4", "mpeg2video", "mpeg1video", "vp8", "libvpx", "vp9", "libvpx-vp9", "libdav1d", "av1",
    "libaom-av1", "vc1", "wmv1", "wmv2", "wmv3", "msmpeg4", "msmpeg4v1", "msmpeg4v2", "flv", "h263", "h263p",
    "svq1", "svq3", "vp6", "vp6f", "vp6a", "theora", "mjpeg", "png", "bmp", "gif", "webp", "dvvideo", "prores",
    "dnxhd", "rpza", "cinepak", "rawvideo", "vvc", "amv", "rv10", "rv20", "rv30", "rv40", "mov_text", "srt",
    "subrip", "ass", "ssa", "webvtt", "pgssub", "dvbsub", "dvdsub", "xsub", "text", "libzvbi_teletextdec", "cc_dec",
)  # fmt: skip
"""Decoders of pictures and subtitles that ffprobe may set up, but never feed: it leaves when it cannot set one up."""
