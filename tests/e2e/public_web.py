"""A web server of the public internet, as the cluster's pods see it; nothing of it leaves this machine.

Workers fetch from public addresses only, so the server needs one: the node's own network is given it, and the test's
process listens there. The name is that of a headless Service, whose only endpoint is the address. Outside of the
cluster neither exists.
"""

import ctypes
import os
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Self

from tests.e2e.release import Release, await_value
from tests.web_server import Page, WebServer
from video2mp3_localcluster.node import node
from video2mp3_localcluster.node.addresses import DNS_SERVICE_IP, HOST_IP
from video2mp3_localcluster.node.dns_query import resolves
from video2mp3_localcluster.steps.layout import NodeFiles

ADDRESS = "93.184.216.34"
PORT = 80
_NAME = "media"
_INSIDE = "inside"
_NETWORK = 0x40000000
"""CLONE_NEWNET of setns(2)."""


class PublicWeb:
    """The server, its name and its address."""

    def __init__(self, release: Release) -> None:
        self._release = release

    def __enter__(self) -> Self:
        self._network = node.network(NodeFiles())
        self._address("replace")
        self._server = WebServer(listen(self._network))
        self._release.apply(*build_services())
        await_value(self._is_known, seconds=30, what=f"the name {self.host} is known")
        return self

    def __exit__(self, *_error: object) -> None:
        self._release.kubectl("delete", "service,endpointslice", _NAME, _INSIDE)
        self._server.stop()
        self._address("delete")

    @property
    def host(self) -> str:
        """The server's name."""
        return self._host(_NAME)

    @property
    def host_inside(self) -> str:
        """A name of the same server that leads to an address inside the cluster."""
        return self._host(_INSIDE)

    def serve(self, path: str, page: Page) -> str:
        """Put a page there; answers its address."""
        self._server.pages[path] = page
        return f"http://{self.host}{path}"

    def requests(self, path: str) -> list[dict[str, str]]:
        """The header fields of every request for a page."""
        return [headers for asked, headers in self._server.requests if asked == path]

    def _address(self, verb: str) -> None:
        argv = ["nsenter", f"--net={self._network}", "ip", "address", verb, f"{ADDRESS}/32", "dev", "lo"]
        subprocess.run(argv, check=True, timeout=30)

    def _host(self, service: str) -> str:
        return f"{service}.{self._release.namespace}.svc.cluster.local"

    def _is_known(self) -> bool:
        try:
            return resolves(DNS_SERVICE_IP, HOST_IP, self.host, IPv4Address(ADDRESS), seconds=1.0)
        except TimeoutError:
            return False


def listen(network: Path) -> socket.socket:
    """A socket that listens in another network namespace; a thread goes there for it, and ends."""

    def listen_there() -> socket.socket:
        with network.open() as namespace:
            if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), _NETWORK):
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(network))
        return socket.create_server((ADDRESS, PORT))

    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(listen_there).result()


def build_services() -> list[dict[str, Any]]:
    """The name, an address inside the cluster, and where each leads."""
    return [_service(_NAME, {"clusterIP": "None"}), _endpoint(_NAME), _service(_INSIDE, {}), _endpoint(_INSIDE)]


def _service(name: str, kind: dict[str, Any]) -> dict[str, Any]:
    """Without a selector: where it leads is what the endpoints say."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"ports": [{"name": "http", "port": PORT}]} | kind,
    }


def _endpoint(service: str) -> dict[str, Any]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": service, "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [ADDRESS], "conditions": {"ready": True}}],
        "ports": [{"name": "http", "port": PORT}],
    }
