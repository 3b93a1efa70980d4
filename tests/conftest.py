"""For all tests."""

import hypothesis
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

END_TO_END = "tests/e2e"

# A busy machine is slow; that is no fault of what is tested.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")


class FilesSideBySide(LoadScopeScheduling):
    """A file's tests follow each other, and so do all end-to-end ones, which break parts of one release."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::", 1)[0]
        return END_TO_END if file.startswith(f"{END_TO_END}/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FilesSideBySide:
    """Who runs what, where there is more than one process."""
    return FilesSideBySide(config, log)
