"""A running notifier, and what tests look at beside it."""

from collections.abc import Iterator

import pytest

from tests.integration.notifier.broker import Broker
from tests.integration.notifier.process import LEASE, NotifierProcess
from tests.integration.notifier.stored import Ledger
from tests.servers import MailsinkServer, MongoDBServer, RabbitMQServer
from video2mp3_notifier.smtp import MailServer, TimeLimits, tls_context


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


@pytest.fixture
def server(mailsink: MailsinkServer) -> MailServer:
    """The mail server as the notifier's settings describe it."""
    return MailServer(
        host=mailsink.smtp_host,
        port=mailsink.port,
        limits=TimeLimits.within(LEASE),
        tls=tls_context(mailsink.ca_file),
        username=mailsink.username,
        password=mailsink.password,
    )
