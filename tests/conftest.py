"""How the tests share the machine: `make test` runs several at a time.

The end-to-end tests break parts of one release, so they follow each other in one process; the integration tests of one
file share its servers. The fast tests go wherever there is room.
"""

from pathlib import Path

import pytest

TESTS = Path(__file__).parent
END_TO_END_SECONDS = 900
"""Limit for one end-to-end test on a busy machine; it only ends what hangs."""


@pytest.hookimpl(tryfirst=True)  # xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say which tests have to stay together."""
    for item in items:
        level, *_ = item.path.relative_to(TESTS).parts
        if level == "e2e":
            item.add_marker(pytest.mark.xdist_group("e2e"))
            item.add_marker(pytest.mark.timeout(END_TO_END_SECONDS))
        elif level == "integration":
            item.add_marker(pytest.mark.xdist_group(str(item.path)))
