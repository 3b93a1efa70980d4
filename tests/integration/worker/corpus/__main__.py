"""Converts every file of the corpus with the installed worker; prints the table and fails where a row is not right.

python -m tests.integration.worker.corpus [--without NAME]
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.integration.worker.corpus.judging import Judged, judged
from tests.integration.worker.corpus.rows import ROWS, Row


def main() -> int:
    """Print a line for each file as soon as it is judged; 1 where one is not right."""
    parser = argparse.ArgumentParser(prog="python -m tests.integration.worker.corpus", description=__doc__)
    parser.add_argument("--without", metavar="NAME", help="a file that is left out")
    without, faults = parser.parse_args().without, 0
    for row in ROWS:
        if row.build.__name__ == without:
            continue
        result = _converted(row)
        sys.stdout.write(f"{result.line}\n")
        sys.stdout.flush()
        if result.fault:
            faults += 1
            sys.stderr.write(f"{row.title}: {result.fault}\n")
    return bool(faults)


def _converted(row: Row) -> Judged:
    with tempfile.TemporaryDirectory() as folder:
        source, mp3 = Path(folder, row.name or "source"), Path(folder, "output.mp3")
        row.build(source)
        command = [sys.executable, "-m", "video2mp3_worker", "convert", str(source), str(mp3), *row.options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return judged(row, done.returncode, done.stderr.strip(), mp3)


if __name__ == "__main__":
    sys.exit(main())
