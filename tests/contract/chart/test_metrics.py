"""Alerts and dashboard ask for what the services export, and alerts fire when they should."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
from prometheus_client import generate_latest

from tests.contract.chart.exported import STORES, TARGET_LABELS, Samples, exported, registries
from tests.contract.chart.flows import METRICS_PORTS
from tests.contract.chart.helm import CHART, NAMESPACE, RELEASE, ROOT, Chart, ValuesRefused
from tests.contract.chart.manifests import Manifests
from tests.contract.chart.promtool import Promtool, unpacked
from video2mp3_auth.metrics import _OUTCOMES, SUCCEEDED
from video2mp3_notifier.dispositions import Outcome
from video2mp3_operator.ports import errors
from video2mp3_operator.telemetry.metrics import FAULTS

GUIDE = (ROOT / "docs" / "operations.md").read_text()
COMPONENTS = ("auth", "gateway", "notifier", "operator")
RUNBOOKS = "https://wiki.example.com/video2mp3/runbooks"
ALL_ON: dict[str, Any] = {
    "metrics": {
        "serviceMonitor": {"enabled": True},
        "prometheusRule": {"enabled": True, "runbooks": RUNBOOKS},
        "dashboard": {"enabled": True},
        "labels": {"release": "monitoring"},
    },
    "networkPolicy": {"metricsFrom": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "m"}}}]},
}


@pytest.fixture(scope="module")
def monitored(chart: Chart) -> Manifests:
    return chart.render(ALL_ON)


@pytest.fixture(scope="module")
def samples() -> dict[str, Samples]:
    return exported()


# --- what is installed


@pytest.mark.parametrize("kind", ["ServiceMonitor", "PrometheusRule"])
def test_nothing_of_the_prometheus_operator_by_default(kind: str, manifests: Manifests):
    assert not manifests.of_kind(kind)
    assert not [each for each in manifests.of_kind("ConfigMap") if "grafana_dashboard" in each["metadata"]["labels"]]


@pytest.mark.parametrize("component", COMPONENTS)
def test_each_service_is_scraped_at_the_port_that_answers(component: str, monitored: Manifests):
    monitor = monitored.named("ServiceMonitor", f"video2mp3-{component}", NAMESPACE)
    wanted = monitor["spec"]["selector"]["matchLabels"]
    [service] = [each for each in monitored.of_kind("Service") if wanted.items() <= each["metadata"]["labels"].items()]
    [endpoint] = monitor["spec"]["endpoints"]
    assert service["metadata"]["name"] == f"video2mp3-{component}"
    [pod] = [pod for pod in monitored.pods() if pod.component == component]
    ports = {port["name"]: port["containerPort"] for port in pod.spec["containers"][0]["ports"]}
    assert endpoint["port"] in {port["targetPort"] for port in service["spec"]["ports"]} & ports.keys()
    assert ports[endpoint["port"]] == METRICS_PORTS[component]
    assert endpoint["path"] == "/metrics"


def test_prometheus_selects_them_by_labels_of_its_own(monitored: Manifests):
    for document in [*monitored.of_kind("ServiceMonitor"), *monitored.of_kind("PrometheusRule")]:
        assert document["metadata"]["labels"]["release"] == "monitoring"


def test_scraping_that_a_network_policy_would_stop_is_refused(chart: Chart):
    with pytest.raises(ValuesRefused, match=r"networkPolicy\.metricsFrom is missing"):
        chart.render({"metrics": {"serviceMonitor": {"enabled": True}}})
    open_network = {"metrics": {"serviceMonitor": {"enabled": True}}, "networkPolicy": {"enabled": False}}
    assert len(chart.render(open_network).of_kind("ServiceMonitor")) == len(COMPONENTS)


# --- what is asked for


def selectors(expression: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each series that an expression asks for: its name, and its matchers' values by label."""
    found: list[promql_parser.VectorSelector] = []

    def visit(node: promql_parser.Expr) -> bool:
        found.extend([node] if isinstance(node, promql_parser.VectorSelector) else [])
        return True

    promql_parser.walk(promql_parser.parse(expression), visit)
    for selector in found:
        yield selector.name, {matcher.name: matcher.value for matcher in selector.matchers.matchers}


def grouping(expression: str) -> set[str]:
    return {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", expression) for label in group.split(",")}


def components_of(job: str) -> list[str]:
    """Those whose job, as a ServiceMonitor leads to it, a matcher means."""
    return [component for component in COMPONENTS if re.fullmatch(job, f"{RELEASE}-{component}")]


def complaints(expression: str, samples: dict[str, Samples]) -> list[str]:
    """What an expression asks for and no service exports."""
    wrong, known = [], set[str]()
    for name, matchers in selectors(expression):
        volume = matchers.get("persistentvolumeclaim", "")
        asked = components_of(matchers.get("job", "")) or [
            store for store in STORES if volume == f"data-{RELEASE}-{store}-0"
        ]
        if matchers.get("namespace") != NAMESPACE or not asked:
            wrong.append(f"{name} of everybody")
        for component in asked:
            labels = samples[component].get(name)
            if labels is None:
                wrong.append(f"{name} is not exported by {component}")
                continue
            known |= labels | TARGET_LABELS
            wrong.extend(f"{name} has no label {label}" for label in matchers.keys() - labels - TARGET_LABELS)
    return [*wrong, *(f"nothing has the label {label}" for label in grouping(expression) - known)]


def alerts(manifests: Manifests) -> list[dict[str, Any]]:
    [rule] = manifests.of_kind("PrometheusRule")
    return [alert for group in rule["spec"]["groups"] for alert in group["rules"]]


def test_alerts_ask_for_what_is_exported(monitored: Manifests, samples: dict[str, Samples]):
    for alert in alerts(monitored):
        assert complaints(alert["expr"], samples) == [], alert["alert"]


def test_the_check_can_fail(samples: dict[str, Samples]):
    operator = f'namespace="{NAMESPACE}",job="video2mp3-operator"'
    assert complaints(f"video2mp3_operator_queue{{{operator}}}", samples)
    assert complaints(f'video2mp3_operator_queued{{{operator},phase="Queued"}}', samples)
    assert complaints(f"sum by (reason) (video2mp3_operator_queued{{{operator}}})", samples)
    assert complaints("video2mp3_operator_queued", samples)
    assert complaints(f"sum by (phase) (video2mp3_operator_conversions{{{operator}}})", samples) == []


def matched(manifests: Manifests, metric: str, label: str) -> set[str]:
    """The values of a label that alerts look for (or leave out)."""
    found = [matchers for alert in alerts(manifests) for name, matchers in selectors(alert["expr"]) if name == metric]
    return {value for matchers in found if label in matchers for value in matchers[label].split("|")}


def test_alerts_look_for_values_that_exist(monitored: Manifests):
    prefix = "video2mp3_operator_"
    assert matched(monitored, f"{prefix}conversions_finished_total", "reason") == set(FAULTS)
    assert matched(monitored, f"{prefix}reconcile_errors_total", "error") == {errors.ConflictError.__name__}
    assert matched(monitored, "video2mp3_notifier_messages_total", "outcome") <= set(Outcome)
    assert matched(monitored, "video2mp3_auth_logins_total", "outcome") <= {SUCCEEDED, *_OUTCOMES.values()}


def test_every_alert_says_what_to_do(monitored: Manifests):
    for alert in alerts(monitored):
        assert alert["annotations"].keys() == {"summary", "runbook", "runbook_url"}, alert["alert"]
        assert alert["labels"]["severity"] in {"critical", "warning", "info"}
        assert alert["labels"]["component"] in COMPONENTS + STORES
        assert alert["annotations"]["runbook_url"] == f"{RUNBOOKS}#{alert['alert'].lower()}"


def test_alerts_lead_nowhere_where_no_address_is_named(chart: Chart):
    for alert in alerts(chart.render({"metrics": {"prometheusRule": {"enabled": True}}})):
        assert alert["annotations"].keys() == {"summary", "runbook"}


def test_the_rules_alone_are_rendered_as_the_guide_says(chart: Chart):
    [command] = re.findall(r"^(helm template .*(?:\\\n.*)*prometheusrule\.yaml)$", GUIDE, re.MULTILINE)
    words = command.replace("\\\n", "").split()
    assert words[:6] == ["helm", "template", RELEASE, "charts/video2mp3", "--namespace", RELEASE]
    [rule] = chart.render({}, *words[8:]).documents
    assert rule["kind"] == "PrometheusRule"
    assert words[6:8] == ["--values", "values.yaml"]


def test_stores_of_ones_own_have_no_volume_of_ours(chart: Chart):
    values = ALL_ON | {"externalMongodb": {"existingSecret": "mine"}, "worker": {"existingSecret": "mine"}}
    found = {
        each["labels"]["component"] for each in alerts(chart.render(values)) if each["alert"].endswith("VolumeFills")
    }
    assert found == {"mysql", "rabbitmq"}


def test_the_guide_lists_every_alert(monitored: Manifests):
    names = list(dict.fromkeys(alert["alert"] for alert in alerts(monitored)))
    rows = re.findall(r"^\| \[`(Video2mp3\w+)`\]\(runbooks\.md#(\w+)\) \|", GUIDE, re.MULTILINE)
    assert rows == [(name, name.lower()) for name in names]
    runbooks = (ROOT / "docs" / "runbooks.md").read_text()
    assert re.findall(r"^## (.+)$", runbooks, re.MULTILINE) == names


def test_the_guide_lists_every_metric_with_its_labels(samples: dict[str, Samples]):
    rows = re.findall(r"^\| ((?:`[a-z0-9_]+`(?:, )?)+) \| ((?:`\w+`(?:, | ))*)\|", GUIDE, re.MULTILINE)
    listed = {
        name: set(re.findall(r"`(\w+)`", labels))
        for names, labels in rows
        for name in re.findall(r"`([a-z0-9_]+)`", names)
    }
    everybodys = re.compile(r"(python|process|kubelet)_|up$")
    ours = {
        re.sub(r"_(bucket|count|sum)$", "", name): set(labels) - {"le"}
        for component in samples.values()
        for name, labels in component.items()
        if not everybodys.match(name)
    }
    assert listed == ours


# --- the dashboard

VARIABLES = {"$__rate_interval": "5m", "$namespace": NAMESPACE, "$name": RELEASE}


DASHBOARD = json.loads((CHART / "files" / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"].replace(" ", "-"))
def test_panels_ask_for_what_is_exported(panel: Any, samples: dict[str, Samples]):
    assert panel["targets"]
    for target in panel["targets"]:
        expression = target["expr"]
        for variable, value in VARIABLES.items():
            expression = expression.replace(variable, value)
        assert complaints(expression, samples) == []
        legend = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
        assert legend <= grouping(expression) | TARGET_LABELS


def test_the_dashboards_variables_are_found_by_what_is_exported(samples: dict[str, Samples]):
    variables = DASHBOARD["templating"]["list"]
    queries = [each["definition"] for each in variables if each["type"] == "query"]
    names = {re.findall(r"label_values\((\w+)", query)[0] for query in queries}
    assert names <= samples["operator"].keys()
    assert [each["name"] for each in variables] == ["datasource", "namespace", "name"]


def test_grafana_gets_the_dashboard_as_it_is(monitored: Manifests):
    config = monitored.named("ConfigMap", "video2mp3-dashboard", NAMESPACE)
    assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
    [content] = config["data"].values()
    assert json.loads(content) == DASHBOARD


# --- when alerts fire


@pytest.fixture(scope="module")
def promtool_program() -> Path:
    return unpacked()


@pytest.fixture
def promtool(promtool_program: Path, monitored: Manifests, tmp_path: Path) -> Promtool:
    [rule] = monitored.of_kind("PrometheusRule")
    return Promtool(promtool_program, tmp_path, rule["spec"])


@pytest.mark.parametrize("component", COMPONENTS)
def test_names_and_units_are_as_prometheus_wants_them(component: str, promtool: Promtool):
    text = generate_latest(registries()[component]).decode()
    promtool.lint(text)
    names = set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE))
    assert {name for name in names if not re.match(r"(video2mp3|process|python)_", name)} == set()
    assert {name for name in names if name.endswith("_created")} == set()
    assert re.search(r'^video2mp3_build_info{version="\d+\.\d+\.\d+"} 1\.0$', text, re.MULTILINE)


def test_prometheus_reads_the_rules(promtool: Promtool):
    promtool.check()


def of(component: str, name: str, **labels: str) -> str:
    """A series as Prometheus has it once a ServiceMonitor has led it to the service."""
    target = {"namespace": NAMESPACE, "job": f"{RELEASE}-{component}", "pod": f"{component}-1"}
    return name + "{" + ",".join(f'{label}="{value}"' for label, value in (target | labels).items()) + "}"


ALL_UP = {of(component, "up"): "1x180" for component in COMPONENTS}
QUEUED, LIVE = of("operator", "video2mp3_operator_queued"), of("operator", "video2mp3_operator_jobs_live")
CREATED = of("operator", "video2mp3_operator_jobs_created_total")
FAILED = "video2mp3_operator_conversions_finished_total"
CRASHED = of("operator", FAILED, phase="Failed", reason="WorkerCrashed")
NO_AUDIO = of("operator", FAILED, phase="Failed", reason="NoAudio")
HEARTBEAT = of("operator", "video2mp3_operator_heartbeat_age_seconds")
LEADER = "video2mp3_operator_leader"
LEADS = of("operator", LEADER)
SILENT = of("gateway", "video2mp3_gateway_conversions_event_age_seconds")
CONNECTED = of("notifier", "video2mp3_notifier_broker_connected")
SENT = of("notifier", "video2mp3_notifier_messages_total", outcome="sent")
RETRIED = of("notifier", "video2mp3_notifier_messages_total", outcome="retried")
GOOD = of("gateway", "video2mp3_http_request_seconds_count", route="/upload", status="202")
BAD = of("gateway", "video2mp3_http_request_seconds_count", route="/upload", status="503")
UNREADY = of("gateway", "video2mp3_http_request_seconds_count", route="/readyz", status="503")
CLAIM = f'{{namespace="{NAMESPACE}",persistentvolumeclaim="data-{RELEASE}-mongodb-0"}}'
FREE, ROOM = f"kubelet_volume_stats_available_bytes{CLAIM}", f"kubelet_volume_stats_capacity_bytes{CLAIM}"
DAY = 24 * 3600

CASES: dict[str, tuple[dict[str, str], int, dict[str, int]]] = {
    "all is well": (
        {QUEUED: "3x180", LIVE: "20x180", CREATED: "0+1x180", NO_AUDIO: "0+1x180", HEARTBEAT: "1x180"}
        | {CONNECTED: "1x180", SENT: "0+1x180", RETRIED: "0+1x180", GOOD: "0+60x180", BAD: "0+1x180"},
        150,
        {},
    ),
    "a service is down": ({of("auth", "up"): "1x10 0x20"}, 20, {"Video2mp3ServiceDown": 1}),
    "one pod of two is down": ({of("auth", "up", pod="auth-2"): "0x20"}, 20, {}),
    "a service restarts": ({of("auth", "up"): "1x10 0x3 1x20"}, 20, {}),
    "a service was never scraped": ({of("auth", "up"): "_x20"}, 20, {"Video2mp3ServiceDown": 1}),
    "deaf": ({HEARTBEAT: "1x10 30 60 90 0x20"}, 15, {"Video2mp3OperatorHeartbeatStale": 1}),
    "the leader is replaced": ({LEADS: "1x10 0x20", of("operator", LEADER, pod="operator-2"): "0x10 _ 1x20"}, 20, {}),
    "nobody leads": (
        {LEADS: "1x10 0x20", of("operator", LEADER, pod="operator-2"): "0x30"},
        20,
        {"Video2mp3OperatorNoLeader": 1},
    ),
    "two lead": (
        {LEADS: "1x30", of("operator", LEADER, pod="operator-2"): "1x30"},
        20,
        {"Video2mp3OperatorTwoLeaders": 1},
    ),
    "a gateway hears nothing": ({SILENT: "30x10 60+60x20"}, 20, {"Video2mp3ListsStale": 1}),
    "a gateway hears nothing for a moment": ({SILENT: "30x10 100 160 20x20"}, 20, {}),
    "slow for a moment": ({HEARTBEAT: "1x10 30 0x20"}, 15, {}),
    "the store is away": (
        {of("operator", "video2mp3_operator_reconcile_errors_total", error="UnavailableError"): "0+1x40"},
        40,
        {"Video2mp3OperatorErrors": 1},
    ),
    "conflicts": (
        {of("operator", "video2mp3_operator_reconcile_errors_total", error="ConflictError"): "0+1x40"},
        40,
        {},
    ),
    "a document is damaged": (
        {of("operator", "video2mp3_operator_objects_skipped_total", kind="ledger entry"): "0x10 1x20"},
        20,
        {"Video2mp3OperatorSkips": 1},
    ),
    "a loop has failed": (
        {of("operator", "video2mp3_operator_loop_failures_total", loop="resync"): "0x10 1x20"},
        20,
        {"Video2mp3OperatorSkips": 1},
    ),
    "the first worker that crashed": ({CRASHED: "0x10 1x20"}, 20, {"Video2mp3ConversionsFailing": 1}),
    "a crash of yesterday": ({CRASHED: "0x10 1x120"}, 120, {}),
    "videos without sound": ({NO_AUDIO: "0+1x20"}, 20, {}),
    "nothing starts": ({QUEUED: "3x30", LIVE: "0x30", CREATED: "7x30"}, 30, {"Video2mp3QueueStuck": 1}),
    "places are held": ({QUEUED: "3x180", LIVE: "20x180", CREATED: "7x180"}, 150, {"Video2mp3QueueNotMoving": 1}),
    "a new operator counts from 0": (
        {QUEUED: "3x180", LIVE: "20x180", CREATED: "0+1x60 0+1x120"},
        150,
        {},
    ),
    "files are left": (
        {of("operator", "video2mp3_operator_deletions_abandoned_total"): "0x10 1x20"},
        20,
        {"Video2mp3FilesLeftBehind": 1},
    ),
    "more is unwanted than can be": (
        {of("operator", "video2mp3_operator_orphan_sweep_halted", kind="mp3", reason="abnormal"): "0x10 1x20"},
        20,
        {"Video2mp3SweepHalted": 1},
    ),
    "somebody has looked": (
        {of("operator", "video2mp3_operator_orphan_sweep_halted", kind="mp3", reason="abnormal"): "1x10 0x20"},
        20,
        {},
    ),
    "nothing is published": (
        {of("operator", "video2mp3_operator_outbox_messages"): "0x5 2x25"},
        25,
        {"Video2mp3OutboxWaits": 1},
    ),
    "published at once": ({of("operator", "video2mp3_operator_outbox_messages"): "1 0 2 0 1 0x25"}, 5, {}),
    "the broker is away": ({CONNECTED: "1x5 0x20"}, 20, {"Video2mp3BrokerConnectionLost": 1}),
    "one of two notifiers consumes": (
        {CONNECTED: "0x20", of("notifier", "video2mp3_notifier_broker_connected", pod="notifier-2"): "1x20"},
        20,
        {},
    ),
    "no email is taken": ({RETRIED: "0+1x60", SENT: "5x60"}, 60, {"Video2mp3EmailsNotSent": 1}),
    "a mailbox is full": (
        {of("notifier", "video2mp3_notifier_messages_total", outcome="turned-away"): "0x10 1x20"},
        20,
        {"Video2mp3EmailsTurnedAway": 1},
    ),
    "poison": (
        {of("notifier", "video2mp3_notifier_messages_total", outcome="crashed"): "0x10 1x20"},
        20,
        {"Video2mp3NotifierCrashes": 1},
    ),
    "the first dead letter": (
        {of("notifier", "video2mp3_notifier_dead_letters_total", reason="Refused"): "0x10 1x20"},
        20,
        {"Video2mp3DeadLetters": 1},
    ),
    "one answer in ten fails": ({GOOD: "0+9x40", BAD: "0+1x40"}, 40, {"Video2mp3ServerErrors": 1}),
    "not ready": ({GOOD: "0+9x40", UNREADY: "0+9x40"}, 40, {}),
    "full": (
        {of("gateway", "video2mp3_http_problems_total", code="too-many-transfers"): "0+1x40"},
        40,
        {"Video2mp3GatewayFull": 1},
    ),
    "guessing": (
        {of("auth", "video2mp3_auth_logins_total", outcome="rejected"): "0+6x70"},
        70,
        {"Video2mp3LoginsRejected": 1},
    ),
    "a volume that will be full in two days": (
        {FREE: f"{14 * 10**9}-{5 * 10**6}x90", ROOM: f"{100 * 10**9}x90"},
        90,
        {"Video2mp3VolumeFills": 1},
    ),
    "a volume that fills for years": ({FREE: f"{14 * 10**9}-1000x90", ROOM: f"{100 * 10**9}x90"}, 90, {}),
    "a volume that is nearly full": ({FREE: "2x90", ROOM: "100x90"}, 90, {"Video2mp3VolumeFills": 1}),
    "one large source": (
        {FREE: f"{45 * 10**9}x30 {43 * 10**9}-{2 * 10**9}x10 {23 * 10**9}x140", ROOM: f"{100 * 10**9}x180"},
        150,
        {},
    ),
    "a volume that began an hour ago": (
        {FREE: f"_x119 {14 * 10**9}-{10**8}x60", ROOM: f"_x119 {100 * 10**9}x60"},
        179,
        {},
    ),
    "an old key": (
        {of("auth", "video2mp3_auth_signing_key_age_seconds"): f"{91 * DAY}x9"},
        5,
        {"Video2mp3SigningKeyOld": 1},
    ),
    "no key was read yet": ({of("auth", "video2mp3_auth_signing_key_age_seconds"): "NaN NaN NaN NaN NaN NaN"}, 5, {}),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.replace(" ", "-"))
def test_alerts_fire_when_they_should(case: str, promtool: Promtool):
    series, minutes, firing = CASES[case]
    promtool.play(ALL_UP | series, minutes, firing)


def test_every_alert_has_a_case(monitored: Manifests):
    assert {name for _, _, firing in CASES.values() for name in firing} == {each["alert"] for each in alerts(monitored)}
