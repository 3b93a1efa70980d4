"""The chart as Helm renders it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contract.chart.helm import Chart
from tests.contract.chart.manifests import Manifests
from tests.made import made
from video2mp3_localcluster.programs.binaries import compiled

Render = Callable[..., Manifests]


@pytest.fixture(scope="session")
def helm() -> Path:
    """The local cluster's helm; compiled by the first run on a machine."""
    return made("helm", compiled("helm")) / "helm"


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
