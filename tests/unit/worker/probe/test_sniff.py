"""What the bytes alone tell."""

from io import BytesIO

import pytest

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.probe.sniff import look


def box(kind: bytes, content: bytes = b"", *, claims: int | None = None) -> bytes:
    return (claims or len(content) + 8).to_bytes(4, "big") + kind + content


def an_index(entry: bytes = b"mp4a") -> bytes:
    sample_entries = box(b"stsd", b"\0" * 8 + box(entry, b"\0" * 28))
    return box(b"moov", box(b"mvhd") + box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", sample_entries)))))


FTYP, MDAT = box(b"ftyp", b"isom\0\0\2\0"), box(b"mdat", b"sound")


@pytest.mark.parametrize(
    "content",
    [
        FTYP + an_index() + MDAT,
        FTYP + MDAT + an_index(),
        FTYP + an_index() + box(b"mdat", b"sound", claims=1) + b"",
        FTYP + an_index() + MDAT + b"junk that some program left at the end",
        FTYP + an_index() + MDAT + box(b"free", bytes(9), claims=4096),
        FTYP + MDAT + an_index() + box(b"meta", b"tags", claims=500),
        FTYP + an_index() + b"\0\0\0\0mdat to the end",
        FTYP + an_index() + b"\0\0\0\1mdat" + (21).to_bytes(8, "big") + b"sound",
        FTYP + an_index(b"enca") + an_index(b"mp4a") + MDAT,
        b"RIFF" + (4).to_bytes(4, "little") + b"WAVE",
        b"RIFF\xff\xff\xff\xffWAVE streamed",
        b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff live",
        b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x85media",
        b"ID3\x04 or anything else",
        b"short",
        b"\0" * 5000,
    ],
)
def test_what_may_be_media_passes(content: bytes) -> None:
    look(BytesIO(content), len(content))


@pytest.mark.parametrize(
    ("content", "reason", "says"),
    [
        (b"", Reason.EMPTY_SOURCE, "empty"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd", Reason.NOT_MEDIA, "m3u8 playlist"),
        (b"\xef\xbb\xbf\n #EXTM3U", Reason.NOT_MEDIA, "m3u8 playlist"),
        (b"ffconcat version 1.0\nfile other", Reason.NOT_MEDIA, "concat script"),
        (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1", Reason.NOT_MEDIA, "SDP"),
        (b'<?xml version="1.0"?>\n<MPD xmlns="x">', Reason.NOT_MEDIA, "DASH"),
        (b"<!DOCTYPE html><html>", Reason.NOT_MEDIA, "web page"),
        (FTYP + MDAT, Reason.TRUNCATED, "cut short"),
        (FTYP + an_index() + box(b"mdat", b"so", claims=500), Reason.TRUNCATED, "cut short"),
        (FTYP + MDAT + box(b"free", bytes(9), claims=4096), Reason.TRUNCATED, "source.allowTruncated"),
        (FTYP + an_index() + box(b"moof", b"half", claims=500), Reason.TRUNCATED, "cut short"),
        ((FTYP + an_index())[:-5], Reason.TRUNCATED, "cut short"),
        (b"RIFF" + (400).to_bytes(4, "little") + b"AVI ", Reason.TRUNCATED, "cut short"),
        (b"\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x41\x00half", Reason.TRUNCATED, "cut short"),
        (FTYP + an_index(b"enca") + MDAT, Reason.ENCRYPTED, "DRM"),
        (FTYP + an_index(b"drms") + MDAT, Reason.ENCRYPTED, "DRM"),
    ],
)
def test_what_cannot_be_media_is_refused(content: bytes, reason: Reason, says: str) -> None:
    with pytest.raises(Refused, match=says) as refused:
        look(BytesIO(content), len(content))

    assert refused.value.reason is reason


def test_what_is_cut_short_may_be_let_pass() -> None:
    content = FTYP + an_index() + box(b"mdat", b"so", claims=500)

    assert look(BytesIO(content), len(content), allow_truncated=True).is_cut_short


def test_a_file_of_nothing_but_boxes_keeps_nobody_busy() -> None:
    """Each level within its bounds, and all of them together ever more: it is looked at up to a limit."""

    class Counting(BytesIO):
        seeks = 0

        def seek(self, *arguments: int) -> int:
            self.seeks += 1
            return super().seek(*arguments)

    file = Counting(FTYP + box(b"moov", box(b"trak", box(b"mdia") * 600) * 600))
    look(file, len(file.getvalue()))
    assert file.seeks < 250_000
