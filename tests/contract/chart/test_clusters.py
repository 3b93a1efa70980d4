"""What the clusters of others ask for: where pods run, as whom, how people reach them, and whom they trust."""

from typing import Any

import pytest

from tests.contract.chart.helm import NAMESPACE, Chart, ValuesRefused
from tests.contract.chart.manifests import Manifests, environment

SERVICES = ("gateway", "auth", "operator", "notifier")
STORES = ("mysql", "mongodb", "rabbitmq")
DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize("component", SERVICES + STORES)
def test_priority_labels_and_annotations(component: str, chart: Chart):
    ours = chart.render().pod(component).labels
    values = {
        "priorityClassName": "high",
        "podLabels": {"team": "media", "app.kubernetes.io/name": "theirs"},
        "podAnnotations": {"reloader.example.com/auto": "true", "video2mp3.dev/first-account": "theirs"},
    }
    rendered = chart.render({component: values})
    pod = rendered.pod(component)
    annotations = rendered.named(*pod.owner.split("/"))["spec"]["template"]["metadata"]["annotations"]
    assert pod.spec["priorityClassName"] == "high"
    assert pod.labels == ours | {"team": "media"}
    assert annotations["reloader.example.com/auto"] == "true"
    assert component != "auth" or annotations["video2mp3.dev/first-account"] != "theirs"


@pytest.mark.parametrize("component", ["gateway", "auth"])
def test_pods_of_one_service_go_to_different_nodes_where_there_are_any(component: str, manifests: Manifests):
    pod = manifests.pod(component)
    [constraint] = pod.spec["topologySpreadConstraints"]
    assert (constraint["topologyKey"], constraint["whenUnsatisfiable"]) == ("kubernetes.io/hostname", "ScheduleAnyway")
    assert constraint["labelSelector"]["matchLabels"].items() <= pod.labels.items()


def test_a_constraint_with_a_selector_keeps_it(chart: Chart):
    zones = {"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
    own = zones | {"labelSelector": {"matchLabels": {"tier": "web"}}}
    ours, theirs = (
        chart.render({"gateway": {"topologySpreadConstraints": [zones, own]}})
        .pod("gateway")
        .spec["topologySpreadConstraints"]
    )
    assert ours["labelSelector"]["matchLabels"]["app.kubernetes.io/component"] == "gateway"
    assert theirs == own


@pytest.mark.parametrize("component", ["gateway", "auth"])
def test_an_autoscaler_says_how_many_pods_there_are(component: str, chart: Chart, manifests: Manifests):
    assert not manifests.of_kind("HorizontalPodAutoscaler")
    scaling = {"enabled": True, "minReplicas": 3, "maxReplicas": 7, "targetCPUUtilizationPercentage": 60}
    scaled = chart.render({component: {"autoscaling": scaling}})
    [autoscaler] = scaled.of_kind("HorizontalPodAutoscaler")
    deployment = scaled.named("Deployment", autoscaler["spec"]["scaleTargetRef"]["name"])
    assert deployment["metadata"]["name"] == f"video2mp3-{component}"
    assert "replicas" not in deployment["spec"]
    assert (autoscaler["spec"]["minReplicas"], autoscaler["spec"]["maxReplicas"]) == (3, 7)
    [metric] = autoscaler["spec"]["metrics"]
    assert metric["resource"] == {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}
    assert "cpu" in scaled.pod(component).containers[0]["resources"]["requests"]


def test_an_autoscaler_that_could_not_be_is_refused(chart: Chart):
    with pytest.raises(ValuesRefused, match=r"auth\.autoscaling\.maxReplicas \(1\) is smaller than minReplicas \(2\)"):
        chart.render({"auth": {"autoscaling": {"enabled": True, "maxReplicas": 1}}})


@pytest.mark.parametrize("kind", ["NodePort", "LoadBalancer"])
def test_a_service_for_people_shows_no_metrics(kind: str, chart: Chart, manifests: Manifests):
    service: dict[str, Any] = {"type": kind, "annotations": {"lb": "internal"}, "externalTrafficPolicy": "Local"}
    if kind == "LoadBalancer":
        service["loadBalancerSourceRanges"] = ["10.0.0.0/8"]
    rendered = chart.render({"gateway": {"service": service}})
    public = rendered.named("Service", "video2mp3-gateway-public", NAMESPACE)
    assert (public["spec"]["type"], public["spec"]["externalTrafficPolicy"]) == (kind, "Local")
    assert public["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": "http"}]
    assert public["metadata"]["annotations"] == {"lb": "internal"}
    assert ("loadBalancerSourceRanges" in public["spec"]) == (kind == "LoadBalancer")
    assert public["spec"]["selector"] == manifests.named("Service", "video2mp3-gateway")["spec"]["selector"]
    assert rendered.named("Service", "video2mp3-gateway") == manifests.named("Service", "video2mp3-gateway")


def test_switched_on_with_values_of_an_earlier_release_an_autoscaler_has_its_defaults(chart: Chart):
    scaling = {"enabled": True, "minReplicas": None, "maxReplicas": None, "targetCPUUtilizationPercentage": None}
    [autoscaler] = chart.render({"auth": {"autoscaling": scaling}}).of_kind("HorizontalPodAutoscaler")
    assert (autoscaler["spec"]["minReplicas"], autoscaler["spec"]["maxReplicas"]) == (2, 10)
    assert autoscaler["spec"]["metrics"][0]["resource"]["target"]["averageUtilization"] == 80


@pytest.mark.parametrize("value", ["nodeSelector", "tolerations", "podLabels", "podAnnotations", "affinity"])
def test_nothing_is_nothing_to_the_operator(value: str, chart: Chart):
    told = environment(chart.render({"worker": {value: None}}), "operator")
    assert "null" not in told.values()


def test_a_constraint_about_all_pods_is_left_so(chart: Chart):
    everybody = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}
    pod = chart.render({"gateway": {"topologySpreadConstraints": [everybody]}}).pod("gateway")
    assert pod.spec["topologySpreadConstraints"] == [everybody]


def test_the_pod_of_helm_test_goes_where_the_operator_goes(chart: Chart):
    taint = {"key": "dedicated", "operator": "Exists"}
    manifests = chart.render({"operator": {"tolerations": [taint], "nodeSelector": {"pool": "infra"}}})
    [pod] = [each for each in manifests.pods() if each.owner.startswith("Pod/")]
    assert (pod.spec["tolerations"], pod.spec["nodeSelector"]) == ([taint], {"pool": "infra"})


def test_a_port_on_every_node(chart: Chart):
    service = {"type": "NodePort", "nodePort": 30080}
    public = chart.render({"gateway": {"service": service}}).named("Service", "video2mp3-gateway-public")
    assert public["spec"]["ports"][0]["nodePort"] == 30080
    with pytest.raises(ValuesRefused, match=r"gateway\.service\.nodePort needs gateway\.service\.type"):
        chart.render({"gateway": {"service": {"nodePort": 30080}}})


@pytest.mark.parametrize(
    ("image", "component", "repository"),
    [
        ("gateway", "gateway", "video2mp3/gateway"),
        ("mongo", "mongodb", "docker.io/library/mongo"),
        ("worker", "", "video2mp3/worker"),
    ],
)
def test_a_digest_counts_instead_of_the_tag(image: str, component: str, repository: str, chart: Chart):
    manifests = chart.render({"images": {"tag": "7", image: {"tag": "8", "digest": DIGEST}}})
    found = (
        manifests.pod(component).container(component)["image"]
        if component
        else environment(manifests, "operator")["OPERATOR_WORKER_IMAGE"]
    )
    assert found == f"{repository}@{DIGEST}"
    assert manifests.pod("auth").container("auth")["image"] == "video2mp3/auth:7"


def test_half_a_digest_is_refused(chart: Chart):
    with pytest.raises(ValuesRefused, match="at '/images/gateway/digest'"):
        chart.render({"images": {"gateway": {"digest": "sha256:123"}}})


def test_where_the_cluster_chooses_the_users_no_pod_names_one(chart: Chart):
    manifests = chart.render({"fixedUids": False})
    for pod in manifests.pods():
        context = pod.spec["securityContext"]
        assert context["runAsNonRoot"], pod.owner
        assert not {"runAsUser", "runAsGroup", "fsGroup"} & context.keys(), pod.owner
    assert environment(manifests, "operator")["OPERATOR_WORKER_FIXED_UID"] == "false"


@pytest.mark.parametrize("component", SERVICES)
def test_more_volumes(component: str, chart: Chart):
    volume = {"name": "more", "configMap": {"name": "mine"}}
    mount = {"name": "more", "mountPath": "/etc/mine", "readOnly": True}
    pod = chart.render({component: {"extraVolumes": [volume], "extraVolumeMounts": [mount]}}).pod(component)
    assert volume in pod.spec["volumes"]
    for container in pod.containers:
        assert mount in container["volumeMounts"], container["name"]


def test_authorities_of_ones_own_are_trusted_by_every_service_and_by_workers(chart: Chart, manifests: Manifests):
    rendered = chart.render({"caSecret": "my-ca"})
    for component in SERVICES:
        pod = rendered.pod(component)
        assert {"secretName": "my-ca", "items": [{"key": "ca.crt", "path": "ca.crt"}]} in [
            volume.get("secret") for volume in pod.spec["volumes"]
        ]
        for container in pod.containers:
            [mount] = [each for each in container["volumeMounts"] if each["name"] == "ca"]
            assert rendered.environment(container)["SSL_CERT_FILE"] == f"{mount['mountPath']}/ca.crt"
        assert "SSL_CERT_FILE" not in environment(manifests, component)
    assert environment(rendered, "operator")["OPERATOR_WORKER_CA_SECRET"] == "my-ca"


LETS_UPLOADS_THROUGH: dict[str, dict[str, str]] = {
    "aws": {"alb.ingress.kubernetes.io/load-balancer-attributes": "idle_timeout.timeout_seconds=600"},
    "haproxy": {"haproxy.org/timeout-server": "600s"},
    "kong": {"konghq.com/request-buffering": "false"},
    "nginx": {"nginx.org/client-max-body-size": "0", "nginx.org/proxy-read-timeout": "600s"},
}


@pytest.mark.parametrize("controller", LETS_UPLOADS_THROUGH)
def test_large_uploads_pass(controller: str, chart: Chart):
    values: dict[str, Any] = {"host": "mp3.example.com", "controller": controller, "annotations": {"a": "b"}}
    [ingress] = chart.render({"ingress": values}).of_kind("Ingress")
    annotations = ingress["metadata"]["annotations"]
    assert annotations.items() >= (LETS_UPLOADS_THROUGH[controller] | {"a": "b"}).items()
    assert not any(key.startswith("nginx.ingress") for key in annotations)


def test_a_route_of_the_gateway_api(chart: Chart, manifests: Manifests):
    assert not manifests.of_kind("HTTPRoute")
    values = {
        "parentRefs": [{"name": "web", "namespace": "infra"}],
        "hostnames": ["mp3.example.com"],
        "timeouts": {"request": "0s"},
        "annotations": {"a": "b"},
    }
    rendered = chart.render({"httpRoute": values})
    [route] = rendered.of_kind("HTTPRoute")
    [rule] = route["spec"]["rules"]
    assert (route["spec"]["parentRefs"], route["spec"]["hostnames"]) == (values["parentRefs"], values["hostnames"])
    assert (rule["timeouts"], route["metadata"]["annotations"]) == ({"request": "0s"}, {"a": "b"})
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]
    [backend] = rule["backendRefs"]
    service = rendered.named("Service", backend["name"])
    assert {port["port"]: port["name"] for port in service["spec"]["ports"]}[backend["port"]] == "http"
    assert environment(rendered, "gateway")["GATEWAY_TRUSTED_PROXY_COUNT"] == "1"


def test_a_route_without_a_gateway_is_refused(chart: Chart):
    with pytest.raises(ValuesRefused, match=r"httpRoute\.parentRefs is missing"):
        chart.render({"httpRoute": {"hostnames": ["mp3.example.com"]}})


def test_values_of_an_earlier_release_mean_what_they_meant(chart: Chart):
    """`helm upgrade --reuse-values` gives these templates the values of the release before, without the new ones."""
    pods = ("priorityClassName", "podLabels", "podAnnotations")
    services = (*pods, "extraVolumes", "extraVolumeMounts")
    absent: dict[str, Any] = {
        "fixedUids": None,
        "caSecret": None,
        "httpRoute": None,
        "images": {name: {"digest": None} for name in ("gateway", "auth", "operator", "worker", "notifier", "mongo")},
        "worker": {"affinity": None, "priorityClassName": None},
        **{name: dict.fromkeys(pods) for name in STORES},
        **{name: dict.fromkeys(services) for name in SERVICES},
    }
    absent["gateway"] |= {"autoscaling": None, "service": None, "topologySpreadConstraints": []}
    absent["auth"] |= {"autoscaling": None, "topologySpreadConstraints": []}
    without_constraints = {name: {"topologySpreadConstraints": None} for name in ("gateway", "auth")}
    assert chart.render(absent).documents == chart.render(without_constraints).documents
