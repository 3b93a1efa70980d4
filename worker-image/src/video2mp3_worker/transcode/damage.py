"""What ffmpeg complained of while it went on, as a count. Pure.

Its own words stay out of what people are told: they may hold words of the file's own, and nobody understands them. The
lines are those of ffmpeg 5 ("Error while decoding stream"), of ffmpeg 7 ("Error submitting packet to decoder"), and of
demuxers and decoders, which put their name and an address in front.
"""

import re
from collections.abc import Iterator
from typing import Final

from video2mp3_worker.probe.whitelists import AUDIO_CODECS, FORMATS

_UNDECODED: Final = re.compile(
    rb"Error while decoding stream #\d+:\d+: "
    rb"|(\[[^\]]{1,80}\] ){1,2}(Error submitting packet to decoder|Decoding error): "
)
_READERS: Final = "|".join((*FORMATS, *AUDIO_CODECS))
_OF_A_READER: Final = re.compile(
    rf"\[(in#\d+/)?({_READERS})(,[a-z0-9_,]{{,80}})? @ 0x[0-9a-f]+\] (?!Codec \()".encode()
)
"""But for what it says of the pictures' decoders, which it may not have."""
_LEFT_OUT: Final = re.compile(rb"(\d{1,9}\.\d{6})$")
"""A gap that was not filled, in seconds: see `synchronising.forwards`."""

_REPEATED: Final = re.compile(rb" +Last message repeated (\d{1,9}) times")
_MOST_GAPS: Final = 1_000
_LONGEST_LINE: Final = 4_096


class Damage:
    """Reads ffmpeg's standard error as it comes, in pieces of any size."""

    def __init__(self) -> None:
        self.undecoded = 0
        """Packets of audio that a decoder could make nothing of."""

        self.complaints = 0
        """Of what reads the file, whatever about."""

        self.left_out: list[float] = []
        """Gaps that were too long to be filled, in seconds."""

        self._rest = b""
        self._last: re.Match[bytes] | None = None

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the output."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        self._rest = self._rest[-_LONGEST_LINE:]
        for line in lines:
            repeated = _REPEATED.match(line)
            if repeated is None:
                found = (kind.match(line) for kind in (_UNDECODED, _OF_A_READER, _LEFT_OUT))
                self._last = next(filter(None, found), None)
            self._count(1 if repeated is None else int(repeated[1]))

    def _count(self, times: int) -> None:
        if self._last is None:
            return
        if self._last.re is _UNDECODED:
            self.undecoded += times
        elif self._last.re is _OF_A_READER:
            self.complaints += times
        else:
            self.left_out += [float(self._last[1])] * min(times, _MOST_GAPS - len(self.left_out))

    def notes(self, *, beside_a_cut: bool = False) -> tuple[str, ...]:
        """What there is to say, in sentences; where a note tells of a missing end, not what that brings with it."""
        return tuple(self._sentences(beside_a_cut=beside_a_cut))

    def _sentences(self, *, beside_a_cut: bool) -> Iterator[str]:
        if self.undecoded > beside_a_cut:
            # The last one is cut itself.
            yield f"The sound is damaged: {_counted(self.undecoded, 'piece')} of it could not be read."
        elif self.complaints and not beside_a_cut:
            yield f"The file is damaged in {_counted(self.complaints, 'place')}: some of the sound may be missing."
        if self.left_out:
            minutes = sum(self.left_out) / 60
            yield f"Long pauses are left out: {len(self.left_out)}, of {minutes:.1f} minutes in all."


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
