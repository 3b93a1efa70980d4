"""What docs/runbooks.md tells people to run does what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.integration.notifier.broker import Broker
from tests.integration.notifier.process import NotifierProcess
from tests.servers import MailsinkServer, RabbitMQServer
from tests.servers.process import await_condition
from tests.unit.notifier.builders import a_message
from video2mp3_contracts.messaging.message import DEAD_LETTER_QUEUE
from video2mp3_mailsink.behaviour import Mode

RUNBOOKS = Path(__file__).parents[3] / "docs" / "runbooks.md"


def test_dead_letters_are_sent_again(
    notifier: NotifierProcess, broker: Broker, rabbitmq: RabbitMQServer, mailsink: MailsinkServer
) -> None:
    mailsink.behave(Mode.REJECT_PERMANENTLY)
    broker.publish(a_message().build())
    await_condition(lambda: broker.ready(DEAD_LETTER_QUEUE) == 1, seconds=30, what="it was not given up")
    mailsink.behave(Mode.ACCEPT)

    [script] = re.findall(r"python3 - <<'END'\n(.*?)^END$", RUNBOOKS.read_text(), re.MULTILINE | re.DOTALL)
    environment = os.environ | {"NOTIFIER_RABBITMQ_URI": rabbitmq.url}
    subprocess.run([sys.executable, "-"], input=script, text=True, env=environment, timeout=60, check=True)

    (email,) = mailsink.await_messages(1)
    assert email["subject"] == "Your mp3 is ready: talk.mp3"
    broker.await_all_handled()
