"""Asks the components whether they are well."""

import http.client
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from video2mp3_localcluster.node import addresses, node
from video2mp3_localcluster.node.addresses import FIRST, HOST_IP, NODE_IP, SECOND, NodeAddresses
from video2mp3_localcluster.node.dns_query import resolves
from video2mp3_localcluster.steps.layout import NodeFiles
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog

REQUEST_SECONDS = 3.0
POLL_SECONDS = 0.25

HOPELESS_RESTARTS = 6
"""The supervisor waits longer before each restart: this many take about half a minute."""

LOG_LINES = 3
LOG_COLUMNS = 200
"""How much of a component's log goes into an error message."""


ComponentReport = dict[str, dict[str, Any]]
"""The supervisor's report: pid, restarts and last exit code of each component."""


@dataclass(frozen=True)
class Check:
    """One question about the cluster. ``ask`` answers with None if all is well, else with what is wrong."""

    name: str
    ask: Callable[[], str | None]


def _get(host: object, port: int, path: str, context: ssl.SSLContext | None = None) -> tuple[int, bytes]:
    """One HTTP request; ``context`` makes it HTTPS. Raises OSError or HTTPException.

    It is sent from the host's address on the link to the node: while there is no link, it must not go elsewhere.
    """
    source = (str(HOST_IP), 0)
    connection = (
        http.client.HTTPSConnection(str(host), port, timeout=REQUEST_SECONDS, source_address=source, context=context)
        if context
        else http.client.HTTPConnection(str(host), port, timeout=REQUEST_SECONDS, source_address=source)
    )
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


class Probes:
    """The checks of the first node, and of the cluster as a whole."""

    def __init__(self, files: NodeFiles, ingress_port: int) -> None:
        self._files = files
        self._ingress_port = ingress_port

    def all(self) -> list[Check]:
        """Every check, in the order in which a cluster comes up."""
        return [
            self.api_server(),
            *self.controllers(),
            self.node(),
            self.dns(),
            self.ingress(),
            Check("volume provisioner", self._volumes),
        ]

    def api_server(self) -> Check:
        """The API server and, behind it, etcd."""
        return Check("API server", lambda: self._https("/readyz", addresses.API_PORT))

    def controllers(self) -> list[Check]:
        """Controller manager, scheduler, kube-proxy and kube-router."""
        return [
            Check("controller manager", lambda: self._https("/healthz", addresses.CONTROLLER_MANAGER_PORT)),
            Check("scheduler", lambda: self._https("/healthz", addresses.SCHEDULER_PORT)),
            *NodeProbes(self._files, FIRST).network(),
        ]

    def node(self) -> Check:
        """The kubelet and, behind it, containerd and the pod network."""
        return NodeProbes(self._files, FIRST).node()

    def dns(self) -> Check:
        """CoreDNS and, before it, kube-proxy and the pod network: a question through the Service."""
        return Check("DNS", _dns_answers)

    def ingress(self) -> Check:
        """Traefik."""
        return Check("ingress controller", self._ingress_answers)

    def _https(self, path: str, port: int) -> str | None:
        return _healthy(NODE_IP, port, path, _administrator(self._files))

    def _ingress_answers(self) -> str | None:
        problem = _healthy(HOST_IP, addresses.INGRESS_HEALTH_PORT, "/ping")
        if problem:
            return problem
        with socket.create_connection(("127.0.0.1", self._ingress_port), REQUEST_SECONDS):
            return None

    def _volumes(self) -> str | None:
        return None if component_report(self._files).get("volumes", {}).get("pid") else "it does not run"


class NodeProbes:
    """The checks of what each node has. ``label`` is what their names begin with."""

    def __init__(self, files: NodeFiles, addresses_of: NodeAddresses, label: str = "") -> None:
        self._files = files
        self._addresses = addresses_of
        self._label = label

    def all(self) -> list[Check]:
        """Every check, in the order in which a node comes up."""
        return [self.node(), *self.network()]

    def network(self) -> list[Check]:
        """kube-proxy and kube-router."""
        port = addresses.PROXY_HEALTH_PORT
        return [
            Check(f"{self._label}kube-proxy", lambda: _healthy(self._addresses.ip, port, "/livez")),
            Check(f"{self._label}network policies", self._policies_enforced),
        ]

    def node(self) -> Check:
        """The kubelet and, behind it, containerd and the pod network."""
        return Check(f"{self._label}node", self._node_ready)

    def _node_ready(self) -> str | None:
        problem = _healthy(self._addresses.ip, addresses.KUBELET_HEALTH_PORT, "/healthz")
        if problem:
            return problem
        conditions = _resource(self._files, f"/api/v1/nodes/{self._addresses.name}")["status"].get("conditions", [])
        ready = next((condition for condition in conditions if condition["type"] == "Ready"), None)
        return self._problem_of_node(ready)

    def _problem_of_node(self, ready: dict[str, Any] | None) -> str | None:
        if ready is None:
            return "it has not reported yet"
        # After a restart, the database still has what the kubelet said before.
        started = datetime.fromtimestamp(int(self._files.pid.stat().st_mtime), UTC)
        if datetime.fromisoformat(ready["lastHeartbeatTime"]) < started:
            return "it has not reported since it was started"
        return None if ready["status"] == "True" else f"not ready: {ready['message']}"

    def _policies_enforced(self) -> str | None:
        problem = _healthy(self._addresses.ip, addresses.NETWORK_POLICIES_HEALTH_PORT, "/healthz")
        if problem:
            return problem
        # It is well in its own eyes even where the kernel does not take its rules. This one is the last of them.
        inside = ["nsenter", f"--net={node.network(self._files)}", "iptables", "--list-rules", "KUBE-ROUTER-FORWARD"]
        listed = subprocess.run(inside, capture_output=True, text=True, timeout=30, check=False)
        return None if "-j ACCEPT" in listed.stdout else f"its rules are not there: {listed.stderr.strip()}"


def _administrator(files: NodeFiles) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(files.pki / "ca.crt"))
    context.load_cert_chain(files.pki / "admin.crt", files.pki / "admin.key")
    return context


def _resource(files: NodeFiles, path: str) -> dict[str, Any]:
    status, body = _get(NODE_IP, addresses.API_PORT, path, _administrator(files))
    if status != http.client.OK:
        raise OSError(f"the API server answers {status} for {path}")
    document: dict[str, Any] = json.loads(body)
    return document


def second_node_checks(files: NodeFiles) -> list[Check]:
    """The checks of the second node, whose files these are."""
    return NodeProbes(files, SECOND, "second ").all()


def _healthy(host: object, port: int, path: str, context: ssl.SSLContext | None = None) -> str | None:
    status, body = _get(host, port, path, context)
    if status == http.client.OK:
        return None
    return f"answers {status}: {body[-300:].decode(errors='replace').strip()}"


def _dns_answers() -> str | None:
    name = f"kubernetes.default.svc.{addresses.CLUSTER_DOMAIN}"
    if resolves(addresses.DNS_SERVICE_IP, HOST_IP, name, addresses.API_SERVICE_IP, seconds=1.0):
        return None
    return f"it does not know {name}"


def problem_of(check: Check) -> str | None:
    """Ask once; a component that cannot be asked is not well either."""
    try:
        return check.ask()
    except (OSError, http.client.HTTPException) as error:
        return str(error) or type(error).__name__


def wait_for(log: StepLog, files: NodeFiles, check: Check, seconds: float) -> None:
    """Ask until all is well; raise :class:`StepFailed` with the last problem when time is up or the node is gone."""
    deadline = time.monotonic() + seconds
    before = component_report(files)
    last = ""
    while problem := problem_of(check):
        if problem != last:
            log.say(f"{time.strftime('%H:%M:%S')} {problem}")
            last = problem
        if node.find(files) is None:
            raise StepFailed(f"the node has ended: {_last_lines(files, 'node')}")
        if ending := ends_again_and_again(before, component_report(files)):
            raise StepFailed(f"{ending} keeps ending: {_last_lines(files, ending)}")
        if time.monotonic() > deadline:
            raise StepFailed(f"not well after {seconds:.0f} s: {problem}{_hints(files)}")
        time.sleep(POLL_SECONDS)


def ends_again_and_again(before: ComponentReport, now: ComponentReport) -> str | None:
    """The component, if any, that was restarted so often since ``before`` that waiting longer is of no use."""
    for name, entry in now.items():
        earlier = before.get(name, {}).get("restarts", 0)
        if entry["restarts"] - earlier >= HOPELESS_RESTARTS:
            return name
    return None


def component_report(files: NodeFiles) -> ComponentReport:
    """What the supervisor says: pid, restarts and last exit code of each component; nothing if there is no node."""
    try:
        report: ComponentReport = json.loads(files.report.read_text())
    except FileNotFoundError:
        return {}
    return report


def _hints(files: NodeFiles) -> str:
    restarted = {name: entry for name, entry in component_report(files).items() if entry["restarts"]}
    return "".join(
        f"\n{name} ended {entry['restarts']} times, last with exit code {entry['lastExit']}: {_last_lines(files, name)}"
        for name, entry in restarted.items()
    )


def _last_lines(files: NodeFiles, name: str) -> str:
    log = files.logs / f"{name}.log"
    if not log.exists():
        return "it left no log"
    lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    return f"(log: {log})\n" + "\n".join(line[:LOG_COLUMNS] for line in lines)
