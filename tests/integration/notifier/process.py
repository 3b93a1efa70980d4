"""The notifier as its own process, as it runs in a pod."""

import re
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import ClassVar

from tests.servers import MailsinkServer, MongoDBServer, RabbitMQServer, Server
from tests.servers.process import await_condition

LEASE = timedelta(seconds=24)
"""Gives each step of SMTP three seconds: enough on a busy machine, and short enough to wait for the whole lease."""


class NotifierProcess(Server):
    """`video2mp3-notifier` between the test's servers; its `port` is that of the probes."""

    name: ClassVar[str] = "notifier"

    def __init__(
        self,
        rabbitmq: RabbitMQServer,
        mongodb: MongoDBServer,
        mailsink: MailsinkServer,
        lease_seconds: int = int(LEASE.total_seconds()),
    ) -> None:
        super().__init__()
        self._variables = {
            "NOTIFIER_RABBITMQ_URI": rabbitmq.url,
            "NOTIFIER_MONGODB_URI": mongodb.uri_of("notifier"),
            "NOTIFIER_SMTP_HOST": mailsink.smtp_host,
            "NOTIFIER_SMTP_PORT": str(mailsink.port),
            "NOTIFIER_SMTP_USERNAME": mailsink.username,
            "NOTIFIER_SMTP_PASSWORD": mailsink.password,
            "NOTIFIER_SMTP_CA_FILE": str(mailsink.ca_file),
            "NOTIFIER_FROM": "Video to mp3 <noreply@example.org>",
            "NOTIFIER_PUBLIC_URL": "https://mp3.example.org",
            "NOTIFIER_CLAIM_LEASE_SECONDS": str(lease_seconds),
            "NOTIFIER_HTTP_PORT": str(self.port),
        }

    def command(self) -> Sequence[str]:
        """Return the argv."""
        return [sys.executable, "-m", "video2mp3_notifier"]

    def environment(self) -> Mapping[str, str]:
        """Return its settings."""
        return self._variables

    def answers(self) -> bool:
        """Whether it consumes."""
        return self.probe("/readyz") == 200

    def probe(self, path: str) -> int:
        """The status that one of its addresses answers; 0 when there is no answer."""
        try:
            with urllib.request.urlopen(f"http://{self.host}:{self.port}{path}", timeout=1) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def metric(self, series: str) -> float:
        """The value of one series, for example `video2mp3_notifier_messages_total{outcome="sent"}`."""
        with urllib.request.urlopen(f"http://{self.host}:{self.port}/metrics", timeout=5) as response:
            text = response.read().decode()
        found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def await_outcome(self, outcome: str, count: int = 1, seconds: float = 15) -> None:
        """Wait until so many messages were handled in one way."""
        series = f'video2mp3_notifier_messages_total{{outcome="{outcome}"}}'
        await_condition(lambda: self.metric(series) >= count, seconds=seconds, what=f"not {count} messages {outcome}")
