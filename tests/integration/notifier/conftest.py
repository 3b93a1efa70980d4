"""A running notifier, and what tests look at beside it."""

from collections.abc import Iterator

import pytest

from tests.integration.notifier.broker import Broker
from tests.integration.notifier.process import NotifierProcess
from tests.integration.notifier.stored import Ledger
from tests.servers import MailsinkServer, MongoDBServer, RabbitMQServer


@pytest.fixture
def notifier(rabbitmq: RabbitMQServer, mongodb: MongoDBServer, mailsink: MailsinkServer) -> Iterator[NotifierProcess]:
    """A notifier that consumes."""
    with NotifierProcess(rabbitmq, mongodb, mailsink) as process:
        yield process


@pytest.fixture
def broker(rabbitmq: RabbitMQServer) -> Broker:
    """The queues, to publish to and to look into."""
    return Broker(rabbitmq.url)


@pytest.fixture
def ledger(mongodb: MongoDBServer) -> Iterator[Ledger]:
    """The ledger, to prepare and to look at."""
    with mongodb.client(tz_aware=True) as client:
        yield Ledger(client)
