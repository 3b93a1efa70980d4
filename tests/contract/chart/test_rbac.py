"""What each account may do in the Kubernetes API: this table and nothing else."""

import json
import re
from itertools import product
from typing import Any

import pytest
import yaml

from tests.contract.chart.helm import NAMESPACE, ROOT, Chart, ValuesRefused
from tests.contract.chart.manifests import Manifests
from tests.integration.conftest import kubernetes_server
from tests.servers import KubernetesServer
from video2mp3_operator.leadership.record import leader_name
from video2mp3_operator.telemetry.heartbeat import heartbeat_name

__all__ = ["kubernetes_server"]

GATEWAY = {("video2mp3.dev", "conversions"): {"create", "delete", "get", "list", "patch", "watch"}}
OPERATOR = {
    ("video2mp3.dev", "conversions"): {"create", "delete", "get", "list", "patch", "watch"},
    ("video2mp3.dev", "conversions/status"): {"patch"},
    ("video2mp3.dev", "conversions/finalizers"): {"update"},
    ("video2mp3.dev", "conversionsets"): {"delete", "list", "watch"},
    ("video2mp3.dev", "conversionsets/status"): {"patch"},
    ("video2mp3.dev", "conversionsets/finalizers"): {"update"},
    ("batch", "jobs"): {"create", "delete", "get", "list", "watch"},
    ("", "pods"): {"list", "watch"},
    ("", "configmaps"): {"get"},
    ("", "events"): {"create", "list"},
    ("coordination.k8s.io", "leases"): {"create", "list", "watch"},
    ("coordination.k8s.io", "leases/video2mp3-operator-heartbeat"): {"patch"},
    ("coordination.k8s.io", "leases/video2mp3-leader"): {"get", "update"},
}
ONLY_AT_HOME = ("coordination.k8s.io", "leases/video2mp3-leader")


def rights(role: dict[str, Any]) -> dict[tuple[str, str], set[str]]:
    """Verbs by group and resource; where a rule names objects, by resource/name."""
    found: dict[tuple[str, str], set[str]] = {}
    for rule in role["rules"]:
        names = [f"/{name}" for name in rule.get("resourceNames", [])] or [""]
        for group, resource, name in product(rule["apiGroups"], rule["resources"], names):
            found.setdefault((group, f"{resource}{name}"), set()).update(rule["verbs"])
    return found


def test_the_secrets_job_makes_secrets_and_reads_no_others(manifests: Manifests):
    role = manifests.named("Role", "video2mp3-secrets", NAMESPACE)
    theirs = {("", f"secrets/{planned.name}"): {"get", "patch"} for planned in manifests.plan}
    assert rights(role) == {("", "secrets"): {"create"}} | theirs


def test_the_gateway_handles_conversions_only(manifests: Manifests):
    assert rights(manifests.named("Role", "video2mp3-gateway", NAMESPACE)) == GATEWAY


def test_the_operator_writes_status_jobs_and_events_and_ends_conversions(manifests: Manifests):
    assert rights(manifests.named("Role", "video2mp3-operator", NAMESPACE)) == OPERATOR


def test_the_operator_may_do_the_same_in_each_watched_namespace_but_make_jobs(chart: Chart):
    """A heartbeat of its own among it: where the first namespace goes, the others are served on. One says who leads."""
    manifests = chart.render({"operator": {"watchNamespaces": [NAMESPACE, "team-a"]}})
    assert rights(manifests.named("Role", "video2mp3-operator", NAMESPACE)) == OPERATOR
    elsewhere = rights(manifests.named("Role", "video2mp3-operator", "team-a"))
    there = OPERATOR | {("batch", "jobs"): {"delete", "get", "list", "watch"}}
    assert elsewhere == {key: verbs for key, verbs in there.items() if key != ONLY_AT_HOME}


def test_where_only_workers_run_conversions_are_seen_and_left_alone(chart: Chart):
    values = {"operator": {"watchNamespaces": ["team-a"]}, "gateway": {"conversionNamespace": "team-a"}}
    found = rights(chart.render(values).named("Role", "video2mp3-operator", NAMESPACE))
    ours = {key: verbs for key, verbs in OPERATOR.items() if key[0] != "video2mp3.dev" and key[1] != "configmaps"}
    assert found == ours | {("video2mp3.dev", kind): {"list", "watch"} for kind in ("conversions", "conversionsets")}


def test_the_names_of_the_leases_are_the_operators(manifests: Manifests):
    environment = manifests.environment(manifests.pod("operator").container("operator"))
    assert (environment["OPERATOR_NAMESPACE"], ONLY_AT_HOME[1]) == (
        NAMESPACE,
        f"leases/{leader_name(environment['OPERATOR_INSTANCE'])}",
    )
    assert ("coordination.k8s.io", f"leases/{heartbeat_name(environment['OPERATOR_INSTANCE'])}") in OPERATOR


def test_the_operators_rights_stay_where_it_does_not_watch_any_more(manifests: Manifests):
    """Without them nobody can take its finalizer off what is deleted there, as after a rollback."""
    for kind in ("Role", "RoleBinding"):
        kept = manifests.named(kind, "video2mp3-operator", NAMESPACE)["metadata"]["annotations"]
        assert kept == {"helm.sh/resource-policy": "keep"}


def test_a_rollback_that_drops_a_namespace_leaves_the_operators_rights_there(
    chart: Chart, kubernetes_server: KubernetesServer
):
    home, dropped = kubernetes_server.new_namespace(), kubernetes_server.new_namespace()
    where = ("--namespace", home, f"--kubeconfig={kubernetes_server.kubeconfig}")
    unwarned = {"admissionPolicy": {"warnUnwatched": False}}
    chart.install(unwarned, *where)
    chart.install(unwarned | {"operator": {"watchNamespaces": [home, dropped]}}, *where)
    chart.roll_back(*where)
    found = kubernetes_server.kubectl(
        "get", "role,rolebinding,serviceaccount", f"--namespace={dropped}", "--output=name"
    )
    assert {name for name in found.split() if "video2mp3" in name} == {
        "role.rbac.authorization.k8s.io/video2mp3-operator",
        "rolebinding.rbac.authorization.k8s.io/video2mp3-operator",
    }


def test_a_definition_that_another_release_left_is_taken_over_as_the_guide_says(
    chart: Chart, kubernetes_server: KubernetesServer
):
    before, home = kubernetes_server.new_namespace(), kubernetes_server.new_namespace()
    there, where = (("--namespace", each, f"--kubeconfig={kubernetes_server.kubeconfig}") for each in (before, home))
    values = {"crds": {"install": True}, "admissionPolicy": {"warnUnwatched": False}}
    chart.install(values, *there, "--take-ownership")
    chart.uninstall(*there)
    with pytest.raises(ValuesRefused, match=r"conversions\.video2mp3\.dev.*invalid ownership metadata"):
        chart.install(values, *where)
    assert "`invalid ownership metadata`): add `--take-ownership`" in (ROOT / "docs" / "operations.md").read_text()
    chart.install(values, *where, "--take-ownership")
    owner = r"jsonpath={.metadata.annotations.meta\.helm\.sh/release-namespace}"
    assert kubernetes_server.kubectl("get", "crd/conversions.video2mp3.dev", f"--output={owner}") == home


def test_releases_beside_each_other_over_a_kept_definition_touch_only_their_own(
    chart: Chart, kubernetes_server: KubernetesServer
):
    """One was uninstalled, another takes its definition over, is upgraded and goes back; a third uses the same."""
    kubectl = kubernetes_server.kubectl
    gone, first, second = (kubernetes_server.new_namespace() for _ in range(3))
    kubeconfig = f"--kubeconfig={kubernetes_server.kubeconfig}"
    of_gone, of_first, of_second = (("--namespace", each, kubeconfig) for each in (gone, first, second))
    with_definition = {"crds": {"install": True}, "admissionPolicy": {"warnUnwatched": False}}
    without = {"admissionPolicy": {"warnUnwatched": False}}

    def versions(namespace: str) -> str:
        kinds = "deploy,statefulset,service,serviceaccount,role,rolebinding,networkpolicy,pdb,configmap,conversion"
        told = "jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.resourceVersion}{'\\n'}{end}"
        return kubectl("get", kinds, f"--namespace={namespace}", f"--output={told}")

    chart.install(with_definition, *of_gone, "--take-ownership")
    definition = kubectl("get", "crd/conversions.video2mp3.dev", "--output=jsonpath={.metadata.uid}")
    chart.uninstall(*of_gone)
    chart.install(with_definition, *of_first, "--take-ownership")
    chart.install(without, *of_second)
    conversion = yaml.safe_load((ROOT / "examples" / "conversion.yaml").read_text())
    conversion["metadata"]["namespace"] = second
    kubectl("apply", "--filename=-", stdin=json.dumps(conversion))
    before = versions(second)
    assert {"Deployment", "Conversion"} <= {line.split()[0] for line in before.splitlines()}

    chart.install(with_definition | {"operator": {"maxRunning": 7}}, *of_first)
    chart.roll_back(*of_first)
    chart.uninstall(*of_first)

    assert versions(second) == before
    assert kubectl("get", "crd/conversions.video2mp3.dev", "--output=jsonpath={.metadata.uid}") == definition
    chart.install(without | {"operator": {"maxRunning": 7}}, *of_second)


def test_a_larger_volume_as_the_guide_says(chart: Chart, kubernetes_server: KubernetesServer):
    home = kubernetes_server.new_namespace()
    where = ("--namespace", home, f"--kubeconfig={kubernetes_server.kubeconfig}")
    values = {"admissionPolicy": {"warnUnwatched": False}}
    larger = values | {"mongodb": {"storage": {"size": "100Gi"}}}
    chart.install(values, *where)
    with pytest.raises(ValuesRefused, match=r"updates to statefulset spec for fields other than .* are forbidden"):
        chart.install(larger, *where)
    guide = (ROOT / "docs" / "operations.md").read_text()
    [take_away] = re.findall(r"^kubectl (delete statefulset video2mp3-mongodb .*)$", guide, re.MULTILINE)
    kubernetes_server.kubectl(
        *take_away.replace("--namespace video2mp3", f"--namespace={home}").split(), "--wait=false"
    )
    # Who orphans its pod is a controller, and here is none.
    unbound = '--patch={"metadata": {"finalizers": null}}'
    kubernetes_server.kubectl(
        "patch", "statefulset", "video2mp3-mongodb", f"--namespace={home}", "--type=merge", unbound
    )
    chart.install(larger, *where)
    size = "jsonpath={.spec.volumeClaimTemplates[0].spec.resources.requests.storage}"
    found = kubernetes_server.kubectl("get", "statefulset/video2mp3-mongodb", f"--namespace={home}", f"--output={size}")
    assert found == "100Gi"


def test_an_upgrade_that_drops_a_namespace_with_conversions_is_refused(
    chart: Chart, kubernetes_server: KubernetesServer
):
    home, dropped = kubernetes_server.new_namespace(), kubernetes_server.new_namespace()
    upgrade = ("--namespace", home, f"--kubeconfig={kubernetes_server.kubeconfig}", "--dry-run=server", "--is-upgrade")
    both = chart.render({"operator": {"watchNamespaces": [home, dropped]}}, *upgrade)
    running = both.named("Deployment", "video2mp3-operator", home)
    conversion = yaml.safe_load((ROOT / "examples" / "conversion.yaml").read_text())
    conversion["metadata"]["namespace"] = dropped
    for document in (running, conversion):
        kubernetes_server.kubectl("apply", "--filename=-", stdin=json.dumps(document))
    with pytest.raises(ValuesRefused, match=f"drops {dropped}, where 1 Conversions are .*delete conversions --all"):
        chart.render({}, *upgrade)
    kubernetes_server.kubectl("delete", "conversion", "talk", f"--namespace={dropped}")
    assert chart.render({}, *upgrade).named("Deployment", "video2mp3-operator", home)


def test_nobody_else_has_any_right(manifests: Manifests):
    bindings = manifests.of_kind("RoleBinding")
    subjects = {subject["name"] for binding in bindings for subject in binding["subjects"]}
    assert subjects == {"video2mp3-gateway", "video2mp3-operator", "video2mp3-secrets"}
    for binding in bindings:
        assert manifests.named("Role", binding["roleRef"]["name"], binding["metadata"]["namespace"])


def in_the_whole_cluster(manifests: Manifests) -> dict[str, dict[tuple[str, str], set[str]]]:
    """The rights of each account."""
    found = {}
    for binding in manifests.of_kind("ClusterRoleBinding"):
        [subject] = binding["subjects"]
        assert (subject["kind"], subject["namespace"]) == ("ServiceAccount", NAMESPACE)
        found[subject["name"]] = rights(manifests.named("ClusterRole", binding["roleRef"]["name"]))
    return found


def test_no_account_has_a_right_in_the_whole_cluster_but_to_classes(chart: Chart, manifests: Manifests):
    kind = ("video2mp3.dev", "conversionclasses")
    listing = {kind: {"list"}}
    named = {("video2mp3.dev", f"{kind[1]}/{name}"): {"patch"} for name in ("default", "music", "podcast", "speech")}
    both = {"video2mp3-gateway": listing, "video2mp3-operator": {kind: {"create", "list"}} | named}
    assert in_the_whole_cluster(manifests) == both
    reading = in_the_whole_cluster(chart.render({"classes": {"install": False}}))
    assert reading == {"video2mp3-gateway": listing, "video2mp3-operator": listing}
    assert not in_the_whole_cluster(chart.render({"rbac": {"readClasses": False}}))


def test_people_who_may_see_or_change_a_namespace_may_do_so_with_its_conversions(manifests: Manifests):
    view = manifests.named("ClusterRole", "conversions.video2mp3.dev-view")
    edit = manifests.named("ClusterRole", "conversions.video2mp3.dev-edit")
    reading = {"get", "list", "watch"}
    group = "video2mp3.dev"
    kinds = ("conversions", "conversions/status", "conversionsets", "conversionsets/status", "conversionclasses")
    assert rights(view) == {(group, kind): reading for kind in kinds}
    changing = {"create", "delete", "deletecollection", "patch", "update"}
    assert rights(edit) == {(group, kind): changing for kind in ("conversions", "conversionsets")}
    assert aggregated(view) == {"view", "edit", "admin"}
    assert aggregated(edit) == {"edit", "admin"}
    for role in (view, edit):
        assert role["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def aggregated(role: dict[str, Any]) -> set[str]:
    prefix = "rbac.authorization.k8s.io/aggregate-to-"
    return {key.removeprefix(prefix) for key, value in role["metadata"]["labels"].items() if key.startswith(prefix)}


def test_the_roles_for_people_can_be_left_to_another_release(chart: Chart):
    assert not chart.render({"rbac": {"aggregateRoles": False, "readClasses": False}}).of_kind("ClusterRole")
