r"""The parameters of a part of a form, as browsers write them (HTML Standard, section on multipart/form-data).

They are no quoted strings of HTTP: a backslash is a backslash, `C:\fakepath\a.mp4`, and only a quote and line ends are
escaped, as %22, %0D and %0A. Old versions of curl write `\"` instead; what follows tells it apart.
"""

import re
from typing import Final
from urllib.parse import quote, unquote

_PARAMETER: Final = re.compile(r';[ \t]*+([A-Za-z*]++)[ \t]*+=[ \t]*+(?:"|([^;"]*+))')
_CLOSING: Final = re.compile(r'"[ \t]*+(?=;[ \t]*+[A-Za-z*]++[ \t]*+=|;?[ \t]*+$)')
"""A quote that is followed by another parameter or by the end; any other belongs to the text."""

_EXTENDED: Final = re.compile(r"(utf-8|iso-8859-1)'[^']*'(.*)", re.IGNORECASE | re.DOTALL)
_ESCAPES: Final = (('\\"', '"'), ("%22", '"'), ("%0D", "\r"), ("%0A", "\n"))


def parameters(disposition: str) -> dict[str, str]:
    """The parameters of a Content-Disposition by name in small letters.

    `filename*` (RFC 8187) stands for the file's name whatever the order is: it says in which characters it is written.
    """
    found = dict(_written(disposition))
    extended = found.pop("filename*", None)
    if extended is not None and (exact := _EXTENDED.fullmatch(extended)):
        found["filename"] = unquote(exact[2], encoding=exact[1])
    return found


def unmistakable(disposition: str) -> str:
    """The same in the one form that every parser reads alike: each value in UTF-8 and percent-encoded."""
    kind = disposition.partition(";")[0].strip()
    encoded = (
        # An empty value has no such form for werkzeug.
        f"{name}*=UTF-8''{quote(value, safe='')}" if value else f'{name}=""'
        for name, value in parameters(disposition).items()
    )
    return "; ".join((kind, *encoded))


def _written(disposition: str) -> list[tuple[str, str]]:
    """Names and values in their order, of what can be read."""
    found, position = [], 0
    while begins := _PARAMETER.search(disposition, position):
        position = begins.end()
        if begins[2] is not None:
            found.append((begins[1].lower(), begins[2].strip()))
        elif closes := _CLOSING.search(disposition, position):
            found.append((begins[1].lower(), _unescaped(disposition[position : closes.start()])))
            position = closes.end()
    return found


def _unescaped(text: str) -> str:
    for written, meant in _ESCAPES:
        text = text.replace(written, meant)
    return text
