"""RabbitMQ, from Debian's package, as a node of its own with its own port mapper."""

import json
import os
import secrets
import subprocess
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import quote

from tests.servers.process import Server, await_condition, free_port, program, spawn

_SCRIPTS = "/usr/lib/rabbitmq/bin"
_REQUEST_SECONDS = 10

_CONFIGURATION = """\
listeners.tcp.1 = {host}:{port}
management.tcp.ip = {host}
management.tcp.port = {management_port}
default_user = {username}
default_pass = {password}
disk_free_limit.absolute = 50MB
raft.wal_max_size_bytes = 16777216
"""


class RabbitMQServer(Server):
    """One node with the management plugin, which tests use to look at queues."""

    name: ClassVar[str] = "rabbitmq"
    start_seconds: ClassVar[float] = 90.0

    def __init__(self) -> None:
        super().__init__()
        self.username = "video2mp3"
        self.password = secrets.token_urlsafe(12)
        self.management_port = free_port()
        self._epmd_port = free_port()
        self._distribution_port = free_port()
        self._epmd: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The AMQP address of the default virtual host."""
        return f"amqp://{self.username}:{quote(self.password)}@{self.host}:{self.port}/%2F"

    def prepare(self) -> None:
        """Write the configuration and start the port mapper, which the node would else leave running."""
        (self.directory / "rabbitmq.conf").write_text(
            _CONFIGURATION.format(
                host=self.host,
                port=self.port,
                management_port=self.management_port,
                username=self.username,
                password=self.password,
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

    def reset(self) -> None:
        """Remove everything in the virtual host: queues, exchanges, policies, connections."""
        self.management("DELETE", "/api/vhosts/%2F")
        self.management("PUT", "/api/vhosts/%2F", {})
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        self.management("PUT", f"/api/permissions/%2F/{quote(self.username)}", everything)
        await_condition(self._vhost_runs, seconds=20, what="rabbitmq's virtual host did not come back")

    def _vhost_runs(self) -> bool:
        states: dict[str, str] = self.management("GET", "/api/vhosts/%2F").get("cluster_state", {})
        return bool(states) and set(states.values()) == {"running"}
