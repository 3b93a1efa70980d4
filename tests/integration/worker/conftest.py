"""Samples for the whole run, and an empty installation for each test."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.worker.installation import Installation
from tests.integration.worker.samples import Samples
from tests.servers import MongoDBServer, RabbitMQServer


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """Media files, made when they are first asked for."""
    return Samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture
def installation(mongodb: MongoDBServer, rabbitmq: RabbitMQServer, tmp_path: Path) -> Iterator[Installation]:
    """Empty stores, and no worker left at the end."""
    there = Installation(mongodb, rabbitmq, tmp_path)
    yield there
    there.close()


@pytest.fixture
def signals() -> Iterator[None]:
    """The command line listens to signals as long as its process lives: here, no longer than the test."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)
