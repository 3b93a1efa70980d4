"""The nodes' names and the cluster's network addresses.

The node has a network namespace of its own, joined to the host by one pair of virtual interfaces, so none of these
addresses or ports can collide with what else listens on the machine; only the three networks must not be in use.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network


@dataclass(frozen=True)
class NodeAddresses:
    """Under which name and addresses a node and its pods are known."""

    name: str
    pod_network: IPv4Network
    bridge_hardware_address: str
    """With an address of its own, the bridge of the pods does not take over one of a pod that comes and goes."""

    certificates: str = ""
    """What the names of its certificates' files begin with."""

    @property
    def ip(self) -> IPv4Address:
        """The node: the address of the bridge that its pods hang on, the same at every start."""
        return self.pod_network[1]

    @property
    def first_pod_ip(self) -> IPv4Address:
        """The lowest address of a pod."""
        return self.pod_network[2]

    @property
    def last_pod_ip(self) -> IPv4Address:
        """The highest one; that above it is the host's in the first node's network."""
        return self.pod_network[-3]


FIRST = NodeAddresses("video2mp3", IPv4Network("10.213.0.0/20"), "0a:58:0a:d5:00:01")
"""The node of every cluster, with the control plane."""

SECOND = NodeAddresses("video2mp3-second", IPv4Network("10.213.32.0/20"), "0a:58:0a:d5:20:01", certificates="second-")
"""The node that `up --nodes 2` adds: a kubelet and a containerd of its own behind the first one."""

NODE_NAME = FIRST.name

POD_NETWORK = FIRST.pod_network
SERVICE_NETWORK = IPv4Network("10.213.16.0/20")
NETWORKS = (FIRST.pod_network, SECOND.pod_network, SERVICE_NETWORK)

NODE_IP = FIRST.ip
"""Where the control plane is; reachable from the host."""

HOST_IP = POD_NETWORK[-2]
"""The host's end of the link."""

API_SERVICE_IP = SERVICE_NETWORK[1]
DNS_SERVICE_IP = SERVICE_NETWORK[10]

CLUSTER_DOMAIN = "cluster.local"

HOST_INTERFACE = "video2mp3"
"""The only network interface the host ever sees."""

SECOND_INTERFACE = "second"
"""The first node's end of its link to the second one."""

API_PORT = 6443
KUBELET_PORT = 10250
KUBELET_HEALTH_PORT = 10248
CONTROLLER_MANAGER_PORT = 10257
SCHEDULER_PORT = 10259
PROXY_HEALTH_PORT = 10256
NETWORK_POLICIES_HEALTH_PORT = 20244
DNS_POD_PORT = 1053
"""CoreDNS runs without the privilege to listen on port 53; its Service translates."""

API_URL = f"https://{NODE_IP}:{API_PORT}"

FIRST_INGRESS_PORT = 8080
"""Where the ingress controller listens on 127.0.0.1, or the next free port after it."""

INGRESS_HEALTH_PORT = 8081
"""The ingress controller's health, on :data:`HOST_IP`."""
