"""The chart as Helm renders it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.chart.helm import Chart
from tests.contract.chart.manifests import Manifests
from video2mp3_localcluster.binaries import compiled
from video2mp3_localcluster.layout import log_dir
from video2mp3_localcluster.step_log import StepLog

Render = Callable[..., Manifests]


@pytest.fixture(scope="session")
def helm() -> Path:
    """The local cluster's helm; compiled by the first run on a machine."""
    artefact = compiled("helm")
    log = StepLog(log_dir() / "helm-for-tests.log")
    try:
        artefact.make(log)
    finally:
        log.close()
    return artefact.folder / "helm"


@pytest.fixture(scope="session")
def chart(helm: Path) -> Chart:
    return Chart(helm)


@pytest.fixture(scope="session")
def manifests(chart: Chart) -> Manifests:
    """What the smallest set of values gives."""
    return chart.render()


@pytest.fixture(scope="session")
def external(chart: Chart) -> Manifests:
    """What it gives with servers of one's own."""
    return chart.render(EXTERNAL)


EXTERNAL: dict[str, Any] = {
    "externalMysql": {"existingSecret": "my-mysql"},
    "externalMongodb": {"existingSecret": "my-mongodb"},
    "externalRabbitmq": {"existingSecret": "my-rabbitmq"},
    "worker": {"existingSecret": "my-worker"},
}
