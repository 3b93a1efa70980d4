"""One release of the chart for all end-to-end tests, in a namespace of its own on the local cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import media
from tests.e2e.installed import installed
from tests.e2e.public_web import PublicWeb
from tests.e2e.release import Account, Release
from video2mp3_localcluster.steps.step_log import StepFailed

NAMESPACE = "video2mp3-e2e"
TENANT_NAMESPACE = "video2mp3-e2e-tenant"
"""Watched as well, and edited by somebody who does not run the release."""

HOST = "e2e.video2mp3.test"
LONG_SECONDS = 45 * 60
"""Of media: workers are busy with it for many seconds."""

TIMEOUT_SECONDS = 900
"""For one test, where it does not say so itself."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is awaited here takes longer than in other tests."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here) and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(TIMEOUT_SECONDS))


@pytest.fixture(scope="package")
def release() -> Iterator[Release]:
    """The chart, freshly installed; it is removed with everything it stored when the tests are over."""
    try:
        with installed(NAMESPACE, HOST, TENANT_NAMESPACE) as release:
            yield release
    except StepFailed as failure:
        pytest.fail(str(failure), pytrace=False)


@pytest.fixture
def account(release: Release) -> Account:
    """Somebody who is new."""
    return release.create_account()


@pytest.fixture
def other(release: Release) -> Account:
    """Somebody else who is new."""
    return release.create_account()


@pytest.fixture(scope="package")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video whose conversion can be interrupted."""
    return media.make_long_video(tmp_path_factory.mktemp("media") / "long.mp4", LONG_SECONDS)


@pytest.fixture(scope="package")
def web(release: Release) -> Iterator[PublicWeb]:
    """A web server that workers may fetch from."""
    with PublicWeb(release) as web:
        yield web
