"""Evaluates network policies as a network plug-in would.

Source: Kubernetes documentation, "Network Policies": a pod that no policy selects for a direction is open in it; a flow
needs the sender's egress and the receiver's ingress.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Document = dict[str, Any]

NAMESPACE_LABEL = "kubernetes.io/metadata.name"


@dataclass(frozen=True)
class Endpoint:
    """A pod, or a machine outside the cluster (without a namespace)."""

    name: str
    namespace: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    address: str = "203.0.113.7"
    ports: dict[str, int] = field(default_factory=dict)
    """Its named ports."""


@dataclass(frozen=True)
class Network:
    """A cluster with these policies."""

    policies: list[Document]

    def allows(self, source: Endpoint, target: Endpoint, port: int, protocol: str = "TCP") -> bool:
        """Whether a connection gets through."""
        out = self._allows(source, "Egress", "to", target, target, port, protocol)
        return out and self._allows(target, "Ingress", "from", source, target, port, protocol)

    def selects(self, pod: Endpoint, direction: str) -> bool:
        """Whether any policy limits the pod in this direction."""
        return bool(self._policies(pod, direction))

    def _policies(self, pod: Endpoint, direction: str) -> list[Document]:
        return [
            policy["spec"]
            for policy in self.policies
            if pod.namespace == policy["metadata"]["namespace"]
            and direction in policy["spec"]["policyTypes"]
            and matches(policy["spec"]["podSelector"], pod.labels)
        ]

    def _allows(
        self, pod: Endpoint, direction: str, side: str, peer: Endpoint, target: Endpoint, port: int, protocol: str
    ) -> bool:
        policies = self._policies(pod, direction)
        if not policies:
            return True
        rules = [rule for policy in policies for rule in policy.get(direction.lower()) or []]
        here = pod.namespace or ""
        return any(
            (not rule.get(side) or any(_is_peer(peer, selector, here) for selector in rule[side]))
            and (not rule.get("ports") or any(_is_port(entry, target, port, protocol) for entry in rule["ports"]))
            for rule in rules
        )


def _is_peer(endpoint: Endpoint, selector: Document, here: str) -> bool:
    if "ipBlock" in selector:
        # Whether blocks match pods differs between plug-ins: here, as in the strictest, they do not.
        block, address = selector["ipBlock"], ip_address(endpoint.address)
        outside = endpoint.namespace is None and address in ip_network(block["cidr"])
        return outside and not any(address in ip_network(part) for part in block.get("except", []))
    if endpoint.namespace is None:
        return False
    if "namespaceSelector" in selector:
        if not matches(selector["namespaceSelector"], {NAMESPACE_LABEL: endpoint.namespace}):
            return False
    elif endpoint.namespace != here:
        return False
    return matches(selector.get("podSelector", {}), endpoint.labels)


def _is_port(entry: Document, target: Endpoint, port: int, protocol: str) -> bool:
    wanted = entry.get("port", port)
    number = target.ports.get(wanted) if isinstance(wanted, str) else wanted
    return number == port and entry.get("protocol", "TCP") == protocol


_OPERATORS: dict[str, Callable[[str | None, list[str]], bool]] = {
    "In": lambda value, values: value in values,
    "NotIn": lambda value, values: value not in values,
    "Exists": lambda value, _: value is not None,
    "DoesNotExist": lambda value, _: value is None,
}


def matches(selector: Document, labels: dict[str, str]) -> bool:
    """Whether a label selector selects these labels; an empty one selects all."""
    expressions: Iterable[Document] = selector.get("matchExpressions", [])
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        _OPERATORS[expression["operator"]](labels.get(expression["key"]), expression.get("values", []))
        for expression in expressions
    )
