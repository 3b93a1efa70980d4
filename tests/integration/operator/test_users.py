"""Each service's user in MongoDB and RabbitMQ: what it may do, it may; all else is refused by the server."""

import asyncio
import json
from typing import Any

import gridfs
import pytest
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from tests.contract.chart.helm import Chart
from tests.integration.operator.operator_process import OperatorProcess
from tests.servers import MongoDBServer, RabbitMQServer
from video2mp3_contracts.messaging.message import MP3_QUEUE, ConversionFinished, ConversionRef
from video2mp3_contracts.runtime import amqp
from video2mp3_contracts.runtime.amqp import BrokerError

WITH_ROLES = pytest.mark.parametrize("mongodb", ["secantusdb"], indirect=True)
"""FerretDB knows no roles that say what a service may do."""
SERVICES = ("gateway", "operator", "worker", "notifier")
MESSAGE = ConversionFinished(
    kind="failed",
    conversion=ConversionRef(uid="u", namespace="media", name="talk"),
    owner="you@example.com",
    email="you@example.com",
    reason="NoAudio",
    message="It has no sound.",
)


@pytest.fixture
def files(mongodb: MongoDBServer) -> MongoDBServer:
    """Somebody's video and mp3."""
    with mongodb.client() as client:
        for database in ("videos", "mp3s"):
            gridfs.GridFSBucket(client[database]).upload_from_stream("a", b"bytes")
        client.mp3s.conversions.insert_one({"_id": "uid"})
    return mongodb


def may(mongodb: MongoDBServer, service: str, database: str, collection: str, action: str) -> bool:
    """Whether the server lets a service's user do something."""
    asked: dict[str, Any] = {
        "find": lambda where: where.find_one({}),
        "insert": lambda where: where.insert_one({}),
        "update": lambda where: where.update_one({"_id": 0}, {"$set": {"a": 1}}),
        "remove": lambda where: where.delete_one({"_id": 0}),
    }
    with MongoClient[dict[str, Any]](mongodb.uri_of(service), timeoutMS=10_000) as client:
        try:
            asked[action](client[database][collection])
        except OperationFailure as error:
            assert error.code == 13, error  # noqa: PT017 - any other code is no answer
            return False
    return True


@WITH_ROLES
@pytest.mark.parametrize(
    ("service", "database", "refused"),
    [
        ("gateway", "videos", set()),
        ("gateway", "mp3s", {"insert", "update"}),
        ("operator", "videos", set()),
        ("operator", "mp3s", set()),
        ("worker", "videos", {"insert", "remove", "update"}),
        ("worker", "mp3s", set()),
        ("notifier", "videos", {"find", "insert", "remove", "update"}),
        ("gateway", "auth", {"find", "insert", "remove", "update"}),
        ("operator", "admin", {"find", "insert", "remove", "update"}),
        ("worker", "admin", {"find", "insert", "remove", "update"}),
    ],
)
def test_what_each_service_may_do_with_files(files: MongoDBServer, service: str, database: str, refused: set[str]):
    """The ledger's own collection gives more rights; files show what holds for a database."""
    actions = ("find", "insert", "update", "remove")
    got = {each for each in actions if not may(files, service, database, "fs.files", each)}
    # The stand-in knows rights by database only: there the ledger's count for its neighbours, which MongoDB's do not.
    assert got == refused - ({"update"} if (service, database) == ("gateway", "mp3s") else set())


@WITH_ROLES
def test_nobody_makes_users(files: MongoDBServer):
    for service in SERVICES:
        with (
            MongoClient[dict[str, Any]](files.uri_of(service), timeoutMS=10_000) as client,
            pytest.raises(OperationFailure),
        ):
            client.admin.command("createUser", "me", pwd="me", roles=["root"])


@WITH_ROLES
def test_the_command_can_be_given_again_and_changes_passwords(files: MongoDBServer, operator: OperatorProcess):
    new = files.uri_of("worker").replace(files.password, "another")
    operator.changes |= {"USERS_ADMIN_URI": files.uri, "USERS_WORKER_URI": new}
    told = operator.run("users").stdout.decode()
    assert told == "worker has the role video2mp3-worker.\n"
    with MongoClient[dict[str, Any]](new, timeoutMS=10_000) as client:
        assert client.videos.fs.files.find_one({}) is not None
    assert not logs_in(files.uri_of("worker"))
    operator.changes["USERS_WORKER_URI"] = files.uri_of("worker")
    operator.run("users")
    assert logs_in(files.uri_of("worker"))


def logs_in(uri: str) -> bool:
    with MongoClient[dict[str, Any]](uri, timeoutMS=10_000) as client:
        try:
            client.videos.fs.files.find_one({})
        except OperationFailure:
            return False
    return True


def test_the_command_says_what_is_missing(operator: OperatorProcess):
    assert b"USERS_ADMIN_URI" in operator.run("users", code=1).stderr


# --- RabbitMQ ---


@pytest.fixture
def logins(chart: Chart, rabbitmq: RabbitMQServer) -> dict[str, str]:
    """The addresses of the services, whose users the broker has taken from the chart's definitions."""
    manifests = chart.render()
    told = json.loads(manifests.secrets["video2mp3-rabbitmq"]["definitions.json"].replace('"/"', f'"{rabbitmq.vhost}"'))
    # Its administrator is the test's own.
    told["users"] = [user for user in told["users"] if user["name"] != rabbitmq.username]
    rabbitmq.management("POST", "/api/definitions", told)
    passwords = {
        service: manifests.secrets[f"video2mp3-{service}"]["rabbitmq-password"]
        for service in ("operator", "worker", "notifier")
    }
    return {service: rabbitmq.url_of(service, password) for service, password in passwords.items()}


def test_who_publishes_can_and_reads_nobodys_messages(logins: dict[str, str]):
    async def publish(url: str) -> None:
        await amqp.publish(url, MESSAGE, "test")
        with pytest.raises(BrokerError, match="ACCESS_REFUSED"):
            async with amqp.open_channel(url, "test", consumes=True):
                pass
        async with amqp.open_channel(url, "test") as channel:
            channel.raw.basic_get(MP3_QUEUE, lambda *_: None)
            assert "ACCESS_REFUSED" in str(await channel.closed)

    for service in ("operator", "worker"):
        asyncio.run(publish(logins[service]))


def test_who_consumes_declares_reads_and_sends_on(logins: dict[str, str]):
    async def consume() -> bytes:
        async with amqp.open_channel(logins["notifier"], "test", consumes=True) as channel:
            await channel.publish("m", MESSAGE.body())
            got: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
            channel.raw.basic_get(MP3_QUEUE, lambda _c, _m, _p, body: got.set_result(body), auto_ack=True)
            body = await asyncio.wait_for(got, 10)
            await channel.publish("m", body, exchange="mp3.dead-letter")
            return body

    assert asyncio.run(consume()) == MESSAGE.body()
