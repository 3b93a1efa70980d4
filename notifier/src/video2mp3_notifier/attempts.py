"""How often a message was tried, as it travels in the message's own headers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Self

FAILED_HEADER: Final = "x-video2mp3-failed-tries"
WAITED_HEADER: Final = "x-video2mp3-waits"
CRASHED_HEADER: Final = "x-video2mp3-crashes"


@dataclass(frozen=True)
class Attempts:
    """A message's history."""

    failed: int = 0
    """Attempts that failed."""

    waited: int = 0
    """Times it waited for a claim that another notifier held; these are nobody's failure."""

    crashed: int = 0
    """Attempts that ended in an error nobody foresaw."""

    @classmethod
    def from_headers(cls, headers: Mapping[str, Any] | None) -> Self:
        """Read the history; what is missing or no count is none."""
        return cls(*(_count(headers or {}, name) for name in (FAILED_HEADER, WAITED_HEADER, CRASHED_HEADER)))

    def headers(self) -> dict[str, int]:
        """The history as it travels on."""
        return {FAILED_HEADER: self.failed, WAITED_HEADER: self.waited, CRASHED_HEADER: self.crashed}

    def after_failure(self) -> Self:
        """With one more failed attempt."""
        return replace(self, failed=self.failed + 1)

    def after_wait(self) -> Self:
        """With one more wait."""
        return replace(self, waited=self.waited + 1)

    def after_crash(self) -> Self:
        """With one more attempt that crashed."""
        return replace(self, crashed=self.crashed + 1)


def _count(headers: Mapping[str, Any], name: str) -> int:
    value = headers.get(name)
    return value if isinstance(value, int) and value >= 0 else 0
