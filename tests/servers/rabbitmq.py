"""RabbitMQ, from Debian's package, as a node of its own with its own port mapper."""

import json
import os
import secrets
import subprocess
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from tests.servers.process import Server, await_condition, free_port, program, spawn

_SCRIPTS = "/usr/lib/rabbitmq/bin"
_REQUEST_SECONDS = 10
_ELECTION_SECONDS = 8.0
_POLL_SECONDS = 0.1

_CONFIGURATION = """\
listeners.tcp.1 = {host}:{port}
management.tcp.ip = {host}
management.tcp.port = {management_port}
default_user = {username}
default_pass = {password}
default_vhost = {vhost}
disk_free_limit.absolute = 50MB
raft.wal_max_size_bytes = 16777216
"""


class RabbitMQServer(Server):
    """One node with the management plugin, which tests use to look at queues."""

    name: ClassVar[str] = "rabbitmq"

    def __init__(self) -> None:
        super().__init__()
        self.username = "video2mp3"
        self.password = secrets.token_urlsafe(12)
        self.management_port = free_port()
        self._epmd_port = free_port()
        self._distribution_port = free_port()
        self._resets = 0
        self._epmd: subprocess.Popen[bytes] | None = None

    @property
    def vhost(self) -> str:
        """The name of the virtual host in use."""
        return f"test-{self._resets}"

    @property
    def url(self) -> str:
        """The AMQP address of the virtual host in use; every reset changes it."""
        return self.url_of(self.username, self.password)

    def url_of(self, username: str, password: str) -> str:
        """The same of another user."""
        return f"amqp://{username}:{quote(password)}@{self.host}:{self.port}/{self.vhost}"

    def prepare(self) -> None:
        """Write the configuration and start the port mapper, which the node would else leave running."""
        (self.directory / "rabbitmq.conf").write_text(
            _CONFIGURATION.format(
                host=self.host,
                port=self.port,
                management_port=self.management_port,
                username=self.username,
                password=self.password,
                vhost=self.vhost,
            )
        )
        (self.directory / "enabled_plugins").write_text("[rabbitmq_management].\n")
        epmd = [program("epmd", "rabbitmq-server"), "-port", str(self._epmd_port), "-address", self.host]
        self._epmd = spawn(epmd, {}, self.directory / "epmd.log", self.directory)

    def cleanup(self) -> None:
        """End the port mapper."""
        if self._epmd is not None:
            self._epmd.kill()
            self._epmd.wait()

    def command(self) -> Sequence[str]:
        """Return the argv of the node itself: Debian's wrapper in PATH would change the user."""
        return [program(f"{_SCRIPTS}/rabbitmq-server", "rabbitmq-server")]

    def environment(self) -> Mapping[str, str]:
        """Keep every file in the server's folder and every port on loopback."""
        folder = self.directory
        return {
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "ERL_EPMD_ADDRESS": self.host,
            "ERL_EPMD_PORT": str(self._epmd_port),
            # The start script then replaces itself by the node, so signals reach it and its end is seen.
            "RUNNING_UNDER_SYSTEMD": "true",
            "RABBITMQ_NODENAME": f"test-{os.getpid()}-{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none",
            "RABBITMQ_CONF_ENV_FILE": str(folder / "rabbitmq-env.conf"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_FEATURE_FLAGS_FILE": str(folder / "feature_flags"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "logs"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(folder / "pid"),
        }

    def answers(self) -> bool:
        """Ask the management API; the AMQP listener is up before it."""
        try:
            self.management("GET", "/api/health/checks/port-listener/" + str(self.port), timeout=1)
        except OSError:
            return False
        return True

    def management(self, method: str, path: str, body: object = None, *, timeout: float = _REQUEST_SECONDS) -> Any:
        """Call the management API and return its JSON (None where it answers nothing).

        Counters there lag by seconds; for the number of messages in a queue, declare it passively.
        """
        login = b64encode(f"{self.username}:{self.password}".encode()).decode()
        request = urllib.request.Request(
            f"http://{self.host}:{self.management_port}{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Basic {login}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=timeout) as response:
            answer = response.read()
        return json.loads(answer) if answer else None

    def connections(self) -> list[dict[str, Any]]:
        """Return the open client connections."""
        found: list[dict[str, Any]] = self.management("GET", "/api/connections")
        return found

    def queue_path(self, queue: str) -> str:
        """The queue's address in the management API."""
        return f"/api/queues/{self.vhost}/{queue}"

    def reset(self) -> None:
        """Go on in a new virtual host, and remove the old one: queues, exchanges, policies, connections.

        A new name, since a quorum queue that was declared just before a crash may be broken for good.
        """
        self._await_leaders()
        self.management("DELETE", f"/api/vhosts/{self.vhost}")
        self._resets += 1
        self.management("PUT", f"/api/vhosts/{self.vhost}", {})
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.management("PUT", f"/api/permissions/{self.vhost}/{quote(self.username)}", everything)
        await_condition(self._vhost_runs, seconds=20, what="rabbitmq's virtual host did not come up")

    def _await_leaders(self) -> None:
        """Have every queue confirm a message, which takes an elected leader.

        RabbitMQ 3.10's dead-letter workers crash, again and again for half a minute, when their queue is deleted
        during the election that follows a start. A queue that a crash broke has no such worker, and never confirms.
        """
        queues = {queue["name"] for queue in self.management("GET", f"/api/queues/{self.vhost}")}
        deadline = time.monotonic() + _ELECTION_SECONDS
        while queues and time.monotonic() < deadline:
            queues -= {name for name in queues if self._confirms(name)}

    def _confirms(self, queue: str) -> bool:
        message = {"routing_key": queue, "payload": "", "payload_encoding": "string", "properties": {}}
        try:
            self.management("POST", f"/api/exchanges/{self.vhost}/amq.default/publish", message)
        except OSError:
            time.sleep(_POLL_SECONDS)
            return False
        return True

    def _vhost_runs(self) -> bool:
        states: dict[str, str] = self.management("GET", f"/api/vhosts/{self.vhost}").get("cluster_state", {})
        return bool(states) and set(states.values()) == {"running"}
