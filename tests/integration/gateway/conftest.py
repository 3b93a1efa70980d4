"""A whole gateway on loopback: gunicorn, a real MongoDB, and an auth service and an API server that can fail."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pymongo
import pytest
import requests
from pymongo import MongoClient
from pymongo.database import Database

from tests.integration.gateway.auth_server import AuthServer
from tests.integration.gateway.conversions_api import ConversionsApi
from tests.integration.gateway.gateway_server import GatewayServer
from tests.servers import MongoDBServer
from tests.servers.process import await_condition
from video2mp3_contracts.runtime.mongo import Document

ALICE = "alice@example.com"
_CLOSE_SECONDS = 1


@dataclass
class Installation:
    """A gateway and what it works with."""

    gateway: GatewayServer
    auth: AuthServer
    kubernetes: ConversionsApi
    mongodb: MongoDBServer
    client: MongoClient[Document]

    @property
    def videos(self) -> Database[Document]:
        return self.client.videos

    @property
    def mp3s(self) -> Database[Document]:
        return self.client.mp3s

    @property
    def stored(self) -> tuple[int, int, int]:
        """How many files, chunks and Conversions there are."""
        files = self.videos.fs.files.count_documents({})
        return files, self.videos.fs.chunks.count_documents({}), len(self.kubernetes.objects)

    def ready(self) -> bool:
        """Whether the gateway would be sent requests."""
        return requests.get(f"{self.gateway.url}/readyz", timeout=20).status_code == 200

    def lists_nothing(self) -> bool:
        """Whether the gateway knows that there are no Conversions."""
        return self.ready() and "\nvideo2mp3_gateway_conversions_cached 0.0\n" in self.gateway.metrics()

    def listed(self, account: str, count: int) -> list[str]:
        """The names on an account's pages, as soon as there are so many."""
        names: list[str] = []

        def all_there() -> bool:
            names[:] = self._pages(account)
            return len(names) == count

        await_condition(all_there, seconds=30, what=f"not {count} are listed")
        return names

    def _pages(self, account: str) -> list[str]:
        names: list[str] = []
        path = "/conversions?limit=100"
        while path:
            answer = requests.get(f"{self.gateway.url}{path}", headers=self.authorized(account), timeout=20)
            assert answer.status_code == 200, answer.text
            names += [conversion["name"] for conversion in answer.json()["conversions"]]
            path = answer.json()["nextUrl"]
        return names

    def authorized(self, account: str = ALICE) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.auth.token(account)}"}


def settings_for(auth: AuthServer, kubernetes: ConversionsApi, uri: str, folder: Path) -> dict[str, str]:
    """The environment of a gateway that works with these."""
    return {
        "GATEWAY_MONGODB_URI": uri,
        "GATEWAY_AUTH_URL": auth.url,
        "GATEWAY_CONVERSION_NAMESPACE": "people",
        "GATEWAY_KUBECONFIG": str(kubernetes.kubeconfig(folder)),
        "GATEWAY_MAX_UPLOAD_BYTES": str(2 * 1024**3),
    }


@pytest.fixture(scope="session")
def gateway_installations(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[MongoDBServer], Installation]]:
    """A gateway and all it needs, for each engine that is asked for and the whole run."""
    made: dict[str, Installation] = {}
    with ExitStack() as stack:

        def installation_on(mongodb: MongoDBServer) -> Installation:
            if mongodb.name not in made:
                made[mongodb.name] = stack.enter_context(an_installation(mongodb, tmp_path_factory.mktemp("gateway")))
            return made[mongodb.name]

        yield installation_on


@contextmanager
def an_installation(mongodb: MongoDBServer, folder: Path) -> Iterator[Installation]:
    """A gateway that works with this store, and all else that it needs."""
    with AuthServer() as auth, ConversionsApi() as kubernetes:
        settings = settings_for(auth, kubernetes, mongodb.uri_of("gateway"), folder)
        with GatewayServer(settings) as gateway, _client(mongodb) as client:
            yield Installation(gateway, auth, kubernetes, mongodb, client)


@contextmanager
def _client(mongodb: MongoDBServer) -> Iterator[MongoClient[Document]]:
    client = mongodb.client(timeoutMS=20_000)
    try:
        yield client
    finally:
        # The store may have ended before: closing would look for it for half a minute.
        with pymongo.timeout(_CLOSE_SECONDS):
            client.close()


@pytest.fixture(scope="session")
def gateway_installation(
    gateway_installations: Callable[[MongoDBServer], Installation], mongodb_server: MongoDBServer
) -> Installation:
    """The one on the engine that tests use which name none."""
    return gateway_installations(mongodb_server)


@pytest.fixture
def installation(
    gateway_installations: Callable[[MongoDBServer], Installation], mongodb: MongoDBServer
) -> Installation:
    """The gateway, with nothing stored and everything around it well, whatever the test before did."""
    installation = gateway_installations(mongodb)
    installation.auth.reset()
    installation.kubernetes.reset()
    installation.gateway.restore()
    await_condition(installation.lists_nothing, seconds=30, what="the gateway still lists what is gone")
    return installation


@pytest.fixture
def restarted(installation: Installation) -> Installation:
    """The same, with a gateway that has just started."""
    installation.gateway.stop()
    installation.gateway.start()
    await_condition(installation.ready, seconds=30, what="the gateway is not ready")
    return installation
