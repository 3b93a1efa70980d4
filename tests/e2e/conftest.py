"""One release of the chart for all end-to-end tests, in a namespace of its own on the local cluster."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.release import Account, Release
from video2mp3_localcluster import cluster
from video2mp3_localcluster.layout import NodeFiles, log_dir
from video2mp3_localcluster.release import Release as Installation
from video2mp3_localcluster.release import require_cluster
from video2mp3_localcluster.step_log import StepFailed, StepLog

VALUES = Path(__file__).with_name("values.yaml")
NAMESPACE = "video2mp3-e2e"
HOST = "e2e.video2mp3.test"


@pytest.fixture(scope="session")
def release() -> Iterator[Release]:
    """The chart, freshly installed; it is removed with everything it stored when the tests are over."""
    files = NodeFiles()
    require_cluster(files)
    url = cluster.ingress_url(files)
    installation = Installation(NAMESPACE, HOST, url, "first@example.com", values=(VALUES,))
    log = StepLog(log_dir() / "e2e-install.log")
    try:
        installation.uninstall(log)
        installation.install(log)
    except StepFailed as failure:
        pytest.fail(f"{failure}\n{log.tail()}", pytrace=False)
    release = Release(files.programs / "kubectl", files.kubeconfig, NAMESPACE, installation.name, url, HOST)
    yield release
    release.mongodb.close()
    installation.uninstall(log)
    log.close()


@pytest.fixture
def account(release: Release) -> Account:
    """Somebody who is new."""
    return release.create_account()


@pytest.fixture
def other(release: Release) -> Account:
    """Somebody else who is new."""
    return release.create_account()
