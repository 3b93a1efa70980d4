"""Converts every file of the corpus with the installed worker; a line of JSON for each, as soon as it is judged.

python -m tests.integration.worker.corpus
"""

import contextlib
import io
import json
import sys
import tempfile
from pathlib import Path

from tests.integration.worker.corpus.judging import Judged, judged
from tests.integration.worker.corpus.rows import ROWS, Row
from video2mp3_worker.app.cli import command_line


def main() -> None:
    """Print each row's title, its line of the table, and what is wrong with it; "" where nothing is."""
    for row in ROWS:
        result = _converted(row)
        sys.stdout.write(json.dumps({"title": row.title, "line": result.line, "fault": result.fault}) + "\n")
        sys.stdout.flush()


def _converted(row: Row) -> Judged:
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()) as said,
    ):
        source, mp3 = Path(folder, row.name or "source"), Path(folder, "output.mp3")
        row.build(source)
        code = command_line(["convert", str(source), str(mp3), *row.options])
        return judged(row, code, said.getvalue().strip(), mp3)


if __name__ == "__main__":
    main()
