"""A look at a source's bytes before any parser sees them. Pure.

It answers what ffprobe cannot: that a file is text which only points at media, that its end is missing, that its sound
is encrypted. Each gets its own sentence.
"""

import re
from typing import BinaryIO, Final

from video2mp3_contracts.reasons import Reason
from video2mp3_worker import isobmff
from video2mp3_worker.errors import Refused

HEAD_BYTES: Final = 4096

_TEXTS: Final = (
    (re.compile(rb"#EXTM3U"), "an m3u8 playlist"),
    (re.compile(rb"ffconcat version"), "a concat script"),
    (re.compile(rb"v=0\r?\no="), "a session description (SDP)"),
    (re.compile(rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<MPD", re.DOTALL), "a DASH manifest"),
    (re.compile(rb"(<\?xml[^>]*>\s*)?<SmoothStreamingMedia", re.DOTALL), "a Smooth Streaming manifest"),
    (re.compile(rb"\[playlist\]", re.IGNORECASE), "a pls playlist"),
    (re.compile(rb"\[Reference\]|<asx", re.IGNORECASE), "an asx playlist"),
    (re.compile(rb"<(!doctype )?html|<head|<body", re.IGNORECASE), "a web page"),
    (re.compile(rb"\{\\rtf|%PDF-|PK\x03\x04|Rar!|7z\xbc\xaf|\x1f\x8b"), "a document or an archive"),
)
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_STREAMED_RIFF = 0xFFFFFF00
_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = b"\x18\x53\x80\x67"


def look(file: BinaryIO, size: int) -> None:
    """Raise Refused for what can be told from the bytes alone."""
    if size == 0:
        raise Refused(Reason.EMPTY_SOURCE, "The file is empty.")
    file.seek(0)
    head = file.read(HEAD_BYTES)
    _refuse_text(head)
    if _is_cut_short(file, head, size):
        raise Refused(Reason.TRUNCATED, "The file ends before its media does; the upload was probably cut short.")
    if isobmff.is_isobmff(head):
        _refuse_protected(file, size)


def _refuse_text(head: bytes) -> None:
    text = head.removeprefix(_BYTE_ORDER_MARK).lstrip()
    for pattern, what in _TEXTS:
        if pattern.match(text):
            raise Refused(Reason.NOT_MEDIA, f"The file is {what}, not audio or video; upload the media itself.")


def _is_cut_short(file: BinaryIO, head: bytes, size: int) -> bool:
    if isobmff.is_isobmff(head):
        return isobmff.is_cut_short(file, size)
    if head[:4] == b"RIFF" and len(head) >= 8:
        claimed = int.from_bytes(head[4:8], "little")
        return 0 < claimed < _STREAMED_RIFF and claimed + 8 > size
    if head[:4] == _EBML:
        return _segment_end(head) > size
    return False


def _segment_end(head: bytes) -> int:
    """Where a Matroska file claims to end (RFC 8794, 4.4; RFC 9559, 4.5); 0 where it does not say."""
    start = head.find(_SEGMENT) + len(_SEGMENT)
    if start < len(_SEGMENT) or not head[start : start + 1].strip(b"\0"):
        return 0
    length = 9 - head[start].bit_length()
    unknown = (1 << 7 * length) - 1
    value = int.from_bytes(head[start : start + length], "big") & unknown
    return 0 if value == unknown else start + length + value


def _refuse_protected(file: BinaryIO, size: int) -> None:
    entries = set(isobmff.sample_entries(file, size))
    if entries & isobmff.PROTECTED_AUDIO and b"mp4a" not in entries:
        raise Refused(Reason.ENCRYPTED, "The sound is protected by encryption (DRM) and cannot be read.")
