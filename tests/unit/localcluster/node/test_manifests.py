"""What every new cluster gets."""

from video2mp3_localcluster.node.addresses import DNS_POD_PORT, DNS_SERVICE_IP
from video2mp3_localcluster.node.components import PROVISIONER
from video2mp3_localcluster.node.manifests import build_corefile, build_manifests
from video2mp3_localcluster.node.pki import IDENTITIES

MANIFESTS = build_manifests("coredns:1")


def of_kind(kind: str) -> list[dict]:
    return [manifest for manifest in MANIFESTS if manifest["kind"] == kind]


def test_each_manifest_is_there_once() -> None:
    names = [(manifest["kind"], manifest["metadata"]["name"]) for manifest in MANIFESTS]
    assert len(names) == len(set(names))


def test_bindings_name_roles_and_users_that_exist() -> None:
    roles = {role["metadata"]["name"] for role in of_kind("ClusterRole")} | {"system:node-proxier"}
    users = {identity.name for identity in IDENTITIES}
    for binding in of_kind("ClusterRoleBinding"):
        assert binding["roleRef"]["name"] in roles
        assert all(subject["name"] in users for subject in binding["subjects"] if subject["kind"] == "User")


def test_dns_is_a_restricted_pod_behind_the_address_that_pods_are_given() -> None:
    (service,) = of_kind("Service")
    assert service["spec"]["clusterIP"] == str(DNS_SERVICE_IP)
    (deployment,) = of_kind("Deployment")
    pod = deployment["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {port["containerPort"] for port in container["ports"]} == {DNS_POD_PORT}
    assert f".:{DNS_POD_PORT} {{" in build_corefile()


def test_there_is_a_default_for_volumes_and_for_ingresses() -> None:
    (storage,) = of_kind("StorageClass")
    assert storage["provisioner"] == PROVISIONER
    assert storage["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
    (ingress,) = of_kind("IngressClass")
    assert ingress["metadata"]["annotations"] == {"ingressclass.kubernetes.io/is-default-class": "true"}
