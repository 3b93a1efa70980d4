"""How values are written in emails and log lines: made harmless, and in units that people read."""

from datetime import UTC, datetime
from typing import Final

from video2mp3_contracts.text.harm import harmless

_KIBI: Final = 1024
_UNITS: Final = ("bytes", "KiB", "MiB", "GiB", "TiB")
_SECONDS_PER_HOUR: Final = 3600


def sanitize(text: str, longest: int) -> str:
    """The text on one line, without what harms, cut to `longest` characters."""
    line = harmless(text)
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def length(seconds: float) -> str:
    """A duration as `m:ss`, or `h:mm:ss` from an hour on, rounded to the second."""
    whole = round(seconds)
    hours, rest = divmod(whole, _SECONDS_PER_HOUR)
    minutes, seconds_left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds_left:02}" if hours else f"{minutes}:{seconds_left:02}"


def moment(when: datetime) -> str:
    """A moment in UTC, as the emails' readers may be anywhere; cut to the minute, so that it is never too late."""
    utc = when.astimezone(UTC)
    return f"{utc.day} {utc:%B %Y, %H:%M} UTC"


def size(count: int) -> str:
    """A number of bytes with a binary unit (IEC 80000-13), with one decimal from KiB on."""
    if count < _KIBI:
        return f"{count} bytes"
    value, unit = float(count), 0
    # 1023.95 would be shown as 1024.0, which is one of the next unit.
    while round(value, 1) >= _KIBI and unit < len(_UNITS) - 1:
        value /= _KIBI
        unit += 1
    return f"{value:.1f} {_UNITS[unit]}"
