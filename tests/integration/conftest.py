"""The real servers, one of each per run; every test finds them running and empty, whatever the one before did."""

import asyncio
from collections.abc import Iterator

import pytest
from _pytest.terminal import TerminalReporter

from tests.integration.notifier import providers
from tests.integration.worker.corpus import rows
from tests.servers import (
    DatabaseServer,
    FerretDBServer,
    KubernetesServer,
    MailsinkServer,
    MariaDBServer,
    MongoDBServer,
    MySQLServer,
    RabbitMQServer,
    SecantusDBServer,
)
from video2mp3_contracts.runtime import amqp

TABLES = {
    rows.PROPERTY: "corpus: file | what is right | what came",
    providers.PROPERTY: "mail servers: answer | what the notifier does | tries, most of a day's skipped | arrivals",
}
ON_FERRETDB_TOO = pytest.mark.parametrize("mongodb", ["secantusdb", "ferretdb"], indirect=True)
BOTH_ENGINES = pytest.mark.parametrize("database", ["mysql", "mariadb"], indirect=True)


@pytest.fixture(scope="session")
def secantusdb_server() -> Iterator[MongoDBServer]:
    """MongoDB's protocol for the whole run, where each service may do what the chart lets it and no more."""
    with SecantusDBServer() as server:
        server.add_services()
        yield server


@pytest.fixture(scope="session")
def ferretdb_server() -> Iterator[MongoDBServer]:
    """The same protocol by another engine for the whole run."""
    with FerretDBServer() as server:
        server.add_services()
        yield server


@pytest.fixture(scope="session")
def mongodb_server(request: pytest.FixtureRequest) -> MongoDBServer:
    """What tests use that name no engine: SecantusDB, unless `--mongodb` says otherwise."""
    server: MongoDBServer = request.getfixturevalue(f"{request.config.getoption('mongodb')}_server")
    return server


@pytest.fixture(scope="session")
def rabbitmq_server() -> Iterator[RabbitMQServer]:
    """RabbitMQ for the whole run."""
    with RabbitMQServer() as server:
        yield server


@pytest.fixture(scope="session")
def mysql_server() -> Iterator[MySQLServer]:
    """MySQL for the whole run."""
    with MySQLServer() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariaDBServer]:
    """MariaDB for the whole run."""
    with MariaDBServer() as server:
        yield server


@pytest.fixture(scope="session")
def mailsink_server() -> Iterator[MailsinkServer]:
    """The mail sink for the whole run."""
    with MailsinkServer() as server:
        yield server


@pytest.fixture(scope="session")
def kubernetes_server() -> Iterator[KubernetesServer]:
    """A Kubernetes API for the whole run."""
    with KubernetesServer() as server:
        yield server


@pytest.fixture
def mongodb(request: pytest.FixtureRequest) -> MongoDBServer:
    """An empty MongoDB (`.uri`, `.client()`), which the test may stop, kill, pause and start.

    `ON_FERRETDB_TOO` runs a test on both engines.
    """
    server: MongoDBServer = request.getfixturevalue(f"{getattr(request, 'param', 'mongodb')}_server")
    server.restore()
    server.reset()
    return server


@pytest.fixture
def rabbitmq(rabbitmq_server: RabbitMQServer) -> RabbitMQServer:
    """A RabbitMQ with the queues that a notifier declares (`.url`), which the test may stop, kill, pause and start."""
    rabbitmq_server.restore()
    rabbitmq_server.reset()
    asyncio.run(declare(rabbitmq_server.url))
    return rabbitmq_server


async def declare(url: str) -> None:
    """Declare the queues as a notifier does."""
    async with amqp.open_channel(url, "test", consumes=True):
        pass


@pytest.fixture
def database(request: pytest.FixtureRequest) -> DatabaseServer:
    """The auth database as `init.sql` leaves it (`.url`), which the test may stop, kill, pause and start.

    It is on MySQL; `BOTH_ENGINES` runs a test on MariaDB as well.
    """
    server: DatabaseServer = request.getfixturevalue(f"{getattr(request, 'param', 'mysql')}_server")
    server.restore()
    server.reset()
    return server


@pytest.fixture
def mailsink(mailsink_server: MailsinkServer) -> MailsinkServer:
    """An empty mail sink that accepts (`.await_messages()`, `.behave()`), which the test may stop, kill and pause."""
    mailsink_server.restore()
    mailsink_server.reset()
    return mailsink_server


@pytest.fixture
def kube_apiserver(kubernetes_server: KubernetesServer) -> KubernetesServer:
    """A Kubernetes API with the CRD and RBAC (`.kubeconfig`, `.kubectl()`); what others left is in other namespaces.

    Make one of your own by `.new_namespace()`. The test may stop, kill, pause and start the API server.
    """
    kubernetes_server.restore()
    return kubernetes_server


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Show what became of each row of the tables, beside what is right."""
    for name, title in TABLES.items():
        if lines := sorted(_lines(terminalreporter, name)):
            terminalreporter.section(title)
            for line in lines:
                terminalreporter.write_line(line)


def _lines(reporter: TerminalReporter, table: str) -> Iterator[str]:
    """What the tests have handed on for a table."""
    for outcome in ("passed", "failed"):
        for report in reporter.getreports(outcome):
            yield from (str(line) for name, line in report.user_properties if name == table)
