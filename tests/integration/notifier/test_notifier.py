"""⑧⑨ The notifier between a real broker, a real ledger and a real mail server: one email, whatever breaks."""

import json
import threading
from urllib.parse import quote

import pytest

from tests.integration.conftest import ON_FERRETDB_TOO
from tests.integration.notifier.broker import Broker
from tests.integration.notifier.process import NotifierProcess
from tests.integration.notifier.stored import Ledger
from tests.servers import MailsinkServer, MongoDBServer, RabbitMQServer
from tests.servers.process import await_condition
from tests.unit.notifier.builders import FILE_ID, a_message
from video2mp3_contracts.messaging.message import MP3_QUEUE
from video2mp3_contracts.runtime.amqp import BrokerError
from video2mp3_mailsink.behaviour import Mode

MESSAGE = a_message().build()


def test_a_finished_conversion_is_told_of(
    notifier: NotifierProcess, broker: Broker, ledger: Ledger, mailsink: MailsinkServer
) -> None:
    ledger.add(MESSAGE)
    broker.publish(MESSAGE)
    (email,) = mailsink.await_messages(1)
    assert email["from"] == "noreply@example.org"
    assert email["to"] == ["ada@example.org"]
    assert f"https://mp3.example.org/download?fid={FILE_ID}" in email["text"]
    assert email["subject"] == "Your mp3 is ready: talk.mp3"
    ledger.await_sent(MESSAGE)
    broker.await_all_handled()
    assert "orphanedAt" not in (ledger.collection.find_one({"_id": MESSAGE.conversion.uid}) or {})
    assert notifier.probe("/healthz") == 200


def test_a_failure_is_told_of_with_its_reason(
    notifier: NotifierProcess, broker: Broker, mailsink: MailsinkServer
) -> None:
    broker.publish(a_message().failed("NoAudio", "The video has pictures but no sound.").build())
    (email,) = mailsink.await_messages(1)
    assert "Why: The video has pictures but no sound." in email["text"]


def test_names_that_look_like_encoded_words_stop_nobodys_mail(
    notifier: NotifierProcess, broker: Broker, mailsink: MailsinkServer
) -> None:
    names = [f"talk {number}.mp3" for number in range(50)]
    names[25] = "=?utf-7?q?+2AA-?= x.mp3"
    broker.publish_many([a_message().about(name).named(name).build().body() for name in names])
    emails = mailsink.await_messages(50, seconds=40)
    assert sorted(email["subject"].removeprefix("Your mp3 is ready: ") for email in emails) == sorted(names)
    assert notifier.metric("video2mp3_notifier_broker_connection_losses_total") == 0


def test_copies_handled_by_two_notifiers_make_one_email(
    notifier: NotifierProcess,
    broker: Broker,
    rabbitmq: RabbitMQServer,
    mongodb: MongoDBServer,
    mailsink: MailsinkServer,
) -> None:
    with NotifierProcess(rabbitmq, mongodb, mailsink) as other:
        broker.publish(MESSAGE, copies=12)
        mailsink.await_messages(1)
        # The queues are empty while the last messages are still in hand.
        await_condition(lambda: sum(handled_by(notifier, other)) >= 12, seconds=60, what="not all copies were handled")
        assert min(handled_by(notifier, other)) > 0, "both took part"
        broker.await_all_handled()
    assert len(mailsink.messages()) == 1


def handled_by(*notifiers: NotifierProcess) -> list[float]:
    """How many messages each has come to a verdict over."""
    return [each.metric("video2mp3_notifier_handling_seconds_count") for each in notifiers]


def test_nobody_to_tell(notifier: NotifierProcess, broker: Broker, mailsink: MailsinkServer) -> None:
    broker.publish(a_message().to("").build())
    notifier.await_outcome("no-address")
    broker.await_all_handled()
    assert mailsink.messages() == []


def test_a_mail_server_that_was_away_gets_one_email(
    notifier: NotifierProcess, broker: Broker, ledger: Ledger, mailsink: MailsinkServer
) -> None:
    mailsink.stop()
    broker.publish(MESSAGE, copies=2)
    notifier.await_outcome("retried")
    mailsink.start()
    # First: no queue shows a message that the notifier has in hand.
    ledger.await_sent(MESSAGE, seconds=100)
    broker.await_all_handled(seconds=100)
    assert len(mailsink.messages()) == 1


def test_a_refused_recipient_is_given_up_at_once(
    notifier: NotifierProcess, broker: Broker, mailsink: MailsinkServer
) -> None:
    mailsink.behave(Mode.REJECT_PERMANENTLY)
    broker.publish(MESSAGE)
    letter = broker.await_dead_letter()
    assert letter.message_id == MESSAGE.message_id
    assert json.loads(letter.body)["fileId"] == FILE_ID
    assert letter.headers["x-video2mp3-reason"] == "Refused"
    assert letter.headers["x-video2mp3-why"] == "the email was refused: 550 5.1.1 no such user here"
    assert "x-video2mp3-failed-tries" not in letter.headers
    assert notifier.metric('video2mp3_notifier_dead_letters_total{reason="Refused"}') == 1


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"\x00 poison", "Malformed"), (b'{"version": 2}', "UnknownVersion"), (b"{}", "Malformed")],
)
def test_a_message_that_cannot_be_read_is_given_up_at_once(
    notifier: NotifierProcess, broker: Broker, mailsink: MailsinkServer, body: bytes, reason: str
) -> None:
    broker.publish_raw(body, "poison")
    letter = broker.await_dead_letter()
    assert (letter.message_id, letter.body, letter.headers["x-video2mp3-reason"]) == ("poison", body, reason)
    broker.publish(MESSAGE)
    assert len(mailsink.await_messages(1)) == 1, "and the next one is handled"


@ON_FERRETDB_TOO
def test_a_notifier_killed_while_it_sends_leaves_one_email(
    broker: Broker, ledger: Ledger, rabbitmq: RabbitMQServer, mongodb: MongoDBServer, mailsink: MailsinkServer
) -> None:
    mailsink.behave(Mode.STALL)
    with NotifierProcess(rabbitmq, mongodb, mailsink, lease_seconds=11) as first:
        broker.publish(MESSAGE)
        ledger.await_claim(MESSAGE)
        first.kill()
    assert ledger.state(MESSAGE).claim_token is not None, "it died with the claim in its hands"
    mailsink.behave(Mode.ACCEPT)
    with NotifierProcess(rabbitmq, mongodb, mailsink) as second:
        second.await_outcome("claim-held")
        assert mailsink.messages() == []
        mailsink.await_messages(1, seconds=60)
        broker.await_all_handled()
    assert len(mailsink.messages()) == 1


def test_a_broker_that_restarts_is_found_again(
    notifier: NotifierProcess, broker: Broker, rabbitmq: RabbitMQServer, mailsink: MailsinkServer
) -> None:
    rabbitmq.stop()
    await_condition(lambda: notifier.probe("/readyz") == 503, seconds=10, what="it still claims to be ready")
    assert notifier.probe("/healthz") == 200
    rabbitmq.start()
    broker.publish(MESSAGE)
    assert len(mailsink.await_messages(1, seconds=45)) == 1
    assert notifier.metric("video2mp3_notifier_broker_connected") == 1


def test_a_connection_lost_during_a_send_makes_no_second_email(
    notifier: NotifierProcess, broker: Broker, ledger: Ledger, rabbitmq: RabbitMQServer, mailsink: MailsinkServer
) -> None:
    await_condition(lambda: bool(rabbitmq.connections()), seconds=15, what="the connection was not listed")
    (connection,) = rabbitmq.connections()
    mailsink.behave(Mode.STALL)
    broker.publish(MESSAGE)
    ledger.await_claim(MESSAGE)
    rabbitmq.management("DELETE", "/api/connections/" + quote(connection["name"], safe=""))
    mailsink.behave(Mode.ACCEPT)
    ledger.await_sent(MESSAGE)
    notifier.await_outcome("already-sent", seconds=60)
    broker.await_all_handled()
    assert notifier.metric("video2mp3_notifier_redeliveries_total") >= 1
    assert len(mailsink.messages()) == 1


def test_a_queue_that_was_deleted_is_declared_again(
    notifier: NotifierProcess, broker: Broker, rabbitmq: RabbitMQServer, mailsink: MailsinkServer
) -> None:
    rabbitmq.management("DELETE", rabbitmq.queue_path(MP3_QUEUE))
    await_condition(
        lambda: notifier.metric("video2mp3_notifier_broker_connection_losses_total") >= 1,
        seconds=10,
        what="it was not noticed",
    )
    await_condition(lambda: is_taken(broker), seconds=10, what="the queue was not declared again")
    assert len(mailsink.await_messages(1)) == 1


def is_taken(broker: Broker) -> bool:
    """Publish as a worker does, which declares nothing; answers whether there was a queue."""
    try:
        broker.publish(MESSAGE)
    except BrokerError:
        return False
    return True


def test_a_ledger_that_was_away_loses_nothing(
    notifier: NotifierProcess, broker: Broker, mongodb: MongoDBServer, mailsink: MailsinkServer
) -> None:
    mongodb.stop()
    broker.publish(MESSAGE)
    notifier.await_outcome("retried", seconds=30)
    assert mailsink.messages() == []
    mongodb.start()
    mailsink.await_messages(1, seconds=60)
    broker.await_all_handled()
    assert len(mailsink.messages()) == 1


def test_a_notifier_told_to_stop_finishes_what_is_in_hand(
    notifier: NotifierProcess, broker: Broker, ledger: Ledger, mailsink: MailsinkServer
) -> None:
    mailsink.behave(Mode.STALL)
    broker.publish(MESSAGE)
    ledger.await_claim(MESSAGE)
    stopping = threading.Thread(target=notifier.stop)
    stopping.start()
    await_condition(lambda: notifier.probe("/readyz") != 200, seconds=5, what="it did not stop consuming")
    mailsink.behave(Mode.ACCEPT)
    stopping.join(15)
    assert not notifier.running
    assert len(mailsink.messages()) == 1
    assert ledger.state(MESSAGE).sent_at is not None
    broker.await_all_handled(seconds=5)
    assert '"stopped"' in notifier.log_tail()
    (done,) = [json.loads(line) for line in notifier.log_tail().splitlines() if '"message_done"' in line]
    assert {"namespace": "media", "conversion": "talk", "message_id": MESSAGE.message_id}.items() <= done.items()


def test_a_conversion_deleted_meanwhile_is_told_of_and_leaves_nothing_for_ever(
    notifier: NotifierProcess, broker: Broker, ledger: Ledger, mailsink: MailsinkServer
) -> None:
    broker.publish(MESSAGE, copies=2)
    mailsink.await_messages(1)
    broker.await_all_handled()
    assert len(mailsink.messages()) == 1
    entry = ledger.collection.find_one({"_id": MESSAGE.conversion.uid})
    assert entry is not None
    assert entry["orphanedAt"] is not None
    indexes = ledger.collection.index_information().values()
    assert [index.get("expireAfterSeconds") for index in indexes if index["key"] == [("orphanedAt", 1)]] == [604800]


def test_settings_that_are_wrong_end_it_with_their_names(
    rabbitmq: RabbitMQServer, mongodb: MongoDBServer, mailsink: MailsinkServer
) -> None:
    process = NotifierProcess(rabbitmq, mongodb, mailsink, lease_seconds=1)
    with pytest.raises(Exception, match="NOTIFIER_CLAIM_LEASE_SECONDS") as error, process:
        pass
    assert mailsink.password not in str(error.value)
