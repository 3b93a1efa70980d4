"""What is applied to every new cluster: DNS, the default StorageClass and IngressClass, and the components' rights."""

from typing import Any

from video2mp3_localcluster.node.addresses import CLUSTER_DOMAIN, DNS_POD_PORT, DNS_SERVICE_IP
from video2mp3_localcluster.node.components import PROVISIONER
from video2mp3_localcluster.node.configuration import SYSTEM_NAMESPACE

Manifest = dict[str, Any]

_RBAC = "rbac.authorization.k8s.io"
_READ = ["get", "list", "watch"]


def build_manifests(dns_image: str) -> list[Manifest]:
    """All of them, in the order in which they are applied."""
    return [*build_dns(dns_image), *build_volumes(), *build_ingress(), *build_network_rights()]


def build_dns(image: str) -> list[Manifest]:
    """CoreDNS as a pod behind the Service address that every pod is given."""
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata("coredns")},
        *_rights(
            "system:coredns",
            [_rule("", ["services", "pods", "namespaces"]), _rule("discovery.k8s.io", ["endpointslices"])],
            {"kind": "ServiceAccount", "name": "coredns", "namespace": SYSTEM_NAMESPACE},
        ),
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": _metadata("coredns"),
            "data": {"Corefile": build_corefile()},
        },
        _build_dns_deployment(image),
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": _metadata("kube-dns"),
            "spec": {
                "clusterIP": str(DNS_SERVICE_IP),
                "selector": {"k8s-app": "kube-dns"},
                "ports": [
                    {"name": "dns", "port": 53, "protocol": "UDP", "targetPort": "dns"},
                    {"name": "dns-tcp", "port": 53, "protocol": "TCP", "targetPort": "dns-tcp"},
                ],
            },
        },
    ]


def build_corefile() -> str:
    """CoreDNS answers for the cluster only; any other name is refused at once, since nothing outside can be reached."""
    return f"""\
.:{DNS_POD_PORT} {{
    errors
    health {{
        lameduck 1s
    }}
    ready
    cache 10
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa ip6.arpa {{
        pods insecure
        ttl 10
    }}
}}
"""


def _build_dns_deployment(image: str) -> Manifest:
    labels = {"k8s-app": "kube-dns"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata("coredns"),
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "serviceAccountName": "coredns",
                    "priorityClassName": "system-cluster-critical",
                    "dnsPolicy": "Default",
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": 65532,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [_build_dns_container(image)],
                    "volumes": [{"name": "configuration", "configMap": {"name": "coredns"}}],
                },
            },
        },
    }


def _build_dns_container(image: str) -> Manifest:
    return {
        "name": "coredns",
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": ["-conf", "/etc/coredns/Corefile"],
        "ports": [
            {"name": "dns", "containerPort": DNS_POD_PORT, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": DNS_POD_PORT, "protocol": "TCP"},
        ],
        "readinessProbe": {"httpGet": {"path": "/ready", "port": 8181}, "periodSeconds": 1, "failureThreshold": 10},
        "livenessProbe": {"httpGet": {"path": "/health", "port": 8080}, "timeoutSeconds": 5, "failureThreshold": 5},
        "resources": {"requests": {"cpu": "20m", "memory": "32Mi"}, "limits": {"memory": "128Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "configuration", "mountPath": "/etc/coredns", "readOnly": True}],
    }


def build_volumes() -> list[Manifest]:
    """The default StorageClass and the rights of its provisioner."""
    return [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": "standard",
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": PROVISIONER,
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "Immediate",
        },
        *_rights(
            "video2mp3:volumes",
            [
                _rule("", ["persistentvolumes"], [*_READ, "create", "delete", "patch", "update"]),
                _rule("", ["persistentvolumeclaims"], [*_READ, "update"]),
                _rule("storage.k8s.io", ["storageclasses"]),
                _rule("", ["events"], ["create", "patch", "update"]),
            ],
            {"kind": "User", "name": "video2mp3:volumes", "apiGroup": _RBAC},
        ),
    ]


def build_ingress() -> list[Manifest]:
    """The default IngressClass and the rights of the ingress controller."""
    return [
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {
                "name": "traefik",
                "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
            },
            "spec": {"controller": "traefik.io/ingress-controller"},
        },
        *_rights(
            "video2mp3:traefik",
            [
                _rule("", ["services", "secrets", "nodes", "namespaces"]),
                _rule("discovery.k8s.io", ["endpointslices"]),
                _rule("networking.k8s.io", ["ingresses", "ingressclasses"]),
                _rule("networking.k8s.io", ["ingresses/status"], ["update"]),
            ],
            {"kind": "User", "name": "video2mp3:traefik", "apiGroup": _RBAC},
        ),
    ]


def build_network_rights() -> list[Manifest]:
    """kube-proxy's rights, for which Kubernetes brings the role, and those of kube-router, which enforces policies."""
    proxy = {"kind": "User", "name": "system:kube-proxy", "apiGroup": _RBAC}
    name = "video2mp3:network-policies"
    rules = [
        _rule("", ["pods", "namespaces", "nodes", "services", "endpoints"]),
        _rule("discovery.k8s.io", ["endpointslices"]),
        _rule("networking.k8s.io", ["networkpolicies"]),
    ]
    return [
        _binding("video2mp3:kube-proxy", "system:node-proxier", proxy),
        *_rights(name, rules, {"kind": "User", "name": name, "apiGroup": _RBAC}),
    ]


def _metadata(name: str) -> Manifest:
    return {"name": name, "namespace": SYSTEM_NAMESPACE, "labels": {"k8s-app": "kube-dns"}}


def _rule(group: str, resources: list[str], verbs: list[str] | None = None) -> Manifest:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs or _READ}


def _rights(name: str, rules: list[Manifest], subject: Manifest) -> list[Manifest]:
    role = {"apiVersion": f"{_RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules}
    return [role, _binding(name, name, subject)]


def _binding(name: str, role: str, subject: Manifest) -> Manifest:
    return {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": _RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [subject],
    }
