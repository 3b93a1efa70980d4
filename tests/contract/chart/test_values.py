"""What the values mean, and what helm says about those that cannot be meant."""

import json
from typing import Any

import pytest

from tests.contract.chart.helm import NAMESPACE, Chart, ValuesRefused
from tests.contract.chart.manifests import Manifests, environment
from video2mp3_localcluster.images.catalogue import SERVICES
from video2mp3_localcluster.images.push import Target, chart_version

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a value that does not exist": ({"gatway": {}}, "additional properties 'gatway' not allowed"),
    "a typing error": ({"gateway": {"replica": 2}}, "at '/gateway': additional properties 'replica' not allowed"),
    "no operator": ({"operator": {"replicas": 0}}, "at '/operator/replicas': minimum: got 0, want 1"),
    "no pods": ({"gateway": {"replicas": 0}}, "at '/gateway/replicas': minimum: got 0, want 1"),
    "a number as text": ({"notifier": {"smtp": {"port": "587"}}}, "at '/notifier/smtp/port': got string, want integer"),
    "no address": ({"account": {"email": "me"}}, "at '/account/email'"),
    "no sender": ({"notifier": {"from": "me"}}, "at '/notifier/from'"),
    "an address with a query": ({"publicUrl": "https://example.com?a"}, "at '/publicUrl'"),
    "an installation with blanks": ({"installation": "my own"}, "at '/installation'"),
    "no time to notice a mistake": ({"operator": {"orphanDays": 0}}, "at '/operator/orphanDays'"),
    "a host with a scheme": ({"ingress": {"host": "https://example.com"}}, "at '/ingress/host'"),
    "an unknown ingress controller": ({"ingress": {"controller": "apache"}}, "at '/ingress/controller'"),
    "an upload limit of nothing": ({"gateway": {"maxUploadBytes": 0}}, "at '/gateway/maxUploadBytes'"),
    "more than a year": ({"gateway": {"retentionDays": 367}}, "at '/gateway/retentionDays': maximum: got 367"),
    "a time before the end": ({"gateway": {"retentionDays": -1}}, "at '/gateway/retentionDays': minimum"),
    "a bad namespace": ({"operator": {"watchNamespaces": ["Team"]}}, "at '/operator/watchNamespaces/0'"),
    "another service's variable": ({"auth": {"env": {"GATEWAY_X": "1"}}}, "at '/auth/env': additional properties"),
    "a quantity in words": ({"worker": {"resources": {"limits": {"memory": "1 GB"}}}}, "at '/worker/resources/limits"),
    "a host with a scheme to fetch from": (
        {"worker": {"urlSources": {"allowedHosts": ["https://example.com"]}}},
        "at '/worker/urlSources/allowedHosts/0'",
    ),
    "a star in the middle": (
        {"worker": {"urlSources": {"allowedHosts": ["media.*.com"]}}},
        "at '/worker/urlSources/allowedHosts/0'",
    ),
    "no peer, which would be everybody": ({"networkPolicy": {"smtp": []}}, "at '/networkPolicy/smtp': minItems"),
    "workers without a limit of memory": (
        {"worker": {"resources": {"limits": {"memory": None}}}},
        "at '/worker/resources/limits': missing property 'memory'",
    ),
    "workers without limits": (
        {"worker": {"resources": {"limits": None}}},
        "at '/worker/resources': missing property 'limits'",
    ),
    "workers without requests": (
        {"worker": {"resources": {"requests": None}}},
        "at '/worker/resources': missing property 'requests'",
    ),
    "workers without resources": ({"worker": {"resources": None}}, "at '/worker': missing property 'resources'"),
    "more memory than the operator can double": (
        {"worker": {"resources": {"limits": {"memory": "1Pi"}}}},
        "at '/worker/resources/limits/memory'",
    ),
    "a resource with a typing error": (
        {"worker": {"resources": {"limits": {"cpus": 2}}}},
        "at '/worker/resources/limits': additional properties 'cpus' not allowed",
    ),
    "what Kubernetes reads on Jobs": (
        {"worker": {"copiedLabels": ["team", "batch.kubernetes.io/job-name"]}},
        "at '/worker/copiedLabels/1'",
    ),
    "what Kubernetes reads on pods": (
        {"worker": {"copiedAnnotations": ["k8s.io/x"]}},
        "at '/worker/copiedAnnotations/0'",
    ),
    "a registry with a scheme": ({"images": {"registry": "https://registry.example.com"}}, "at '/images/registry'"),
    "a registry with a slash at its end": ({"images": {"registry": "registry.example.com/"}}, "at '/images/registry'"),
    "no registry": ({"images": {"registry": ""}}, "at '/images/registry'"),
    "a store without a name": ({"images": {"mysql": {"repository": ""}}}, "at '/images/mysql/repository'"),
    "an unlimited RabbitMQ": ({"rabbitmq": {"resources": {"limits": {"memory": "9"}}}}, "at '/rabbitmq/resources"),
}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.replace(" ", "-"))
def test_refused_with_the_place_named(case: str, chart: Chart):
    values, message = REFUSED[case]
    with pytest.raises(ValuesRefused) as refusal:
        chart.render(values)
    assert message in str(refusal.value)


MISSING: dict[str, tuple[dict[str, Any], str]] = {
    "gateway's namespace is not watched": (
        {"operator": {"watchNamespaces": ["team-a"]}},
        "operator.watchNamespaces must contain mp3, where the gateway creates Conversions",
    ),
    "workers cannot reach my MongoDB": (
        {"externalMongodb": {"existingSecret": "mine"}},
        "worker.existingSecret is missing: with a Secret of yours for mongodb",
    ),
    "workers cannot know my password": (
        {"rabbitmq": {"existingSecret": "mine"}},
        "worker.existingSecret is missing: with a Secret of yours for rabbitmq",
    ),
    "nobody knows where people reach it": ({"publicUrl": ""}, "publicUrl is missing: where people reach the gateway"),
    "any name may be it": ({"publicUrl": "", "ingress": {"host": "*"}}, "publicUrl is missing"),
    "TLS without a name": (
        {"ingress": {"host": "*", "tlsSecret": "tls"}},
        "ingress.tlsSecret needs a name in ingress.host",
    ),
    "nobody knows which way has a proxy": (
        {"ingress": {"host": "mp3.example.com"}, "gateway": {"service": {"type": "LoadBalancer"}}},
        "gateway.trustedProxies is missing",
    ),
    "a NodePort has no ranges": (
        {"gateway": {"service": {"type": "NodePort", "loadBalancerSourceRanges": ["10.0.0.0/8"]}}},
        "gateway.service.loadBalancerSourceRanges needs gateway.service.type LoadBalancer",
    ),
    "annotations of no Service": (
        {"gateway": {"service": {"annotations": {"a": "b"}}}},
        "gateway.service.annotations needs gateway.service.type",
    ),
    "nothing to scale by": (
        {"gateway": {"autoscaling": {"enabled": True}, "resources": {"requests": {"cpu": None}}}},
        "gateway.resources.requests.cpu is missing",
    ),
    "a volume of ours": (
        {"auth": {"extraVolumes": [{"name": "tmp", "emptyDir": {}}]}},
        "auth.extraVolumes: tmp is the name of a volume of ours",
    ),
    "a mount of nothing": (
        {"auth": {"extraVolumeMounts": [{"name": "x", "mountPath": "/x"}]}},
        "auth.extraVolumeMounts: no volume of auth.extraVolumes is named x",
    ),
    "a place of ours": (
        {
            "notifier": {
                "extraVolumes": [{"name": "x", "emptyDir": {}}],
                "extraVolumeMounts": [{"name": "x", "mountPath": "/tmp"}],
            }
        },
        "notifier.extraVolumeMounts: /tmp is where a volume of ours is",
    ),
}


def test_labels_of_what_is_installed_beside_kubernetes_may_be_copied(chart: Chart):
    """Kueue's priority, for example: x-k8s.io belongs to projects, not to Kubernetes."""
    keys = ["kueue.x-k8s.io/priority-class", "example.com/kubernetes.io", "team"]
    told = environment(chart.render({"worker": {"copiedLabels": keys}}), "operator")["OPERATOR_WORKER_COPIED_LABELS"]
    assert told == ",".join(keys)


def test_workers_may_ask_for_all_that_kubernetes_knows(chart: Chart):
    more = {
        "ephemeral-storage": "30Gi",
        "hugepages-2Mi": "64Mi",
        "nvidia.com/gpu": 1,
        "gpu.intel.com/i915_monitoring": 1,
    }
    resources = {"requests": more, "limits": more}
    told = environment(chart.render({"worker": {"resources": resources}}), "operator")["OPERATOR_WORKER_RESOURCES"]
    assert {name: value for name, value in json.loads(told)["limits"].items() if name in more} == more


@pytest.mark.parametrize("case", MISSING, ids=lambda case: case.replace(" ", "-"))
def test_refused_with_what_to_do(case: str, chart: Chart):
    values, message = MISSING[case]
    with pytest.raises(ValuesRefused) as refusal:
        chart.render(values)
    assert message in str(refusal.value)


@pytest.mark.parametrize("name", ["video2mp3.v2", "my.release", "2mp3"])
def test_a_release_whose_services_kubernetes_would_refuse_is_refused_whole(name: str, chart: Chart):
    with pytest.raises(ValuesRefused, match=f"another release name than {name}, or set fullnameOverride"):
        chart.render(release=name)
    assert chart.render({"fullnameOverride": "mp3"}, release=name).named("Service", "mp3-gateway")


def test_a_release_that_kubernetes_has_taken_is_upgraded_under_its_name(chart: Chart):
    """Newer ones take a Service whose name begins with a digit; another name would leave the volumes behind."""
    assert chart.render({}, "--is-upgrade", release="2mp3").named("Service", "2mp3-video2mp3-gateway")
    with pytest.raises(
        ValuesRefused, match=r"take no dot: install it under another release name than my\.release"
    ) as it:
        chart.render({}, "--is-upgrade", release="my.release")
    assert "fullnameOverride" not in str(it.value)


def test_everything_that_is_missing_is_said_at_once(chart: Chart):
    with pytest.raises(ValuesRefused) as refusal:
        chart.render(smallest=False)
    for value in ("account.email", "notifier.smtp.host", "notifier.from", "publicUrl"):
        assert f"- {value} is missing:" in str(refusal.value)


# --- addresses


PUBLIC_URLS = [
    ({"publicUrl": "", "ingress": {"host": "mp3.example.com"}}, "http://mp3.example.com"),
    ({"publicUrl": "", "ingress": {"host": "mp3.example.com", "tlsSecret": "tls"}}, "https://mp3.example.com"),
    ({"publicUrl": "http://localhost:8080", "ingress": {"host": "*"}}, "http://localhost:8080"),
    ({"publicUrl": "https://mp3.example.com/media/"}, "https://mp3.example.com/media"),
]


@pytest.mark.parametrize(("values", "url"), PUBLIC_URLS)
def test_links_lead_to_the_public_address(values: dict[str, Any], url: str, chart: Chart):
    manifests = chart.render(values)
    for component, name in (("gateway", "GATEWAY_PUBLIC_URL"), ("notifier", "NOTIFIER_PUBLIC_URL")):
        assert environment(manifests, component)[name] == url
    assert f"{url}/login" in chart.notes(values)


def test_the_notes_show_the_three_calls_and_the_password(chart: Chart):
    notes = chart.notes()
    read_password = "kubectl get secret video2mp3-account --namespace mp3 --output go-template="
    for line in (
        'JWT=$(curl -X POST -u "$EMAIL:$PASSWORD" http://localhost:8080/login)',
        "curl -X POST -F 'file=@a.mp4' -H \"Authorization: Bearer $JWT\" http://localhost:8080/upload",
        'curl -o a.mp3 -H "Authorization: Bearer $JWT" "http://localhost:8080/download?fid=FILE_ID"',
        f"PASSWORD=$({read_password}'{{{{.data.password | base64decode}}}}')",
        "kubectl port-forward --namespace mp3 service/video2mp3-gateway 8080:8080",
        "kubectl delete conversions --all --namespace mp3, then helm uninstall,",
        "keeps volumes, Secrets, a Lease, Conversions and their definition; docs/operations.md#remove-everything",
    ):
        assert line in notes


# --- ingress


def test_there_is_no_ingress_without_a_host(manifests: Manifests):
    assert not manifests.of_kind("Ingress")


def test_the_ingress_leads_to_the_port_for_people_and_the_gateway_answers_every_path(chart: Chart):
    values = {"host": "mp3.example.com", "className": "nginx", "tlsSecret": "tls", "annotations": {"a": "b"}}
    ingress = chart.render({"ingress": values}).of_kind("Ingress")[0]
    (rule,) = ingress["spec"]["rules"]
    [path] = rule["http"]["paths"]
    backend = {"service": {"name": "video2mp3-gateway", "port": {"name": "http"}}}
    assert path == {"path": "/", "pathType": "Prefix", "backend": backend}
    assert rule["host"] == "mp3.example.com"
    assert ingress["spec"]["ingressClassName"] == "nginx"
    assert ingress["spec"]["tls"] == [{"secretName": "tls", "hosts": ["mp3.example.com"]}]
    assert ingress["metadata"]["annotations"] == {"a": "b"}


def test_a_star_is_every_host(chart: Chart):
    (rule,) = chart.render({"ingress": {"host": "*"}}).of_kind("Ingress")[0]["spec"]["rules"]
    assert "host" not in rule


def test_large_uploads_pass_ingress_nginx(chart: Chart):
    values = {"host": "mp3.example.com", "controller": "ingress-nginx", "annotations": {"a": "b"}}
    annotations = chart.render({"ingress": values}).of_kind("Ingress")[0]["metadata"]["annotations"]
    prefix = "nginx.ingress.kubernetes.io"
    assert annotations[f"{prefix}/proxy-body-size"] == "0"
    assert annotations[f"{prefix}/proxy-request-buffering"] == "off"
    assert annotations["a"] == "b"


def test_forwarded_addresses_are_believed_only_behind_an_ingress(chart: Chart, manifests: Manifests):
    assert environment(manifests, "gateway")["GATEWAY_TRUSTED_PROXY_COUNT"] == "0"
    behind = chart.render({"ingress": {"host": "mp3.example.com"}})
    assert environment(behind, "gateway")["GATEWAY_TRUSTED_PROXY_COUNT"] == "1"


# --- namespaces, images, placement


def test_a_watched_namespace_gets_nothing_that_opens_a_store(chart: Chart):
    """Who may edit it may read its Secrets, and run pods as its ServiceAccounts."""
    manifests = chart.render({"operator": {"watchNamespaces": [NAMESPACE, "team-a"]}})
    there = {
        (document["kind"], document["metadata"]["name"])
        for document in manifests.documents
        if document["metadata"].get("namespace") == "team-a"
    }
    assert there == {("Role", "video2mp3-operator"), ("RoleBinding", "video2mp3-operator")}
    assert environment(manifests, "operator")["OPERATOR_WORKER_NAMESPACE"] == NAMESPACE
    assert environment(manifests, "operator")["OPERATOR_WATCH_NAMESPACES"] == f"{NAMESPACE},team-a"


def test_uploads_may_become_conversions_elsewhere(chart: Chart):
    values = {"operator": {"watchNamespaces": ["team-a"]}, "gateway": {"conversionNamespace": "team-a"}}
    manifests = chart.render(values)
    assert environment(manifests, "gateway")["GATEWAY_CONVERSION_NAMESPACE"] == "team-a"
    assert manifests.named("Role", "video2mp3-gateway", "team-a")
    binding = manifests.named("RoleBinding", "video2mp3-gateway", "team-a")
    assert binding["subjects"][0]["namespace"] == NAMESPACE


def test_one_value_says_where_our_images_are(chart: Chart):
    ours = images_of(chart.render({"images": {"registry": "registry.example.com:5000/team", "tag": "7"}}))
    pushed = {Target("registry.example.com:5000/team", "7").name(image) for image in SERVICES}
    assert ours == pushed | {
        "docker.io/library/mysql:8.4",
        "docker.io/library/mongo:8.0",
        "docker.io/library/rabbitmq:4.1",
    }


def test_an_image_of_its_own_is_named_whole(chart: Chart):
    """As values of earlier releases do, each for itself."""
    worker = {"repository": "registry.example.com/w", "tag": "8"}
    ours = images_of(chart.render({"images": {"registry": "localhost:5000", "worker": worker, "auth": {"tag": "9"}}}))
    assert {"registry.example.com/w:8", "localhost:5000/auth:9", f"localhost:5000/gateway:{chart_version()}"} < ours


def test_values_of_an_earlier_release_whole_name_its_images(chart: Chart):
    """`helm upgrade --reuse-values` knows no value that has come since."""
    earlier = {image.name: {"repository": image.repository, "tag": ""} for image in SERVICES}
    ours = images_of(chart.render({"images": {"registry": None, "tag": None, **earlier}}))
    assert {f"{image.repository}:{chart_version()}" for image in SERVICES} < ours


def images_of(manifests: Manifests) -> set[str]:
    """Of all containers, and of the workers that the operator starts."""
    containers = [container for pod in manifests.pods() for container in pod.containers]
    worker = environment(manifests, "operator")["OPERATOR_WORKER_IMAGE"]
    return {worker, *(container["image"] for container in containers)}


def test_images_and_registry_logins(chart: Chart):
    images = {"gateway": {"repository": "registry.example.com/gw", "tag": "7"}, "mysql": {"tag": "8.4.10"}}
    manifests = chart.render({"images": images, "imagePullSecrets": ["login"]})
    assert manifests.pod("gateway").container("gateway")["image"] == "registry.example.com/gw:7"
    assert manifests.pod("mysql").container("mysql")["image"] == "docker.io/library/mysql:8.4.10"
    for pod in manifests.pods():
        assert pod.spec["imagePullSecrets"] == [{"name": "login"}], pod.owner
    worker = manifests.named("ServiceAccount", "video2mp3-worker")
    assert worker["imagePullSecrets"] == [{"name": "login"}]


@pytest.mark.parametrize("component", ["gateway", "auth", "operator", "notifier", "mysql", "mongodb", "rabbitmq"])
def test_placement(component: str, chart: Chart):
    placement = {
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
    }
    spec = chart.render({component: placement}).pod(component).spec
    assert {key: spec[key] for key in placement} == placement


def test_more_settings_reach_the_service(chart: Chart):
    manifests = chart.render({"auth": {"env": {"AUTH_ARGON2_TIME_COST": "3"}}})
    for container in manifests.pod("auth").containers:
        assert manifests.environment(container)["AUTH_ARGON2_TIME_COST"] == "3"


def test_large_numbers_are_written_out(chart: Chart):
    manifests = chart.render({"gateway": {"maxUploadBytes": 21474836480}})
    assert environment(manifests, "gateway")["GATEWAY_MAX_UPLOAD_BYTES"] == "21474836480"
