"""The chart as a whole: it lints, it renders only where it can work, and its copies are copies."""

import re
from datetime import timedelta

import pytest
import yaml

from tests.contract.chart.helm import CHART, NAMESPACE, ROOT, SMALLEST, Chart, ValuesRefused
from tests.contract.chart.manifests import Manifests
from video2mp3_contracts.api.crd import definition
from video2mp3_notifier.settings import NotifierSettings
from video2mp3_notifier.smtp import TimeLimits

COMPONENTS = ("auth", "gateway", "mongodb", "mysql", "notifier", "operator", "rabbitmq")


def test_helm_lint_has_nothing_to_say(chart: Chart):
    assert "1 chart(s) linted, 0 chart(s) failed" in chart.lint(SMALLEST)


def test_an_older_kubernetes_is_refused(chart: Chart):
    with pytest.raises(ValuesRefused, match=r"requires kubeVersion: >=1\.31\.0-0"):
        chart.render({}, "--kube-version", "1.30.9")


def test_the_oldest_supported_kubernetes_is_accepted(chart: Chart):
    assert chart.render({}, "--kube-version", "1.31.0").documents


@pytest.mark.parametrize("component", COMPONENTS)
@pytest.mark.parametrize("kind", ["Service", "ServiceAccount", "NetworkPolicy", "PodDisruptionBudget"])
def test_every_component_has(kind: str, component: str, manifests: Manifests):
    assert manifests.named(kind, f"video2mp3-{component}", NAMESPACE)


def test_services_and_budgets_find_their_pods(manifests: Manifests):
    pods = [pod for pod in manifests.pods() if not pod.owner.startswith("Pod/")]
    for document in [*manifests.of_kind("Service"), *manifests.of_kind("PodDisruptionBudget")]:
        selector = document["spec"]["selector"]
        wanted = selector.get("matchLabels", selector)
        found = [pod for pod in pods if wanted.items() <= pod.labels.items()]
        assert [pod.owner.partition("/")[2] for pod in found] == [document["metadata"]["name"]]


def test_services_name_ports_that_their_containers_have(manifests: Manifests):
    for service in manifests.of_kind("Service"):
        container = manifests.pod(service["spec"]["selector"]["app.kubernetes.io/component"]).spec["containers"][0]
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        for port in service["spec"]["ports"]:
            assert ports[port["targetPort"]] == port["port"]


def test_each_service_has_probes_and_resources(manifests: Manifests):
    for pod in manifests.pods():
        container = pod.spec["containers"][0]
        if not pod.owner.startswith(("Pod/", "Job/")):
            assert {"startupProbe", "livenessProbe", "readinessProbe"} <= container.keys(), pod.owner
        for each in pod.containers:
            assert each["resources"]["requests"].keys() >= {"cpu", "memory"}, pod.owner
            assert "memory" in each["resources"]["limits"], pod.owner


def test_a_pod_outlives_the_drain_of_its_uploads(manifests: Manifests):
    from video2mp3_gateway.server.capacity import GRACEFUL_SECONDS

    pod = manifests.pod("gateway")
    before = pod.container("gateway")["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod.spec["terminationGracePeriodSeconds"] > before + GRACEFUL_SECONDS


@pytest.mark.parametrize("lease", [None, 900])
def test_a_notifier_outlives_the_longest_send(chart: Chart, lease: int | None):
    """Killed in the midst of one, it would leave a second email."""
    values = {"notifier": {"env": {"NOTIFIER_CLAIM_LEASE_SECONDS": str(lease)}}} if lease else {}
    seconds = lease or NotifierSettings.model_fields["claim_lease_seconds"].default

    limits = TimeLimits.within(timedelta(seconds=seconds))

    grace = chart.render(values).pod("notifier").spec["terminationGracePeriodSeconds"]
    assert grace > (limits.opening + 5 * limits.step).total_seconds()


def test_the_crd_is_the_generated_one_and_stays_when_uninstalled(manifests: Manifests):
    crd = manifests.named("CustomResourceDefinition", "conversions.video2mp3.dev")
    assert crd | {"metadata": {"name": crd["metadata"]["name"]}} == definition()
    assert crd["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_the_crd_can_be_left_to_another_release(chart: Chart):
    assert not chart.render({"crds": {"install": False}}).of_kind("CustomResourceDefinition")


@pytest.mark.parametrize(
    ("copy", "original"),
    [("init.sql", "init.sql"), ("conversions.video2mp3.dev.yaml", "crds/conversions.video2mp3.dev.yaml")],
)
def test_the_charts_copies_are_up_to_date(copy: str, original: str):
    assert (CHART / "files" / copy).read_bytes() == (ROOT / original).read_bytes(), "run make generate"


def test_mysql_starts_with_the_schema(manifests: Manifests):
    pod = manifests.pod("mysql")
    (volume,) = [volume for volume in pod.spec["volumes"] if "configMap" in volume]
    config = manifests.named("ConfigMap", volume["configMap"]["name"], NAMESPACE)
    assert config["data"]["init.sql"].strip() == (ROOT / "init.sql").read_text().strip()
    mounts = {mount["name"]: mount["mountPath"] for mount in pod.container("mysql")["volumeMounts"]}
    assert mounts[volume["name"]] == "/docker-entrypoint-initdb.d"


def test_operators_are_replaced_one_by_one_and_an_older_one_goes_last(manifests: Manifests):
    deployment = manifests.named("Deployment", "video2mp3-operator")
    assert deployment["spec"]["replicas"] == 2
    assert deployment["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1},
    }
    [spread] = manifests.pod("operator").spec["topologySpreadConstraints"]
    assert spread["topologyKey"] == "kubernetes.io/hostname"
    assert spread["labelSelector"]["matchLabels"] == deployment["spec"]["selector"]["matchLabels"]


def test_none_works_any_more_when_the_first_that_is_paused_starts(chart: Chart):
    deployment = chart.render({"operator": {"paused": True}}).named("Deployment", "video2mp3-operator")
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_nothing_of_the_release_is_left_unlabelled(manifests: Manifests):
    for document in manifests.documents:
        labels = document["metadata"]["labels"]
        assert labels["app.kubernetes.io/part-of"] == "video2mp3", document["metadata"]["name"]


def test_every_value_has_a_row_in_the_readme():
    """README.md's table is what values.yaml says: each value once, with its default and its description."""
    table = (CHART / "README.md").read_text().partition("## Values")[2]
    rows = re.findall(r"^\| `([^`]+)` \| `(.*?)` \| (.*) \|$", table, re.MULTILINE)
    in_readme = {key: (yaml.safe_load(default), description) for key, default, description in rows}
    assert in_readme == documented_values()
    assert len(rows) == len(in_readme)


def documented_values() -> dict[str, tuple[object, str]]:
    """Each value that has a `# --` comment above it: default and description, by its path."""
    text = (CHART / "values.yaml").read_text()
    values, path, found, description = yaml.safe_load(text), [], {}, ""
    for line in text.splitlines():
        comment = re.match(r"\s*# -- (.*)", line)
        key = re.match(r"( *)([A-Za-z]+):", line)
        if comment:
            description = comment[1]
        elif key:
            path = [*path[: len(key[1]) // 2], key[2]]
            if description:
                found[".".join(path)] = (value_at(values, path), description)
            description = ""
    return found


def value_at(values: dict[str, object], path: list[str]) -> object:
    found: object = values
    for key in path:
        assert isinstance(found, dict)
        found = found[key]
    return found


def test_every_value_is_described():
    described = documented_values()
    for path in leaves(yaml.safe_load((CHART / "values.yaml").read_text())):
        assert any(path == known or path.startswith(f"{known}.") for known in described), path


def leaves(node: object, path: str = "") -> list[str]:
    if isinstance(node, dict) and node:
        return [leaf for key, child in node.items() for leaf in leaves(child, f"{path}.{key}".strip("."))]
    return [path]
