"""The cluster's name and network addresses.

The node has a network namespace of its own, joined to the host by one pair of virtual interfaces, so none of these
addresses or ports can collide with what else listens on the machine; only the two networks must not be in use.
"""

from ipaddress import IPv4Address, IPv4Network

NODE_NAME = "video2mp3"

POD_NETWORK = IPv4Network("10.213.0.0/20")
SERVICE_NETWORK = IPv4Network("10.213.16.0/20")

NODE_IP = POD_NETWORK[1]
"""The node: the address of the bridge that all pods hang on, the same at every start and reachable from the host."""

HOST_IP = POD_NETWORK[-2]
"""The host's end of the link."""

FIRST_POD_IP: IPv4Address = POD_NETWORK[2]
LAST_POD_IP: IPv4Address = POD_NETWORK[-3]

API_SERVICE_IP = SERVICE_NETWORK[1]
DNS_SERVICE_IP = SERVICE_NETWORK[10]

CLUSTER_DOMAIN = "cluster.local"

HOST_INTERFACE = "video2mp3"
"""The only network interface the host ever sees."""

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
