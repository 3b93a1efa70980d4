"""For all tests."""

import hypothesis
import pytest

# A busy machine is slow; that is no fault of what is tested.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let all tests that store something run on the other engine."""
    parser.addoption(
        "--mongodb",
        choices=["secantusdb", "ferretdb"],
        default="secantusdb",
        help="what speaks MongoDB's protocol in the tests that do not name one",
    )
