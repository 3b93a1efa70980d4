"""The results as a table: one column for each size."""

import math
from collections.abc import Callable, Iterable, Sequence

from benchmarks.operator.run import Result

_MIB = 2**20


def lines(results: Sequence[Result]) -> list[str]:
    """The table's lines."""
    processes = list(results[-1].cpu)
    asked = sorted({name for result in results for name in result.requests.counts})
    rows = [
        *(_row(name, [value(each) for each in results]) for name, value in _ROWS),
        *(_row(f"cpu ms each: {name}", [_each(each, 1000 * each.cpu[name]) for each in results]) for name in processes),
        *(_row(f"each: {name}", [_each(each, each.requests.counts[name]) for each in results]) for name in asked),
    ]
    return ["", *rows, ""]


def _row(name: str, values: Iterable[str]) -> str:
    return f"{name:46}" + "".join(f"{value:>17}" for value in values)


def _each(result: Result, total: float) -> str:
    return f"{total / result.conversions:.2f}"


def _rate(result: Result) -> float:
    return result.conversions / result.seconds


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the sorted values that at least this share does not exceed (nearest rank)."""
    return values[max(0, math.ceil(share * len(values)) - 1)] if values else math.nan


_ROWS: tuple[tuple[str, Callable[[Result], str]], ...] = (
    ("conversions", lambda result: str(result.conversions)),
    ("outcome", lambda result: ", ".join(f"{count} {phase}" for phase, count in result.phases.items())),
    ("seconds, first creation to last status", lambda result: f"{result.seconds:.1f}"),
    ("conversions a second", lambda result: f"{_rate(result):.1f}"),
    ("Jobs a second, without an operator", lambda result: f"{result.bare.rate:.1f}"),
    ("ratio to that", lambda result: f"{_rate(result) / result.bare.rate:.2f}"),
    ("cpu ms each, of everything", lambda result: _each(result, 1000 * sum(result.cpu.values()))),
    ("cpu ms each, without an operator", lambda result: f"{1000 * result.bare.cpu_each:.2f}"),
    ("API writes each", lambda result: _each(result, result.requests.writes)),
    ("API reads each", lambda result: _each(result, result.requests.reads)),
    ("creation to Job, s, 50th percentile", lambda result: f"{percentile(result.waits, 0.50):.2f}"),
    ("creation to Job, s, 99th percentile", lambda result: f"{percentile(result.waits, 0.99):.2f}"),
    ("operator cpu s", lambda result: f"{result.cpu['operator']:.1f}"),
    ("operator memory MiB, peak", lambda result: f"{result.memory / _MIB:.0f}"),
    ("restart to ready, s", lambda result: f"{result.restart_seconds:.1f}"),
    ("operator memory MiB, peak after restart", lambda result: f"{result.restart_memory / _MIB:.0f}"),
)
