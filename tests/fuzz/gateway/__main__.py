"""Looks for heads and forms that a gateway does not answer well, for as long as one likes.

python -m tests.fuzz.gateway --seconds 600 --seed 1
python -m tests.fuzz.gateway --replay fuzz-findings/gateway-1-123.json            # one of them again
"""

import argparse
import itertools
import secrets
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.fuzz.gateway.case import Case
from tests.fuzz.gateway.cases import case_of
from tests.fuzz.gateway.judge import documented
from tests.fuzz.gateway.trial import AT_ONCE, Finding, Trial
from tests.integration.gateway.conftest import an_installation
from tests.servers import SecantusDBServer
from tests.servers.process import REPOSITORY

PAGE: Final = REPOSITORY / "docs" / "api.md"
ROUND: Final = 100
"""Cases between two looks at what is stored."""

_PATIENT: Final = 20
"""Every so many rounds one leaves it to the gateway to end them; that takes as long as it gives anybody."""


def main() -> int:
    """Run, show how it goes, keep what is found. Answers the exit code: 1 when something was found."""
    parser = argparse.ArgumentParser(prog="make fuzz-gateway", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0, help="how long (default: 300)")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="repeats a run (default: by chance)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="only what this file of an earlier run holds")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"), help="a folder for what is found")
    options = parser.parse_args()
    with _trial() as trial:
        if options.replay:
            found = _replay(trial, options.replay)
        else:
            sys.stdout.write(f"seed {options.seed}\n")
            found = _search(trial, options)
    return 1 if found else 0


@contextmanager
def _trial() -> Iterator[Trial]:
    with SecantusDBServer() as mongodb, tempfile.TemporaryDirectory() as folder:
        mongodb.add_services()
        with an_installation(mongodb, Path(folder)) as installation:
            yield Trial(installation, documented(PAGE))


def cases_of(seed: int, number_of_round: int) -> tuple[list[Case], int]:
    """A round's cases, and how many of them at a time."""
    patient = number_of_round % _PATIENT == _PATIENT - 1
    first = number_of_round * ROUND
    cases = [case_of(seed, number, patient=patient) for number in range(first, first + ROUND)]
    return cases, ROUND if patient else AT_ONCE


def _search(trial: Trial, options: argparse.Namespace) -> int:
    found, begun, shown = 0, time.monotonic(), time.monotonic()
    for number in itertools.count():
        for finding in trial.round(*cases_of(options.seed, number)):
            found += 1
            _keep(finding, options.findings)
        now = time.monotonic()
        if now - shown > 5 or now - begun > options.seconds:
            shown = now
            _tell(f"{(number + 1) * ROUND} cases in {now - begun:.0f} s: {_summary(trial)}; {found} findings")
        if now - begun > options.seconds:
            break
    return found


def _replay(trial: Trial, file: Path) -> int:
    case = Case.from_json(file.read_text())
    found = trial.round([case])
    for finding in found:
        _tell(str(finding))
    _tell(f"{len(found)} findings; {_summary(trial)}")
    return len(found)


def _keep(finding: Finding, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    _tell(str(finding))
    for case in finding.cases:
        path = folder / f"gateway-{case.seed}-{case.number}.json"
        path.write_text(case.as_json())
        _tell(f'  again: make fuzz-gateway FUZZ="--replay {path}"')


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _summary(trial: Trial) -> str:
    return ", ".join(f"{end} {count}" for end, count in trial.answers.most_common())


if __name__ == "__main__":
    sys.exit(main())
