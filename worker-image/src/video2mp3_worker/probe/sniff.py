"""A look at a source's bytes before any parser sees them. Pure.

It answers what ffprobe cannot: that a file is text which only points at media, that its end is missing, that its audio
is encrypted. Each gets its own sentence.
"""

import re
from dataclasses import dataclass
from typing import BinaryIO, Final

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.containers import isobmff
from video2mp3_worker.containers.declared_size import claimed_end, is_endless
from video2mp3_worker.containers.encryption import is_protected
from video2mp3_worker.ports.errors import Refused, cut_short

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


@dataclass(frozen=True)
class Seen:
    """What the bytes tell of a file that may be converted."""

    is_cut_short: bool = False
    """Whether some of its media are missing at its end."""

    is_endless: bool = False
    """Whether its header does not know how long the audio is, so that it goes on to the file's end."""


def look(file: BinaryIO, size: int, *, allow_truncated: bool = False) -> Seen:
    """Raise Refused for what can be told from the bytes alone; `allow_truncated` lets what is cut short pass."""
    if size == 0:
        raise Refused(Reason.EMPTY_SOURCE, "The file is empty.")
    file.seek(0)
    head = file.read(HEAD_BYTES)
    _refuse_text(head)
    is_cut_short = _is_cut_short(file, head, size)
    if is_cut_short and not allow_truncated:
        raise cut_short()
    if is_protected(file, head, size):
        raise Refused(Reason.ENCRYPTED, "The sound is protected by encryption (DRM) and cannot be read.")
    return Seen(is_cut_short, is_endless(file, head, size))


def _refuse_text(head: bytes) -> None:
    text = head.removeprefix(_BYTE_ORDER_MARK).lstrip()
    for pattern, what in _TEXTS:
        if pattern.match(text):
            raise Refused(Reason.NOT_MEDIA, f"The file is {what}, not audio or video; upload the media itself.")


def _is_cut_short(file: BinaryIO, head: bytes, size: int) -> bool:
    if isobmff.is_isobmff(head):
        return isobmff.is_cut_short(file, size)
    return claimed_end(file, head, size) > size
