"""The servers that the other integration tests rely on keep what they promise."""

import shutil
import smtplib
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pika
import pymysql
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pymongo.errors import OperationFailure, PyMongoError, ServerSelectionTimeoutError

from tests.integration.conftest import BOTH_ENGINES, ON_FERRETDB_TOO
from tests.servers import DatabaseServer, KubernetesServer, MailsinkServer, MongoDBServer, RabbitMQServer, ServerError
from tests.servers.process import REPOSITORY, await_condition
from video2mp3_contracts.messaging.message import QUEUES

CONVERSION = """
apiVersion: video2mp3.dev/v1
kind: Conversion
metadata: {name: example}
spec: {source: {url: "https://example.com/video.mp4"}}
"""
QUORUM = {"x-queue-type": "quorum"}


@ON_FERRETDB_TOO
def test_mongodb_demands_a_login(mongodb: MongoDBServer) -> None:
    with mongodb.client() as known:
        known.videos.things.insert_one({"_id": 1})
    with pytest.raises(OperationFailure), mongodb.client(password="wrong") as client:
        client.videos.things.find_one()


@ON_FERRETDB_TOO
def test_mongodb_keeps_its_data_over_a_kill_and_hangs_while_paused(mongodb: MongoDBServer) -> None:
    with mongodb.client(timeoutMS=5_000) as client:
        client.videos.things.insert_one({"_id": 1})
    mongodb.kill()
    with pytest.raises(ServerSelectionTimeoutError), mongodb.client(serverSelectionTimeoutMS=200) as client:
        client.videos.things.find_one()
    mongodb.start()
    mongodb.pause()
    with pytest.raises(PyMongoError), mongodb.client(timeoutMS=300) as client:
        client.videos.things.find_one()
    mongodb.resume()
    with mongodb.client(timeoutMS=5_000) as client:
        assert client.videos.things.find_one() == {"_id": 1}


_A_RUN = """
import sys
from tests.servers.mongodb import PostgreSQLServer
with PostgreSQLServer() as server:
    print(server.directory, *server.processes(), sep="\\n", flush=True)
    sys.stdin.read()
"""


def test_a_killed_run_leaves_no_process_of_postgresql() -> None:
    """It runs in a namespace of its own, and its processes in groups of their own."""
    with subprocess.Popen(
        [sys.executable, "-c", _A_RUN], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        directory = run.stdout.readline().strip()
        processes = [Path("/proc", run.stdout.readline().strip()) for _ in range(3)]
        assert all(process.exists() for process in processes)
        run.kill()
    await_condition(lambda: not any(map(Path.exists, processes)), seconds=20, what="PostgreSQL did not end")
    shutil.rmtree(directory)


def _with_channel(server: RabbitMQServer, work: Callable[[BlockingChannel], object]) -> None:
    with pika.BlockingConnection(pika.URLParameters(server.url)) as connection:
        work(connection.channel())


def _messages(server: RabbitMQServer, queue: str) -> int:
    with pika.BlockingConnection(pika.URLParameters(server.url)) as connection:
        return int(connection.channel().queue_declare(queue, passive=True).method.message_count)


def _publish(channel: BlockingChannel) -> None:
    channel.confirm_delivery()
    channel.queue_declare("things", durable=True, arguments=QUORUM)
    channel.basic_publish("", "things", b"one", pika.BasicProperties(delivery_mode=2), mandatory=True)


def test_rabbitmq_keeps_confirmed_messages_over_a_restart(rabbitmq: RabbitMQServer) -> None:
    _with_channel(rabbitmq, _publish)
    rabbitmq.stop()
    with pytest.raises(pika.exceptions.AMQPConnectionError):
        _with_channel(rabbitmq, _publish)
    rabbitmq.start()
    await_condition(lambda: _messages(rabbitmq, "things") == 1, seconds=20, what="the message did not come back")


def test_rabbitmq_is_empty_for_the_next_test(rabbitmq: RabbitMQServer) -> None:
    """But for the queues that a notifier declares."""
    queues = {queue["name"] for queue in rabbitmq.management("GET", f"/api/queues/{rabbitmq.vhost}")}
    assert queues == {queue.name for queue in QUEUES}
    assert sum(_messages(rabbitmq, name) for name in queues) == 0


def _tables(server: DatabaseServer, sql: str) -> set[str]:
    with (
        pymysql.connect(
            host=server.host,
            port=server.port,
            user=server.username,
            password=server.password,
            database=server.database,
            autocommit=True,
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
        return {str(row[0]) for row in cursor.fetchall()}


@BOTH_ENGINES
def test_the_database_has_the_schema_and_forgets_what_tests_did(database: DatabaseServer) -> None:
    schema = _tables(database, "SHOW TABLES")
    _tables(database, "CREATE TABLE scratch (id INT)")
    assert _tables(database, "SHOW TABLES") == schema | {"scratch"}
    database.reset()
    assert _tables(database, "SHOW TABLES") == schema != set()


def _mail(subject: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, "from@example.com", "to@example.com"
    message["Message-ID"] = f"<{subject}@example.com>"
    message.set_content("the text")
    message.add_alternative("<p>the html</p>", subtype="html")
    return message


def _send(server: MailsinkServer, message: EmailMessage, timeout: float = 5) -> None:
    with smtplib.SMTP(server.smtp_host, server.port, timeout=timeout) as smtp:
        smtp.starttls(context=ssl.create_default_context(cafile=str(server.ca_file)))
        smtp.login(server.username, server.password)
        smtp.send_message(message)


def test_mailsink_shows_what_it_accepted(mailsink: MailsinkServer) -> None:
    _send(mailsink, _mail("hello"))
    [message] = mailsink.await_messages(1)
    assert message | {"id": 0, "date": "", "receivedAt": ""} == {
        "id": 0,
        "from": "from@example.com",
        "to": ["to@example.com"],
        "subject": "hello",
        "date": "",
        "messageId": "<hello@example.com>",
        "receivedAt": "",
        "text": "the text\n",
        "html": "<p>the html</p>\n",
    }
    assert b"&lt;p&gt;the html&lt;/p&gt;" in mailsink.request("GET", "/")


def test_mailsink_demands_tls_and_login(mailsink: MailsinkServer) -> None:
    with smtplib.SMTP(mailsink.smtp_host, mailsink.port, timeout=5) as smtp:
        assert smtp.docmd("MAIL", "FROM:<a@example.com>")[0] == 530
        smtp.starttls(context=ssl.create_default_context(cafile=str(mailsink.ca_file)))
        assert smtp.docmd("MAIL", "FROM:<a@example.com>")[0] in (503, 530)
        smtp.ehlo()
        assert smtp.docmd("MAIL", "FROM:<a@example.com>")[0] == 530
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login(mailsink.username, "wrong")
    assert mailsink.messages() == []


@pytest.mark.parametrize(("mode", "code"), [("reject-temporarily", 451), ("reject-permanently", 550)])
def test_mailsink_rejects(mailsink: MailsinkServer, mode: str, code: int) -> None:
    mailsink.behave(mode)
    with pytest.raises(smtplib.SMTPDataError) as refused:
        _send(mailsink, _mail("refused"))
    assert refused.value.smtp_code == code
    assert mailsink.messages() == []


def test_mailsink_keeps_nothing_of_a_sender_who_gave_up_waiting(mailsink: MailsinkServer) -> None:
    mailsink.behave("stall")
    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        _send(mailsink, _mail("gone"), timeout=0.5)
    waiting = threading.Thread(target=_send, args=(mailsink, _mail("patient"), 20))
    waiting.start()
    await_condition(lambda: b'"stall"' in mailsink.request("GET", "/behaviour"), seconds=5, what="no stall")
    mailsink.behave("accept")
    waiting.join(20)
    assert [message["subject"] for message in mailsink.await_messages(1)] == ["patient"]


def test_kube_apiserver_serves_conversions_and_keeps_them_over_a_kill(kube_apiserver: KubernetesServer) -> None:
    namespace = kube_apiserver.new_namespace()
    kube_apiserver.kubectl("apply", "--namespace", namespace, "--filename=-", stdin=CONVERSION)
    kube_apiserver.kill()
    with pytest.raises(ServerError, match="refused"):
        kube_apiserver.kubectl("get", "namespace", namespace)
    kube_apiserver.start()
    listed = kube_apiserver.kubectl("get", "conversions", "--namespace", namespace, "--output", "name")
    assert listed == "conversion.video2mp3.dev/example\n"


def test_kube_apiserver_enforces_rbac(kube_apiserver: KubernetesServer) -> None:
    namespace = kube_apiserver.new_namespace()
    kube_apiserver.kubectl("create", "serviceaccount", "nobody", "--namespace", namespace)
    token = kube_apiserver.kubectl("create", "token", "nobody", "--namespace", namespace).strip()
    context = ssl.create_default_context(cafile=str(kube_apiserver.ca_file))
    request = urllib.request.Request(
        f"{kube_apiserver.url}/apis/video2mp3.dev/v1/namespaces/{namespace}/conversions",
        headers={"Authorization": f"Bearer {token}"},
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=10, context=context)
    refused.value.close()
    assert refused.value.code == 403
