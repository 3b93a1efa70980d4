"""Every flow that is needed is allowed, and no other: the table below is all there is."""

from dataclasses import replace
from ipaddress import ip_network
from itertools import product
from typing import Any

import pytest

from tests.contract.chart.conftest import EXTERNAL
from tests.contract.chart.flows import ASKS_FOR_NAMES, FLOWS, METRICS_PORTS, PORTS, TALKS_TO_KUBERNETES
from tests.contract.chart.helm import NAMESPACE, Chart, merged
from tests.contract.chart.manifests import Manifests
from tests.contract.chart.network import Endpoint, Network
from tests.contract.chart.workers import a_worker_pod
from video2mp3_contracts.api.source_urls import PORTS as PORTS_OF_SOURCES
from video2mp3_worker.source.addresses import NOT_PUBLIC_V4, NOT_PUBLIC_V6, PUBLIC_V4, PUBLIC_V6

DNS = Endpoint("dns", "kube-system", {"k8s-app": "kube-dns"})

API_SERVER = Endpoint("api-server", address="192.0.2.10")

MAIL_SERVER = Endpoint("mail-server", address="198.51.100.25")
ANYBODY = Endpoint("anybody", "elsewhere", {"app": "x"})
OUTSIDE = Endpoint("outside")
PROMETHEUS = Endpoint("prometheus", "monitoring", {"app": "prometheus"})
EVERY_PORT = (*sorted({*PORTS.values(), *METRICS_PORTS.values()}), 22, 53, 80, 443, 587, 6443, 15672)


def endpoints(manifests: Manifests, worker_namespace: str = NAMESPACE) -> dict[str, Endpoint]:
    found = {
        pod.component: Endpoint(
            pod.component,
            pod.namespace,
            pod.labels,
            ports={port["name"]: port["containerPort"] for port in pod.spec["containers"][0].get("ports", [])},
        )
        for pod in manifests.pods()
    }
    worker = a_worker_pod(manifests, worker_namespace)
    return found | {"worker": Endpoint("worker", worker.namespace, worker.labels)}


def network(manifests: Manifests) -> Network:
    return Network(manifests.of_kind("NetworkPolicy"))


def flows(manifests: Manifests, inside: dict[str, Endpoint], *others: Endpoint) -> set[tuple[str, str, int]]:
    """All TCP flows that get through."""
    net = network(manifests)
    everybody = [*inside.values(), *others]
    return {
        (source.name, target.name, port)
        for source, target, port in product(everybody, everybody, EVERY_PORT)
        if source is not target
        and (source.name in inside or target.name in inside)
        and net.allows(source, target, port)
    }


def test_inside_the_release_the_table_holds(manifests: Manifests):
    inside = endpoints(manifests)
    got = {flow for flow in flows(manifests, inside, ANYBODY, OUTSIDE) if flow[1] in inside}
    assert got == {(source, target, PORTS[target]) for source, target in FLOWS}


def test_every_pod_is_limited_in_both_directions(manifests: Manifests):
    net = network(manifests)
    for endpoint in endpoints(manifests).values():
        assert net.selects(endpoint, "Ingress"), endpoint.name
        assert net.selects(endpoint, "Egress"), endpoint.name


def test_who_asks_for_names(manifests: Manifests):
    net, inside = network(manifests), endpoints(manifests)
    servers = [DNS, Endpoint("openshift", "openshift-dns"), Endpoint("node-local", address="169.254.20.10")]
    for protocol, server, port in product(("UDP", "TCP"), servers, (53, 1053, 5353)):
        assert {name for name, end in inside.items() if net.allows(end, server, port, protocol)} == ASKS_FOR_NAMES


def test_who_leaves_the_cluster(manifests: Manifests):
    inside = endpoints(manifests)
    got = flows(manifests, inside, API_SERVER, ANYBODY)
    out = {(source, port) for source, target, port in got if target == "api-server"}
    assert out == {(name, port) for name in TALKS_TO_KUBERNETES for port in (443, 6443)} | {("notifier", 587)}
    assert not [flow for flow in got if flow[1] == "anybody"]


def test_workers_reach_the_public_internet_where_sources_come_from_it_and_nothing_else(chart: Chart):
    manifests = chart.render({"worker": {"urlSources": {"allowedHosts": ["media.example.com"]}}})
    net, inside = network(manifests), endpoints(manifests)
    public = [Endpoint("web", address=address) for address in ("8.8.8.8", "2606:4700:4700::1111")]
    private = [
        Endpoint("lan", address=str(ip_network(each)[1]))
        for each in (*NOT_PUBLIC_V4, *NOT_PUBLIC_V6)
        if "/32" not in each
    ]
    private += [Endpoint("lan", address=address) for address in ("168.63.129.16", "fd00::1", "64:ff9b::8.8.8.8", "::1")]
    assert {port for each in public for port in EVERY_PORT if net.allows(inside["worker"], each, port)} == {80, 443}
    for each in public:
        assert net.allows(inside["worker"], each, 443)
    assert not [each.address for each in private for port in (80, 443) if net.allows(inside["worker"], each, port)]
    assert not net.allows(inside["worker"], ANYBODY, 443)


def test_the_policy_and_the_worker_mean_the_same_by_the_public_internet(chart: Chart):
    manifests = chart.render({"worker": {"urlSources": {"allowedHosts": ["*"]}}})
    egress = manifests.named("NetworkPolicy", "video2mp3-worker")["spec"]["egress"][-1]
    blocks = [(peer["ipBlock"]["cidr"], tuple(peer["ipBlock"]["except"])) for peer in egress["to"]]
    assert blocks == [(PUBLIC_V4, NOT_PUBLIC_V4), (PUBLIC_V6, NOT_PUBLIC_V6)]
    assert tuple(entry["port"] for entry in egress["ports"]) == PORTS_OF_SOURCES


def test_the_api_servers_address_can_be_narrowed(chart: Chart):
    peers = {"peers": [{"ipBlock": {"cidr": "192.0.2.0/28"}}], "ports": [6443]}
    manifests = chart.render({"networkPolicy": {"apiServer": peers}})
    got = flows(manifests, endpoints(manifests), API_SERVER, OUTSIDE)
    assert {flow for flow in got if flow[0] in TALKS_TO_KUBERNETES and flow[1] in ("api-server", "outside")} == {
        (name, "api-server", 6443) for name in TALKS_TO_KUBERNETES
    }


def test_the_mail_server_can_be_in_the_cluster(chart: Chart):
    mail = Endpoint("mail", NAMESPACE, {"app.kubernetes.io/name": "mailsink"})
    values = {
        "networkPolicy": {"smtp": [{"podSelector": {"matchLabels": mail.labels}}]},
        "notifier": {"smtp": {"port": 1025}},
    }
    net, inside = network(chart.render(values)), endpoints(chart.render(values))
    assert net.allows(inside["notifier"], mail, 1025)
    assert not net.allows(inside["notifier"], MAIL_SERVER, 1025)
    assert not net.allows(inside["operator"], mail, 1025)


def test_metrics_are_for_whom_the_values_name(chart: Chart, manifests: Manifests):
    monitoring = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    allowed = chart.render({"networkPolicy": {"metricsFrom": [monitoring]}})
    for_people = ("gateway", PORTS["gateway"])
    assert scraped(manifests) == {for_people}
    assert scraped(allowed) == {*METRICS_PORTS.items(), for_people}


def scraped(manifests: Manifests) -> set[tuple[str, int]]:
    """What Prometheus reaches."""
    got = flows(manifests, endpoints(manifests), PROMETHEUS)
    return {(target, port) for source, target, port in got if source == "prometheus"}


def test_the_gateway_can_be_kept_for_the_ingress_controller(chart: Chart):
    controller = Endpoint("controller", "ingress-nginx", {"app.kubernetes.io/name": "ingress-nginx"})
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}
    manifests = chart.render({"networkPolicy": {"gatewayFrom": [peer]}})
    got = flows(manifests, endpoints(manifests), controller, ANYBODY, OUTSIDE)
    assert {flow[0] for flow in got if flow[1] == "gateway"} == {"controller", "test"}


def test_workers_of_another_release_get_nothing_from_this_one(manifests: Manifests):
    inside = endpoints(manifests)
    theirs = replace(inside["worker"], labels=inside["worker"].labels | {"app.kubernetes.io/instance": "other"})
    net = network(manifests)
    assert not net.selects(theirs, "Egress")  # theirs to limit
    reached = {name for name, end in inside.items() if name in PORTS and net.allows(theirs, end, PORTS[name])}
    assert reached == {"gateway"}


def test_a_workers_labels_elsewhere_open_nothing(chart: Chart):
    """Not in a watched namespace either: anybody who may edit it sets labels."""
    manifests = chart.render({"operator": {"watchNamespaces": [NAMESPACE, "team-a"]}})
    stranger = endpoints(manifests, worker_namespace="team-a")["worker"]
    inside = endpoints(manifests)
    assert not network(manifests).allows(stranger, inside["mongodb"], 27017)
    assert not network(manifests).allows(stranger, inside["rabbitmq"], 5672)


PEERS: dict[str, Any] = {
    "externalMysql": {"peers": [{"ipBlock": {"cidr": "192.0.2.1/32"}}]},
    "externalMongodb": {"peers": [{"ipBlock": {"cidr": "192.0.2.2/32"}}], "ports": [27018]},
    "externalRabbitmq": {"peers": [{"ipBlock": {"cidr": "192.0.2.3/32"}}], "ports": [5671]},
}


def test_servers_of_ones_own_are_reached_where_they_are(chart: Chart):
    manifests = chart.render(merged(EXTERNAL, PEERS))
    servers = [Endpoint(name, address=f"192.0.2.{i}") for i, name in enumerate(("sql", "mongo", "rabbit"), start=1)]
    net, inside = network(manifests), endpoints(manifests)
    got = {
        (source, server.name, port)
        for (source, endpoint), server, port in product(inside.items(), servers, (3306, 27018, 5671))
        if net.allows(endpoint, server, port)
    }
    mongo = {(name, "mongo", 27018) for name in ("gateway", "operator", "worker", "notifier")}
    rabbit = {(name, "rabbit", 5671) for name in ("operator", "worker", "notifier")}
    assert got == {("auth", "sql", 3306)} | mongo | rabbit


@pytest.mark.parametrize("enabled", [True, False])
def test_they_can_be_left_out(enabled: bool, chart: Chart):
    manifests = chart.render({"networkPolicy": {"enabled": enabled}})
    assert bool(manifests.of_kind("NetworkPolicy")) is enabled
