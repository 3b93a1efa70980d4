"""Files as people's recorders, servers and players left them: in the worker's image each becomes what its row says.

The table of all of them, with what came beside what is right, stands at the end of the run.
"""

import json
from collections.abc import Callable, Mapping

import pytest

from tests.integration.worker import in_image
from tests.integration.worker.corpus.rows import PROPERTY, ROWS, Row

pytestmark = pytest.mark.timeout(in_image.SECONDS + 300)


@pytest.fixture(scope="module")
def results() -> Mapping[str, Mapping[str, str]]:
    """By the rows' titles; of none that was not come to."""
    done = in_image.run("tests.integration.worker.corpus")
    there = {result["title"]: result for result in map(json.loads, done.stdout.splitlines())}
    missing = {"line": "", "fault": done.stderr or "it was not come to"}
    return {row.title: there.get(row.title, missing) for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
def test_each_file_becomes_what_its_row_says(
    row: Row, results: Mapping[str, Mapping[str, str]], record_property: Callable[[str, object], None]
) -> None:
    record_property(PROPERTY, results[row.title]["line"])
    assert results[row.title]["fault"] == ""
