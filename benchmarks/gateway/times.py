"""How long lists took."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Times:
    """Of one kind of list, in seconds."""

    HEAD: ClassVar[str] = f"{'list':<44} {'p50 ms':>8} {'p99 ms':>8} {'cpu ms':>8}"

    kind: str
    seconds: list[float]
    cpu_seconds: float
    """Of the process that makes the list, for all of them."""

    def line(self) -> str:
        """A line of the table."""
        cpu = 1000 * self.cpu_seconds / len(self.seconds)
        return f"{self.kind:<44} {self._percentile(50):>8.1f} {self._percentile(99):>8.1f} {cpu:>8.1f}"

    def _percentile(self, percent: int) -> float:
        ordered = sorted(self.seconds)
        return 1000 * ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]


def timed(kind: str, count: int, once: Callable[[], object], cpu: Callable[[], float]) -> Times:
    """Do something so many times, one after the other; `cpu` tells the seconds that who does it has used so far."""
    seconds, before = [], cpu()
    for _ in range(count):
        began = time.perf_counter()
        once()
        seconds.append(time.perf_counter() - began)
    return Times(kind, seconds, cpu() - before)
