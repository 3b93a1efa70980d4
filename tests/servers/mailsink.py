"""The mail sink of the local cluster, as the SMTP provider of the tests."""

import json
import secrets
import sys
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from tests.servers.process import Server, await_condition, free_port
from video2mp3_localcluster.node.pki import create_self_signed
from video2mp3_mailsink.behaviour import Mode, Treatment

_REQUEST_SECONDS = 5


class MailsinkServer(Server):
    """SMTP with TLS and login; clients connect to `localhost`, which the certificate names."""

    name: ClassVar[str] = "mailsink"

    def __init__(self) -> None:
        super().__init__()
        self.smtp_host = "localhost"
        self.smtps_port = free_port()
        self.http_port = free_port()
        self.username = "video2mp3"
        self.password = secrets.token_urlsafe(12)

    @property
    def ca_file(self) -> Path:
        """The certificate that clients must trust."""
        return self.directory / "tls.crt"

    def prepare(self) -> None:
        """Make the certificate, which stays the same over restarts."""
        create_self_signed(self.directory, "tls", self.smtp_host)

    def command(self) -> Sequence[str]:
        """Return the argv."""
        return [sys.executable, "-m", "video2mp3_mailsink"]

    def environment(self) -> Mapping[str, str]:
        """Return the sink's options."""
        return {
            "MAILSINK_HOST": self.host,
            "MAILSINK_SMTP_PORT": str(self.port),
            "MAILSINK_SMTPS_PORT": str(self.smtps_port),
            "MAILSINK_HTTP_PORT": str(self.http_port),
            "MAILSINK_USERNAME": self.username,
            "MAILSINK_PASSWORD": self.password,
            "MAILSINK_TLS_DIRECTORY": str(self.directory),
        }

    def answers(self) -> bool:
        """Ask for its health, which it answers once SMTP listens as well."""
        try:
            self.request("GET", "/healthz", timeout=1)
        except OSError:
            return False
        return True

    def request(self, method: str, path: str, body: object = None, *, timeout: float = _REQUEST_SECONDS) -> bytes:
        """Call the HTTP API."""
        request = urllib.request.Request(
            f"http://{self.host}:{self.http_port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request, timeout=timeout) as response:
            answer: bytes = response.read()
        return answer

    def messages(self) -> list[dict[str, Any]]:
        """Return the accepted messages, oldest first: id, from, to, subject, date, text, html, messageId."""
        found: list[dict[str, Any]] = json.loads(self.request("GET", "/messages"))
        return found

    def await_messages(self, count: int, seconds: float = 10) -> list[dict[str, Any]]:
        """Wait until at least `count` messages were accepted, and return them all."""
        await_condition(lambda: len(self.messages()) >= count, seconds=seconds, what=f"not {count} messages arrived")
        return self.messages()

    def contents(self) -> list[bytes]:
        """The accepted messages byte for byte, oldest first."""
        return [self.request("GET", f"/messages/{message['id']}") for message in self.messages()]

    def behave(self, treatment: Treatment | Mode | str) -> None:
        """Switch how senders are treated; a mode alone is for messages."""
        if not isinstance(treatment, Treatment):
            treatment = Treatment(mode=Mode(treatment))
        self.request("PUT", "/behaviour", treatment.model_dump(mode="json"))

    def reset(self) -> None:
        """Forget the messages and accept new ones."""
        self.request("DELETE", "/messages")
        self.behave(Mode.ACCEPT)
