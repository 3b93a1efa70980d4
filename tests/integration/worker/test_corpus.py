"""Files as people's recorders, servers and players left them: each becomes what its row says.

The table of all of them, with what came beside what is right, stands at the end of the run.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.worker.corpus.judging import judged
from tests.integration.worker.corpus.rows import PROPERTY, ROWS, Row
from video2mp3_worker.cli import command_line


@pytest.mark.usefixtures("signals")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_each_file_becomes_what_its_row_says(
    row: Row, tmp_path: Path, capsys: pytest.CaptureFixture[str], record_property: Callable[[str, object], None]
) -> None:
    source, mp3 = tmp_path / (row.name or "source"), tmp_path / "output.mp3"
    row.build(source)

    code = command_line(["convert", str(source), str(mp3), *row.options])

    result = judged(row, code, capsys.readouterr().err.strip(), mp3)
    record_property(PROPERTY, result.line)
    assert not result.fault
