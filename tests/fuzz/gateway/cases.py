"""The case of each number: one to three requests, what is done to their bytes, and how they are sent.

Pure: what a number is follows from the seed.
"""

import random
from collections.abc import Callable
from typing import Final

from tests.fuzz.gateway import forms, heads
from tests.fuzz.gateway.case import Case, Ending
from tests.fuzz.gateway.framing import framed

_BYTES: Final = (
    b"\0",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b" ",
    b"\t",
    b":",
    b"%",
    b"\xff",
    b"\x16\x03\x01",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)
_PAUSES: Final = (0.0, 0.0, 0.0, 0.001, 0.01)
_MOST_PIECES: Final = 20


def case_of(seed: int, number: int, *, patient: bool = False) -> Case:
    """A case; one that is patient leaves it to the gateway to end it."""
    chance = random.Random(f"{seed}:{number}")
    sent = b"".join(_request(chance) for _ in range(chance.choice((1, 1, 1, 1, 2, 3))))
    for _ in range(chance.choice((0, 0, 0, 1, 1, 2))):
        sent = chance.choice(_SPOILS)(sent, chance)
    ending = Ending.WAIT if patient else chance.choice((*[Ending.HALF_CLOSE] * 9, Ending.HANG_UP))
    return Case(seed, number, _pieces(sent, chance), chance.choice(_PAUSES), ending)


def _request(chance: random.Random) -> bytes:
    if chance.random() < 0.4:
        head = heads.a_call(chance)
        _spoil_head(head, chance)
        return (
            bytes(head)
            if chance.random() < 0.8
            else framed(head, chance.randbytes(chance.choice((0, 1, 100, 70_000))), chance)
        )
    form = forms.a_form(chance)
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        forms.spoil(form, chance)
    head = heads.an_upload(form.kind)
    if chance.random() < 0.3:
        _spoil_head(head, chance)
    return framed(head, bytes(form), chance)


def _spoil_head(head: heads.Head, chance: random.Random) -> None:
    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        heads.spoil(head, chance)


def _pieces(sent: bytes, chance: random.Random) -> tuple[bytes, ...]:
    """Cut anywhere, byte by byte at a place, or whole."""
    kind = chance.random()
    if kind < 0.6 or len(sent) < 2:
        return (sent,)
    if kind < 0.8:
        cuts = sorted(chance.randrange(len(sent)) for _ in range(chance.randrange(1, _MOST_PIECES)))
    else:
        start = chance.randrange(len(sent))
        cuts = list(range(start, min(start + _MOST_PIECES, len(sent))))
    return tuple(sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True))


def _place(sent: bytes, chance: random.Random) -> int:
    """Rather in the head than after it."""
    return chance.randrange((min(len(sent), 400) if chance.random() < 0.6 else len(sent)) or 1)


def _cut(sent: bytes, chance: random.Random) -> bytes:
    return sent[: _place(sent, chance)]


def _bits(sent: bytes, chance: random.Random) -> bytes:
    changed = bytearray(sent)
    for _ in range(chance.choice((1, 1, 3)) if sent else 0):
        changed[_place(sent, chance)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _insert(sent: bytes, chance: random.Random) -> bytes:
    place = _place(sent, chance)
    return sent[:place] + chance.choice(_BYTES) + sent[place:]


def _drop(sent: bytes, chance: random.Random) -> bytes:
    place = _place(sent, chance)
    return sent[:place] + sent[place + chance.choice((1, 2, 4, 50)) :]


def _again(sent: bytes, chance: random.Random) -> bytes:
    place, size = _place(sent, chance), chance.choice((1, 4, 50, 500))
    return sent[: place + size] + sent[place:]


def _line_end(sent: bytes, chance: random.Random) -> bytes:
    place = sent.find(b"\r\n", _place(sent, chance))
    return (
        sent
        if place < 0
        else sent[:place] + chance.choice((b"\n", b"\r", b"\r\r\n", b"\r\n ", b"\0\r\n", b"")) + sent[place + 2 :]
    )


_SPOILS: Final[tuple[Callable[[bytes, random.Random], bytes], ...]] = (
    _cut,
    _cut,
    _bits,
    _bits,
    _insert,
    _insert,
    _drop,
    _again,
    _line_end,
    _line_end,
)
