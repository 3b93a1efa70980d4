"""A web server of the public internet, as the cluster's pods see it; nothing of it leaves this machine.

Workers fetch from public addresses only, so the server needs one. It has that of a Service of type LoadBalancer, as a
server behind a cloud's balancer would: kube-proxy leads what pods send to the address to the test's own process. The
name is that of a headless Service, whose only endpoint is the address. Outside of the cluster's pods neither exists.
"""

import json
import socket
from ipaddress import IPv4Address
from typing import Any, Self

from tests.e2e.release import Release, await_value, network_policy
from tests.web_server import Page, WebServer
from video2mp3_localcluster.addresses import DNS_SERVICE_IP, HOST_IP
from video2mp3_localcluster.dns_query import resolves

ADDRESS = "93.184.216.34"
_NAME = "media"
_BALANCER = "balancer"


class PublicWeb:
    """The server, its name and its address."""

    def __init__(self, release: Release) -> None:
        self._release = release

    def __enter__(self) -> Self:
        listening = socket.create_server((str(HOST_IP), 0))
        self._server = WebServer(listening)
        self._release.apply(*build_services(listening.getsockname()[1]))
        status = {"status": {"loadBalancer": {"ingress": [{"ip": ADDRESS}]}}}
        self._release.kubectl("patch", "service", _BALANCER, "--subresource=status", "--patch", json.dumps(status))
        await_value(self._is_known, seconds=30, what=f"the name {self.host} is known")
        return self

    def __exit__(self, *_error: object) -> None:
        self._release.kubectl("delete", "service,endpointslice,networkpolicy", _NAME, _BALANCER, "--ignore-not-found")
        self._server.stop()

    @property
    def host(self) -> str:
        """The server's name."""
        return self._host(_NAME)

    @property
    def host_inside(self) -> str:
        """A name of the same server that leads to an address inside the cluster."""
        return self._host(_BALANCER)

    def serve(self, path: str, page: Page) -> str:
        """Put a page there; answers its address."""
        self._server.pages[path] = page
        return f"http://{self.host}{path}"

    def requests(self, path: str) -> list[dict[str, str]]:
        """The header fields of every request for a page."""
        return [headers for asked, headers in self._server.requests if asked == path]

    def _host(self, service: str) -> str:
        return f"{service}.{self._release.namespace}.svc.cluster.local"

    def _is_known(self) -> bool:
        try:
            return resolves(DNS_SERVICE_IP, HOST_IP, self.host, IPv4Address(ADDRESS), seconds=1.0)
        except TimeoutError:
            return False


def build_services(port: int) -> list[dict[str, Any]]:
    """The name, the address, and what each leads to."""
    return [
        _service(_NAME, {"clusterIP": "None"}),
        _endpoint(_NAME, ADDRESS, 80),
        _service(_BALANCER, {"type": "LoadBalancer", "allocateLoadBalancerNodePorts": False}),
        _endpoint(_BALANCER, str(HOST_IP), port),
        # Policies see where a packet goes after the Service has led it there.
        network_policy(
            _NAME,
            {
                "podSelector": {"matchLabels": {"app.kubernetes.io/component": "worker"}},
                "policyTypes": ["Egress"],
                "egress": [{"to": [{"ipBlock": {"cidr": f"{HOST_IP}/32"}}]}],
            },
        ),
    ]


def _service(name: str, kind: dict[str, Any]) -> dict[str, Any]:
    """Without a selector: where it leads is what the endpoints say."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"ports": [{"name": "http", "port": 80}]} | kind,
    }


def _endpoint(service: str, address: str, port: int) -> dict[str, Any]:
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": service, "labels": {"kubernetes.io/service-name": service}},
        "addressType": "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": [{"name": "http", "port": port}],
    }
