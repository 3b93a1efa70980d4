"""Texts of all that Unicode has: any of its code points, and those that harm somewhere more often."""

import random
from typing import Final

_HARMFUL: Final = (
    "\0", "\r", "\n", "\r\n", "\t", "\x1b", "\x7f", "\x85", "\u2028", "\u202e", "\u2066", "\u200b", "\u200d", "\ufeff",
    "\ufffe", "\uffff", "\ud800", "\udfff", "\U0010ffff", "\u0130", "\ufdfa", "\u0300" * 30, "a\u0301", "\u1100\u1161",
    "/", "\\", "..", '"', "'", "%", "%00", "%22", ";", "=", "{", "}", "$", "=?utf-8?q?a?=", ".mp4", ".", " ",
    "x" * 250, "\U0001f3b5" * 60,
)  # fmt: skip
_CODE_POINTS: Final = 0x110000


def any_text(chance: random.Random) -> str:
    """Up to twelve pieces."""
    return "".join(_piece(chance) for _ in range(chance.randrange(13)))


def _piece(chance: random.Random) -> str:
    kind = chance.random()
    if kind < 0.4:
        return chance.choice(_HARMFUL)
    return chr(chance.randrange(_CODE_POINTS if kind < 0.8 else 128))
