"""The table at the end. Pure."""

from collections.abc import Iterable, Mapping

from tests.chaos.tally import Answer, Tally

_SHOWN = 5


def table(tally: Tally) -> str:
    """All counts, each fault with the first names, and the verdict."""
    lines = ["kills"]
    lines += [_line(kind, _listed(how)) for kind, how in sorted(tally.kills.items())]
    lines += ["uploads", _line("tried", sum(tally.answers.values()))]
    lines += [_line(answer, tally.answers.get(answer, 0)) for answer in Answer]
    lines += ["at the end", *_faults(tally)]
    lines += [_line(what, count) for what, count in tally.notes.items()]
    lines += [_line(f"{what} for the sweep", count) for what, count in tally.ending.swept.items()]
    lines += [_line(f"{what} left over", count) for what, count in tally.ending.left.items()]
    lines.append(_line("seconds until all was settled", _settled(tally)))
    return "\n".join([*lines, "nothing lost" if tally.is_clean else "NOT CLEAN", ""])


def _faults(tally: Tally) -> Iterable[str]:
    for what, names in tally.faults.items():
        yield _line(what, len(names))
        yield from (f"      {name}" for name in names[:_SHOWN])


def _settled(tally: Tally) -> str:
    seconds = f"{tally.ending.settled_seconds:.0f}"
    return f"not within {seconds}: {tally.ending.unsettled}" if tally.ending.unsettled else seconds


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {how}" for how, count in sorted(counts.items()))


def _line(what: str, value: object) -> str:
    return f"  {what:<44} {value}"
