"""An account's Conversions, newest first, page by page.

A page goes on after a position, not after a number of rows: that means the same to every gateway, and whatever was
created or deleted meanwhile.
"""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Self

from video2mp3_contracts.api.conversion import Conversion

MAX_PAGE: Final = 100
DEFAULT_PAGE: Final = 20


class MalformedCursor(Exception):
    """A position that no page of ours gave out."""


class Cursor(NamedTuple):
    """Where a Conversion stands in the order: creation time, then name."""

    created: datetime
    name: str

    def as_token(self) -> str:
        """The position as clients carry it: URL-safe, and of no meaning to them."""
        text = json.dumps([self.created.isoformat(), self.name])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def from_token(cls, token: str) -> Self:
        """Read a token back. Raises MalformedCursor."""
        try:
            created, name = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            position = cls(datetime.fromisoformat(created), str(name))
        except (ValueError, TypeError, RecursionError) as error:
            raise MalformedCursor from error
        if position.created.tzinfo is None:
            raise MalformedCursor
        return position


@dataclass(frozen=True)
class Page:
    """Some Conversions, newest first, and where the next page begins; None if this is the last."""

    conversions: list[Conversion]
    following: Cursor | None
