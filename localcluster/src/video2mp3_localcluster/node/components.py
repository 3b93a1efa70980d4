"""The node's components: how each is started, and what its start waits for."""

from dataclasses import dataclass
from pathlib import Path

from video2mp3_localcluster.node import addresses
from video2mp3_localcluster.node.addresses import FIRST, NODE_IP, NODE_NAME, SECOND, SERVICE_NETWORK, NodeAddresses
from video2mp3_localcluster.node.supervisor import HOST_NETWORK_FD
from video2mp3_localcluster.steps.layout import NodeFiles

HOST_NETWORK = f"/proc/1/fd/{HOST_NETWORK_FD}"
"""The host's network namespace, as a path inside the node."""

PROVISIONER = "video2mp3.dev/local-volumes"


@dataclass(frozen=True)
class ComponentCommand:
    """A component's command line; it is (re)started when the command ``after`` succeeds."""

    name: str
    arguments: list[str]
    after: list[str]


def component_commands(files: NodeFiles) -> list[ComponentCommand]:
    """All components of the first node. Each one that talks to the API server starts when that is ready."""
    api_ready = _api_ready(files)
    return [
        ComponentCommand("etcd", _etcd(files), []),
        ComponentCommand("kube-apiserver", _apiserver(files), []),
        ComponentCommand("kube-controller-manager", _controller_manager(files), api_ready),
        ComponentCommand("kube-scheduler", _scheduler(files), api_ready),
        *_components_of_every_node(files, FIRST),
        ComponentCommand("volumes", _volumes(files), api_ready),
        ComponentCommand("traefik", _traefik(files), api_ready),
    ]


def second_component_commands(files: NodeFiles) -> list[ComponentCommand]:
    """All components of the second node."""
    return _components_of_every_node(files, SECOND)


def _components_of_every_node(files: NodeFiles, node: NodeAddresses) -> list[ComponentCommand]:
    api_ready = _api_ready(files)
    policies = files.configuration / "network-policies.kubeconfig"
    return [
        ComponentCommand("containerd", _containerd(files), []),
        ComponentCommand("kube-proxy", _proxy(files), api_ready),
        # It ends where it does not find its node, and needs its rights.
        ComponentCommand(
            "kube-router", _network_policies(files, policies, node), _kubectl(files, policies, "get", "node", node.name)
        ),
        ComponentCommand("kubelet", _kubelet(files, node), api_ready),
    ]


def _api_ready(files: NodeFiles) -> list[str]:
    return _kubectl(files, files.kubeconfig, "get", "--raw", "/readyz")


def _program(files: NodeFiles, name: str, /, **flags: object) -> list[str]:
    arguments = [f"--{flag.replace('_', '-')}={value}" for flag, value in flags.items()]
    return [str(files.programs / name), *arguments]


def _kubectl(files: NodeFiles, kubeconfig: Path, *words: str) -> list[str]:
    return [*_program(files, "kubectl", kubeconfig=kubeconfig, request_timeout="5s"), *words]


def _etcd(files: NodeFiles) -> list[str]:
    # Peers and clients are only on the loopback interface of the node's own network namespace.
    return _program(
        files,
        "etcd",
        name=NODE_NAME,
        data_dir=files.state / "etcd",
        listen_client_urls="https://127.0.0.1:2379",
        advertise_client_urls="https://127.0.0.1:2379",
        listen_peer_urls="http://127.0.0.1:2380",
        initial_advertise_peer_urls="http://127.0.0.1:2380",
        initial_cluster=f"{NODE_NAME}=http://127.0.0.1:2380",
        client_cert_auth="true",
        trusted_ca_file=files.pki / "etcd-ca.crt",
        cert_file=files.pki / "etcd.crt",
        key_file=files.pki / "etcd.key",
        logger="zap",
    )


def _containerd(files: NodeFiles) -> list[str]:
    return _program(files, "containerd", config=files.configuration / "containerd.toml")


def _apiserver(files: NodeFiles) -> list[str]:
    pki = files.pki
    return _program(
        files,
        "kube-apiserver",
        bind_address=NODE_IP,
        advertise_address=NODE_IP,
        secure_port=addresses.API_PORT,
        service_cluster_ip_range=SERVICE_NETWORK,
        authorization_mode="Node,RBAC",
        enable_admission_plugins="NodeRestriction",
        client_ca_file=pki / "ca.crt",
        tls_cert_file=pki / "apiserver.crt",
        tls_private_key_file=pki / "apiserver.key",
        etcd_servers="https://127.0.0.1:2379",
        etcd_cafile=pki / "etcd-ca.crt",
        etcd_certfile=pki / "apiserver-etcd.crt",
        etcd_keyfile=pki / "apiserver-etcd.key",
        kubelet_certificate_authority=pki / "ca.crt",
        kubelet_client_certificate=pki / "apiserver-kubelet.crt",
        kubelet_client_key=pki / "apiserver-kubelet.key",
        kubelet_preferred_address_types="InternalIP",
        service_account_issuer="https://kubernetes.default.svc.cluster.local",
        service_account_key_file=pki / "service-account.pub",
        service_account_signing_key_file=pki / "service-account.key",
        profiling="false",
    )


def _controller_manager(files: NodeFiles) -> list[str]:
    kubeconfig = files.configuration / "controller-manager.kubeconfig"
    return _program(
        files,
        "kube-controller-manager",
        kubeconfig=kubeconfig,
        authentication_kubeconfig=kubeconfig,
        authorization_kubeconfig=kubeconfig,
        bind_address=NODE_IP,
        secure_port=addresses.CONTROLLER_MANAGER_PORT,
        tls_cert_file=files.pki / "node.crt",
        tls_private_key_file=files.pki / "node.key",
        # There is nobody else to lead, and a busy machine that misses a renewal would end the process.
        leader_elect="false",
        use_service_account_credentials="true",
        # A node that is lost is noticed after eight Leases that it did not renew, instead of after 50 s.
        node_monitor_period="2s",
        node_monitor_grace_period="16s",
        root_ca_file=files.pki / "ca.crt",
        service_account_private_key_file=files.pki / "service-account.key",
        profiling="false",
    )


def _scheduler(files: NodeFiles) -> list[str]:
    kubeconfig = files.configuration / "scheduler.kubeconfig"
    return _program(
        files,
        "kube-scheduler",
        config=files.configuration / "scheduler.yaml",
        authentication_kubeconfig=kubeconfig,
        authorization_kubeconfig=kubeconfig,
        bind_address=NODE_IP,
        secure_port=addresses.SCHEDULER_PORT,
        tls_cert_file=files.pki / "node.crt",
        tls_private_key_file=files.pki / "node.key",
    )


def _proxy(files: NodeFiles) -> list[str]:
    return _program(files, "kube-proxy", config=files.configuration / "proxy.yaml")


def _network_policies(files: NodeFiles, kubeconfig: Path, node: NodeAddresses) -> list[str]:
    return _program(
        files,
        "kube-router",
        run_firewall="true",
        run_router="false",
        run_service_proxy="false",
        kubeconfig=kubeconfig,
        hostname_override=node.name,
        service_cluster_ip_range=SERVICE_NETWORK,
        health_port=addresses.NETWORK_POLICIES_HEALTH_PORT,
    )


def _kubelet(files: NodeFiles, node: NodeAddresses) -> list[str]:
    return _program(
        files,
        "kubelet",
        config=files.configuration / "kubelet.yaml",
        kubeconfig=files.configuration / "kubelet.kubeconfig",
        root_dir=files.state / "kubelet",
        hostname_override=node.name,
        node_ip=node.ip,
    )


def _volumes(files: NodeFiles) -> list[str]:
    return _program(
        files,
        "volumes",
        kubeconfig=files.configuration / "volumes.kubeconfig",
        provisioner=PROVISIONER,
        folder=files.volumes,
        node=NODE_NAME,
    )


def _traefik(files: NodeFiles) -> list[str]:
    # The only component in the host's network, for a person's browser and curl to reach it.
    traefik = _program(files, "traefik", configFile=files.configuration / "traefik.yaml")
    return [
        *("nsenter", f"--net={HOST_NETWORK}", "env", f"KUBECONFIG={files.configuration / 'traefik.kubeconfig'}"),
        *traefik,
    ]
