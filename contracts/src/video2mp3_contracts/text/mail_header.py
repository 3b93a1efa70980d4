"""Fields in the head of an email: text as RFC 5322 allows it, else as the encoded words of RFC 2047.

Python's `email` takes the text of a field for its source: it decodes what looks like an encoded word, and version 3.13
writes words that nothing parts from each other (cpython #144156). Mail servers refuse those: the words are made here.
"""

import base64
from collections.abc import Iterator
from typing import Final

LONGEST_WORD: Final = 75
"""Characters of an encoded word (RFC 2047, section 2)."""

LONGEST_LINE: Final = 76
"""Characters of a line that holds one; any other line may have 78 (RFC 5322, section 2.1.1)."""

_BEGIN: Final = "=?utf-8?b?"
_END: Final = "?="
_SPECIALS: Final = frozenset('()<>[]:;@\\,."')
"""RFC 5322, section 3.2.3: what a word of a name may hold only in quotes."""


def text_field(name: str, text: str) -> str:
    """A whole field of free text (a Subject, say), folded, with CR LF at its end."""
    if _is_plain(text) and len(name) + 2 + len(text) <= LONGEST_LINE:
        return f"{name}: {text}\r\n"
    return f"{name}: {_words(text, LONGEST_LINE - len(name) - 2)}\r\n"


def mailbox_field(name: str, display_name: str, address: str) -> str:
    """A whole field of one mailbox, with CR LF at its end. `address` is one already, see RFC 5321; "" names nobody."""
    if not display_name:
        return f"{name}: {address}\r\n"
    # On a line of its own, since an address cannot be folded and may be long.
    return f"{name}: {_phrase(display_name, LONGEST_LINE - len(name) - 2)}\r\n <{address}>\r\n"


def _phrase(text: str, room: int) -> str:
    if not _is_plain(text) or len(text) + 2 > room:
        return _words(text, room)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if _SPECIALS.intersection(text) else text


def _is_plain(text: str) -> bool:
    """Whether a reader takes the text for what it is: nothing is decoded, and no space is folded away."""
    return text.isascii() and text.isprintable() and "=?" not in text and " ".join(text.split()) == text


def _words(text: str, room: int) -> str:
    """Encoded words, the first of at most `room` characters, each on a line of its own."""
    return "\r\n ".join(
        f"{_BEGIN}{base64.b64encode(piece).decode()}{_END}"
        for piece in _pieces(text, _bytes_in(min(room, LONGEST_WORD)), _bytes_in(LONGEST_WORD))
    )


def _bytes_in(word: int) -> int:
    """How many bytes an encoded word of so many characters holds: base64 makes four characters of three."""
    return (word - len(_BEGIN) - len(_END)) // 4 * 3


def _pieces(text: str, first: int, further: int) -> Iterator[bytes]:
    """The text in UTF-8, in pieces of whole characters: a word that ends within one cannot be read (section 5)."""
    piece, room = b"", first
    for character in text:
        encoded = character.encode(errors="replace")
        if len(piece) + len(encoded) > room:
            yield piece
            piece, room = b"", further
        piece += encoded
    if piece:
        yield piece
