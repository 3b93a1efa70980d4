"""How sources write dates and numbers, and what of that the frames of ID3 can hold. Pure.

Sources write them for people, in any words. Only what can be meant in one way is brought into ID3's form: no program
knows whether 3/5/2021 is in March or in May.
"""

import re
from typing import Final

_MONTH, _DAY = "(?P<month>0[1-9]|1[0-2])", "(?P<day>0[1-9]|[12][0-9]|3[01])"
_TIME: Final = "(?P<hour>[01][0-9]|2[0-3])(:(?P<minute>[0-5][0-9])(:[0-5][0-9])?)?"
TIMESTAMP: Final = re.compile(f"(?P<year>[0-9]{{4}})(-{_MONTH}(-{_DAY}([ T]{_TIME})?)?)?")
"""ID3v2.4, chapter 4: a date as far as it is known."""

NUMBER: Final = re.compile(r"[0-9]{1,5}(/[0-9]{1,5})?")
"""TRCK and TPOS of both versions: a number, and how many there are."""

_DATE_LETTERS: Final = len("2026-03-01")
"""A time with more behind it may be one of the afternoon, or of another zone."""

_MONTHS: Final = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_SHORTEST_NAME: Final = 3

_WEEKDAY: Final = r"((mon|tue|wed|thu|fri|sat|sun)[a-z]*,? +)?"
_YEAR, _ANY_DAY, _NAME = "(?P<year>[0-9]{4})", "(?P<day>[0-9]{1,2})", r"(?P<name>[a-z]{3,9})\.?"
_CLOCK: Final = r"(?P<clock>[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?)(\.[0-9]+)?"
_ZONE: Final = "( ?(z|utc|gmt|[+-][0-9]{2}:?[0-9]{2}))?"
_AT: Final = f"((t|,? +){_CLOCK}{_ZONE})?"
_DATES: Final = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        f"(utc )?{_YEAR}(?P<between>[-/.:])(?P<month>[0-9]{{1,2}})((?P=between){_ANY_DAY}{_AT})?",
        f"{_YEAR}(?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}}){_AT}",
        f"{_WEEKDAY}{_ANY_DAY}(st|nd|rd|th|\\.)?[ -]{_NAME}[ -]{_YEAR}{_AT}",
        f"{_WEEKDAY}{_NAME} +{_ANY_DAY}(st|nd|rd|th)?,? +{_YEAR}{_AT}",
        f"{_NAME} {_YEAR}",
        f"{_WEEKDAY}{_NAME} +{_ANY_DAY} +{_CLOCK} +{_YEAR}",
    )
)
"""The numbers alone with the year first, and English words, as RFC 5322 and C's asctime() have them, too."""

_COUNTED: Final = re.compile(
    r"((track|disc|disk|cd|no\.?|#) ?)?([0-9]{1,5})(( ?/ ?| of )([0-9]{1,5}))?[./]?", re.IGNORECASE
)


def timestamp(text: str) -> tuple[str, str]:
    """A date as ID3v2.4 writes it, "" where there is none; and all of the text, where that says more.

    Fractions of seconds and zones are no more: the time is the one that the text shows.
    """
    for form in _DATES:
        found = form.fullmatch(text)
        written = _written(found.groupdict()) if found else ""
        if written:
            return written, ""
    return _beginning(TIMESTAMP, text, _DATE_LETTERS), "" if TIMESTAMP.fullmatch(text) else text


def number(text: str) -> tuple[str, str]:
    """A number as ID3 writes it, "" where there is none; and all of the text, where that says more."""
    found = _COUNTED.fullmatch(text)
    if found:
        return "/".join(filter(None, (found[3], found[6]))), ""
    return _beginning(NUMBER, text, len(text)), text


def _beginning(form: re.Pattern[str], text: str, letters: int) -> str:
    """What of the first letters of a text has a form, and does not end within a number."""
    found = form.match(text[:letters])
    return found.group() if found and not text[found.end() : found.end() + 1].isdigit() else ""


def _written(parts: dict[str, str | None]) -> str:
    """The timestamp of the parts of a date; "" where it is none."""
    month = parts.get("month") or _month_named(parts.get("name") or "")
    date = "-".join(part.zfill(2) for part in (parts["year"], month, parts.get("day")) if part)
    clock = parts.get("clock")
    written = f"{date}T{clock.zfill(5 if clock.count(':') == 1 else 8)}" if clock else date
    return written if month and TIMESTAMP.fullmatch(written) else ""


def _month_named(name: str) -> str:
    """The number of a month by its English name, or by the beginning of that."""
    numbers = [number for number, month in enumerate(_MONTHS, 1) if month.startswith(name.lower())]
    return str(numbers[0]) if len(name) >= _SHORTEST_NAME and numbers else ""
