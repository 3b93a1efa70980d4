"""One thing that a client does on one connection, and its form in a file."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

TOKEN: Final = b"$TOKEN$"
"""Stands for a valid token, which every gateway knows others of."""


class Ending(StrEnum):
    """What the client does after its last byte."""

    HALF_CLOSE = "half-close"
    """It says that no more comes, and reads."""

    WAIT = "wait"
    """It reads, and says nothing until the gateway has answered or closed."""

    HANG_UP = "hang-up"
    """It goes, whatever comes."""


@dataclass(frozen=True)
class Case:
    """What is sent, in pieces with a pause between them, and how it ends."""

    seed: int
    number: int
    pieces: tuple[bytes, ...]
    pause_seconds: float
    ending: Ending

    @property
    def sent(self) -> bytes:
        """All of it."""
        return b"".join(self.pieces)

    def as_json(self) -> str:
        """The case as a file; each byte is the character of its number."""
        pieces = [piece.decode("latin-1") for piece in self.pieces]
        return json.dumps(vars(self) | {"pieces": pieces}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read it back."""
        fields = json.loads(text)
        pieces = tuple(piece.encode("latin-1") for piece in fields["pieces"])
        return cls(**fields | {"pieces": pieces, "ending": Ending(fields["ending"])})
