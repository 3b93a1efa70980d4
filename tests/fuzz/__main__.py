"""Looks for files that the worker does not end well with, for as long as one likes.

python -m tests.fuzz --seconds 600 --seed 1
python -m tests.fuzz --seed 1 --only 123            # one of them again
"""

import argparse
import itertools
import os
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path

from tests.fuzz.attempt import Outcome, attempt, content_of
from tests.integration.worker.catalogue import FORMATS

_seeds: list[bytes] = []


def seeds_in(folder: Path, formats: Sequence[int] = ()) -> list[bytes]:
    """Every format of the catalogue, or those of some numbers, as bytes."""
    return [wanted.make(folder).read_bytes() for wanted in ([FORMATS[n] for n in formats] or FORMATS)]


def _load(folder: Path) -> None:
    _seeds.extend(seeds_in(folder))


def _try(seed: int, number: int) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        return attempt(content_of(_seeds, seed, number), number, Path(folder))


def outcomes(seed: int, seconds: float, processes: int, folder: Path) -> Iterator[Outcome]:
    """Attempts side by side until the time is up, as they end."""
    numbers, deadline = itertools.count(), time.monotonic() + seconds
    with ProcessPoolExecutor(processes, initializer=_load, initargs=(folder,)) as pool:
        running: set[Future[Outcome]] = set()
        while running or time.monotonic() < deadline:
            while len(running) < processes and time.monotonic() < deadline:
                running.add(pool.submit(_try, seed, next(numbers)))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)


def main() -> int:
    """Run, show how it goes, keep what is found. Answers the exit code: 1 when something was found."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0, help="how long (default: 300)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="repeats a run (default: by chance)")
    parser.add_argument("--only", type=int, metavar="NUMBER", help="only this file of the seed's")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"), help="a folder for what is found")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seeds = seeds_in(folder)
        sys.stdout.write(f"seed {options.seed}, {len(seeds)} formats\n")
        if options.only is not None:
            return _again(seeds, options.seed, options.only, options.findings)
        return _search(seeds, options, folder)


def _search(seeds: list[bytes], options: argparse.Namespace, folder: Path) -> int:
    ends: Counter[str] = Counter()
    found, shown = 0, time.monotonic()
    for outcome in outcomes(options.seed, options.seconds, options.processes, folder):
        ends[outcome.end] += 1
        if outcome.wrong:
            found += 1
            _keep(seeds, options.seed, outcome, options.findings)
        if time.monotonic() - shown > 5:
            shown = time.monotonic()
            sys.stdout.write(f"{_summary(ends)}; {found} findings\n")
            sys.stdout.flush()
    sys.stdout.write(f"{_summary(ends)}; {found} findings\n")
    return 1 if found else 0


def _again(seeds: list[bytes], seed: int, number: int, findings: Path) -> int:
    _seeds.extend(seeds)
    outcome = _try(seed, number)
    sys.stdout.write(f"{outcome}\n")
    _keep(seeds, seed, outcome, findings)
    return 1 if outcome.wrong else 0


def _keep(seeds: list[bytes], seed: int, outcome: Outcome, findings: Path) -> None:
    findings.mkdir(exist_ok=True)
    path = findings / f"{seed}-{outcome.number}"
    path.write_bytes(content_of(seeds, seed, outcome.number))
    sys.stdout.write(
        f"{path}: {outcome.end}: {outcome.message} ({outcome.wrong or 'well'}, {outcome.cpu_seconds:.1f} s)\n"
        f"  {outcome.detail[-500:]}\n"
        f"  again: .venv/bin/video2mp3-worker convert {path} output.mp3\n"
    )


def _summary(ends: Counter[str]) -> str:
    return f"{ends.total()} files: " + ", ".join(f"{end} {count}" for end, count in ends.most_common())


if __name__ == "__main__":
    sys.exit(main())
