"""The components' configuration files, as plain documents."""

from typing import Any

from video2mp3_localcluster.node import addresses
from video2mp3_localcluster.node.addresses import CLUSTER_DOMAIN, DNS_SERVICE_IP, NodeAddresses
from video2mp3_localcluster.steps.layout import NAME, NodeFiles

SYSTEM_NAMESPACE = "kube-system"


def build_kubeconfig(files: NodeFiles, identity: str) -> dict[str, Any]:
    """How one component reaches the API server, with the certificate of its own."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": NAME,
        "clusters": [
            {
                "name": NAME,
                "cluster": {"server": addresses.API_URL, "certificate-authority": str(files.pki / "ca.crt")},
            }
        ],
        "users": [
            {
                "name": identity,
                "user": {
                    "client-certificate": str(files.pki / f"{identity}.crt"),
                    "client-key": str(files.pki / f"{identity}.key"),
                },
            }
        ],
        "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": identity}}],
    }


def build_kubelet_configuration(files: NodeFiles, node: NodeAddresses) -> dict[str, Any]:
    """The kubelet's KubeletConfiguration."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        **_kubelet_access(files, node),
        "containerRuntimeEndpoint": f"unix://{files.containerd_socket}",
        "clusterDNS": [str(DNS_SERVICE_IP)],
        "clusterDomain": CLUSTER_DOMAIN,
        # The cluster is on its own: pods that ask for the node's DNS get none.
        "resolvConf": str(files.configuration / "resolv.conf"),
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{files.cgroup}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        # Images come from this machine's cache and from no registry: deleting an unused one would lose it.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "evictionHard": {
            "memory.available": "64Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
        # One that was also fetched from a registry, by another name, would else have to be fetched by this one too.
        "imagePullCredentialsVerificationPolicy": "NeverVerify",
        "serializeImagePulls": False,
        # It renews its Lease at a quarter of this: the controller manager is soon to notice a node that is lost.
        "nodeLeaseDurationSeconds": 8,
        "nodeStatusUpdateFrequency": "4s",
        "maxPods": 250,
        "containerLogMaxSize": "10Mi",
        "containerLogMaxFiles": 2,
        "volumePluginDir": str(files.state / "volume-plugins"),
    }


def _kubelet_access(files: NodeFiles, node: NodeAddresses) -> dict[str, Any]:
    """Where the kubelet listens, and whom it answers."""
    return {
        "address": str(node.ip),
        "port": addresses.KUBELET_PORT,
        "readOnlyPort": 0,
        "healthzBindAddress": str(node.ip),
        "healthzPort": addresses.KUBELET_HEALTH_PORT,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(files.pki / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": str(files.pki / f"{node.certificates}node.crt"),
        "tlsPrivateKeyFile": str(files.pki / f"{node.certificates}node.key"),
    }


def build_proxy_configuration(files: NodeFiles, node: NodeAddresses) -> dict[str, Any]:
    """kube-proxy's KubeProxyConfiguration. Zeros leave the kernel's connection tracking as it is."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "bindAddress": str(node.ip),
        "healthzBindAddress": f"{node.ip}:{addresses.PROXY_HEALTH_PORT}",
        "metricsBindAddress": "127.0.0.1:10249",
        "clusterCIDR": str(node.pod_network),
        "hostnameOverride": node.name,
        "oomScoreAdj": 0,
        "clientConnection": {"kubeconfig": str(files.configuration / "proxy.kubeconfig")},
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
        "iptables": {"minSyncPeriod": "0s", "localhostNodePorts": False},
    }


def build_scheduler_configuration(files: NodeFiles) -> dict[str, Any]:
    """The scheduler's KubeSchedulerConfiguration."""
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": str(files.configuration / "scheduler.kubeconfig")},
        "leaderElection": {"leaderElect": False},
    }


def build_pod_network(files: NodeFiles, node: NodeAddresses) -> dict[str, Any]:
    """The CNI configuration: every pod has one end of a pair in the node's bridge."""
    return {
        "cniVersion": "1.0.0",
        "name": "pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "cni0",
                "isDefaultGateway": True,
                "hairpinMode": True,
                "ipMasq": False,
                "ipam": {
                    "type": "host-local",
                    # Which addresses are taken is forgotten with the node, as the pods' namespaces are.
                    "dataDir": str(files.run / "pod-addresses"),
                    "ranges": [
                        [
                            {
                                "subnet": str(node.pod_network),
                                "rangeStart": str(node.first_pod_ip),
                                "rangeEnd": str(node.last_pod_ip),
                                "gateway": str(node.ip),
                            }
                        ]
                    ],
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


_CONTAINERD = """\
version = 2
root = "{state}/containerd"
state = "{run}/containerd"
oom_score = 0
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]

[grpc]
  address = "{socket}"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause_image}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  netns_mounts_under_state_dir = true

  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "{programs}/runc"
        SystemdCgroup = false

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{programs}/cni"
    conf_dir = "{configuration}/cni"
"""


def build_containerd_configuration(files: NodeFiles, pause_image: str) -> str:
    """The TOML of containerd. All its folders are the cluster's, so the machine's own containerd is never touched.

    Negative ``oom_score_adj`` values and AppArmor profiles need privileges that a container or a restricted virtual
    machine may lack, and every sandbox would fail without them.
    """
    return _CONTAINERD.format(
        state=files.state,
        run=files.run,
        socket=files.containerd_socket,
        programs=files.programs,
        configuration=files.configuration,
        pause_image=pause_image,
    )


def build_traefik_configuration(port: int) -> dict[str, Any]:
    """Traefik's static configuration: one entry point on the loopback interface, routed by Ingress resources.

    No time limit on reading a request or writing an answer: an upload or download of a gigabyte over a slow line is
    what the ingress is there for. Nothing is buffered.
    """
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "INFO"},
        "ping": {"entryPoint": "health"},
        "entryPoints": {
            "web": {
                "address": f"127.0.0.1:{port}",
                "transport": {"respondingTimeouts": {"readTimeout": 0, "writeTimeout": 0, "idleTimeout": "180s"}},
            },
            "health": {"address": f"{addresses.HOST_IP}:{addresses.INGRESS_HEALTH_PORT}"},
        },
        "providers": {"kubernetesIngress": {"ingressClass": "traefik", "ingressEndpoint": {"hostname": "localhost"}}},
    }
