"""An account's Conversions, newest first, page by page.

The Kubernetes API lists by name and knows no other order, so all of them are looked at for each page; only the page is
kept.
"""

import base64
import heapq
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from video2mp3_contracts.conversion import Conversion

MAX_PAGE: Final = 100
DEFAULT_PAGE: Final = 20
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class MalformedPosition(Exception):
    """A position that no page of ours gave out."""


@dataclass(frozen=True, order=True)
class Position:
    """Where a Conversion stands in the order: creation time, then name."""

    created: datetime
    name: str

    @classmethod
    def of(cls, conversion: Conversion) -> Self:
        """A Conversion's position."""
        return cls(conversion.metadata.creation_timestamp or _LONG_AGO, conversion.metadata.name)

    def as_token(self) -> str:
        """The position as clients carry it: URL-safe, and of no meaning to them."""
        text = json.dumps([self.created.isoformat(), self.name])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def from_token(cls, token: str) -> Self:
        """Read a token back. Raises MalformedPosition."""
        try:
            created, name = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
            position = cls(datetime.fromisoformat(created), str(name))
        except (ValueError, TypeError, RecursionError) as error:
            raise MalformedPosition from error
        if position.created.tzinfo is None:
            raise MalformedPosition
        return position


@dataclass(frozen=True)
class Page:
    """Some Conversions, newest first, and where the next page begins; None if this is the last."""

    conversions: list[Conversion]
    following: Position | None


def newest(conversions: Iterable[Conversion], limit: int, after: Position | None) -> Page:
    """The newest `limit` Conversions, or of those that come after a position."""
    candidates = (found for found in conversions if after is None or Position.of(found) < after)
    best = heapq.nlargest(limit + 1, candidates, key=Position.of)
    page = best[:limit]
    return Page(page, Position.of(page[-1]) if len(best) > limit else None)
