"""What the manifests tell the services is what the services ask for."""

from typing import Any

import pytest
from pydantic import AliasChoices
from pydantic_settings import BaseSettings

from tests.contract.chart.helm import NAMESPACE, RELEASE, Chart, ValuesRefused
from tests.contract.chart.manifests import Manifests
from tests.contract.chart.workers import a_worker_pod
from video2mp3_auth.settings import AuthSettings
from video2mp3_gateway.app.settings import GatewaySettings
from video2mp3_notifier.settings import NotifierSettings
from video2mp3_operator.policy.settings import Settings as OperatorSettings
from video2mp3_worker.app.settings import WorkerSettings

SETTINGS: dict[str, tuple[str, type[BaseSettings]]] = {
    "gateway": ("gateway", GatewaySettings),
    "auth": ("auth", AuthSettings),
    "ensure-account": ("auth", AuthSettings),
    "operator": ("operator", OperatorSettings),
    "notifier": ("notifier", NotifierSettings),
}
"""By container: its pod's component and the class that reads its environment."""


def variables(settings: type[BaseSettings]) -> dict[str, bool]:
    """The variables that a class reads, and whether it must have them."""
    prefix = settings.model_config["env_prefix"]
    names = {}
    for name, field in settings.model_fields.items():
        alias = field.validation_alias
        assert not isinstance(alias, AliasChoices)
        names[str(alias or f"{prefix}{name}").upper()] = field.is_required()
    return names


@pytest.mark.parametrize("container", SETTINGS)
def test_every_variable_exists_and_every_required_one_is_given(container: str, manifests: Manifests):
    component, settings = SETTINGS[container]
    given = manifests.environment(manifests.pod(component).container(container)).keys()
    known = variables(settings)
    assert given <= known.keys()
    assert {name for name, required in known.items() if required} <= given


@pytest.mark.parametrize("container", SETTINGS)
def test_the_service_accepts_them(container: str, manifests: Manifests, monkeypatch: pytest.MonkeyPatch):
    component, settings = SETTINGS[container]
    for name, value in manifests.environment(manifests.pod(component).container(container)).items():
        monkeypatch.setenv(name, value)
    assert settings()


def settings_of(container: str, manifests: Manifests, monkeypatch: pytest.MonkeyPatch) -> Any:
    component, settings = SETTINGS[container]
    for name, value in manifests.environment(manifests.pod(component).container(container)).items():
        monkeypatch.setenv(name, value)
    return settings()


def test_a_mail_server_with_login_and_private_certificate(chart: Chart):
    smtp = {"host": "mail", "port": 25, "starttls": True, "existingSecret": "login", "caSecret": "authority"}
    pod = chart.render({"notifier": {"smtp": smtp}}).pod("notifier")
    container = pod.container("notifier")
    environment = {variable["name"]: variable for variable in container["env"]}
    for name, key in (("NOTIFIER_SMTP_USERNAME", "username"), ("NOTIFIER_SMTP_PASSWORD", "password")):
        assert environment[name]["valueFrom"]["secretKeyRef"] == {"name": "login", "key": key}
    path = environment["NOTIFIER_SMTP_CA_FILE"]["value"]
    (mount,) = [mount for mount in container["volumeMounts"] if path.startswith(mount["mountPath"] + "/")]
    (volume,) = [volume for volume in pod.spec["volumes"] if volume["name"] == mount["name"]]
    assert volume["secret"] == {"secretName": "authority", "items": [{"key": "ca.crt", "path": "ca.crt"}]}


def test_workers_find_their_secret_and_their_account(manifests: Manifests):
    pod = a_worker_pod(manifests, NAMESPACE)
    assert manifests.named("ServiceAccount", pod.spec["serviceAccountName"], NAMESPACE)
    known = {field.alias for field in WorkerSettings.model_fields.values()}
    for variable in pod.spec["containers"][0]["env"]:
        assert variable["name"] in known
        reference = variable.get("valueFrom", {}).get("secretKeyRef")
        if reference:
            assert manifests.secrets[reference["name"]][reference["key"]]


def test_workers_use_the_image_of_the_release(chart: Chart):
    manifests = chart.render({"images": {"worker": {"repository": "registry.example.com/worker", "tag": "3"}}})
    assert a_worker_pod(manifests, NAMESPACE).spec["containers"][0]["image"] == "registry.example.com/worker:3"


DEFAULT_LABELS = {"sidecar.istio.io/inject": "false", "kuma.io/sidecar-injection": "disabled"}
"""Helm merges maps: what is to go is set to null."""


def test_worker_values_become_the_operators_settings(chart: Chart, monkeypatch: pytest.MonkeyPatch):
    resources = {
        "requests": {"cpu": 1, "memory": "1Gi", "ephemeral-storage": "5Gi"},
        "limits": {"cpu": None, "memory": "2Gi"},
    }
    numbers = {
        "startSeconds": 7,
        "stallSeconds": 9,
        "requireLandlock": True,
        "memoryCeiling": "3Gi",
        "runSeconds": 60,
        "jobTtlSeconds": 3,
        "podLabels": {"mesh": "no"},
        "podAnnotations": {"mesh.example.com/inject": "false"},
        "copiedLabels": ["team", "example.com/cost-centre"],
        "copiedAnnotations": ["example.com/ticket"],
        "nodeSelector": {"pool": "media"},
        "tolerations": [{"key": "media", "operator": "Exists"}],
        "affinity": {"podAffinity": {}},
        "priorityClassName": "batch",
        "maxSourceBytes": 10**12,
        "maxOutputBytes": 2,
        "maxDurationSeconds": 3,
        "urlSources": {"allowedHosts": ["media.example.com", "*.example.org"]},
    }
    caps = {"maxRunning": 4, "maxRunningPerNamespace": 5, "maxRunningPerOwner": 6, "queueSeconds": 8}
    everywhere = {"caSecret": "my-ca", "fixedUids": False}
    manifests = chart.render({"worker": {"resources": resources, **numbers}, "operator": caps, **everywhere})
    settings = settings_of("operator", manifests, monkeypatch)
    assert settings.worker_resources == {
        "requests": {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "5Gi"},
        "limits": {"memory": "2Gi"},
    }
    assert (settings.worker_start_seconds, settings.queue_seconds) == (7, 8)
    assert (settings.worker_stall_seconds, settings.worker_memory_ceiling) == (9, "3Gi")
    assert (settings.worker_run_seconds, settings.job_ttl_seconds) == (60, 3)
    assert settings.worker_require_landlock
    assert not settings_of("operator", chart.render({}), monkeypatch).worker_require_landlock
    assert settings.worker_pod_labels == {"mesh": "no"} | DEFAULT_LABELS
    assert settings.worker_pod_annotations == {"mesh.example.com/inject": "false", "linkerd.io/inject": "disabled"}
    assert settings.worker_copied_labels == ("team", "example.com/cost-centre")
    assert settings.worker_copied_annotations == ("example.com/ticket",)
    assert settings.worker_node_selector == {"pool": "media"}
    assert settings.worker_tolerations == ({"key": "media", "operator": "Exists"},)
    assert (settings.worker_affinity, settings.worker_priority_class) == ({"podAffinity": {}}, "batch")
    assert (settings.worker_ca_secret, settings.worker_fixed_uid) == ("my-ca", False)
    assert (settings.max_source_bytes, settings.max_output_bytes, settings.max_duration_seconds) == (10**12, 2, 3)
    assert settings.allowed_hosts == ("media.example.com", "*.example.org")
    assert (settings.max_running, settings.max_running_per_namespace, settings.max_running_per_owner) == (4, 5, 6)


def test_tokens_are_made_for_who_verifies_them(manifests: Manifests, monkeypatch: pytest.MonkeyPatch):
    auth = settings_of("auth", manifests, monkeypatch)
    gateway = settings_of("gateway", manifests, monkeypatch)
    assert (auth.jwt_issuer, auth.jwt_audience) == (gateway.jwt_issuer, gateway.jwt_audience)
    assert gateway.auth_url == "http://video2mp3-auth:8080"


@pytest.mark.parametrize(
    ("values", "name"), [({}, f"{NAMESPACE}/{RELEASE}"), ({"installation": "old/name"}, "old/name")]
)
def test_files_belong_to_the_installation(
    values: dict[str, Any], name: str, chart: Chart, monkeypatch: pytest.MonkeyPatch
):
    manifests = chart.render(values)
    assert settings_of("operator", manifests, monkeypatch).installation == name
    assert settings_of("gateway", manifests, monkeypatch).installation == name


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ({}, 30 * 86_400),
        ({"gateway": {"retentionDays": 0.5}}, 43_200),
        ({"gateway": {"retentionDays": 366}}, 366 * 86_400),
        ({"gateway": {"retentionDays": 0}}, None),
    ],
    ids=["by-default", "half-a-day", "the-longest", "off"],
)
def test_how_long_uploads_stay_is_a_value(
    values: dict[str, Any], seconds: int | None, chart: Chart, monkeypatch: pytest.MonkeyPatch
):
    assert settings_of("gateway", chart.render(values), monkeypatch).ttl_seconds == seconds


def test_sweeping_and_pausing_are_values(chart: Chart, monkeypatch: pytest.MonkeyPatch):
    default = settings_of("operator", chart.render({}), monkeypatch)
    assert (default.orphan_days, default.retained_days, default.paused) == (7, 0, False)
    values = {"operator": {"orphanDays": 1.5, "retainedDays": 30, "paused": True}}
    settings = settings_of("operator", chart.render(values), monkeypatch)
    assert (settings.orphan_days, settings.retained_days, settings.paused) == (1.5, 30, True)


PROXIES = [
    ({}, 0),
    ({"ingress": {"host": "mp3.example.com"}}, 1),
    ({"ingress": {"host": "mp3.example.com"}, "gateway": {"trustedProxies": 0}}, 0),
    # A Gateway, or a load balancer, brings people without an Ingress of ours.
    ({"gateway": {"trustedProxies": 2}}, 2),
]


@pytest.mark.parametrize(("values", "proxies"), PROXIES)
def test_each_person_has_an_address(
    values: dict[str, Any], proxies: int, chart: Chart, monkeypatch: pytest.MonkeyPatch
):
    assert settings_of("gateway", chart.render(values), monkeypatch).trusted_proxy_count == proxies


@pytest.mark.parametrize("container", SETTINGS)
def test_a_variable_of_the_values_takes_the_place_of_ours(container: str, chart: Chart, manifests: Manifests):
    component, _ = SETTINGS[container]
    ours = manifests.pod(component).container(container)["env"]
    # With a Secret behind them, and plain ones: Kubernetes lets the last of two count, Helm 4 takes no two.
    more = {"env": {**{each["name"]: "12" for each in ours}, f"{component.upper()}_LOG_LEVEL": "debug"}}
    env = chart.render({component: more}).pod(component).container(container)["env"]
    assert sorted(each["name"] for each in env) == sorted({each["name"] for each in ours} | more["env"].keys())
    assert {each["name"]: each.get("value") for each in env}.items() >= more["env"].items()


@pytest.mark.parametrize("component", ["gateway", "auth", "operator", "notifier"])
def test_no_more_variables_at_all(component: str, chart: Chart, manifests: Manifests):
    """As a map of the values is cleared."""
    assert chart.render({component: {"env": None}}).pod(component).spec == manifests.pod(component).spec


def test_a_variable_cannot_be_made_of_the_one_it_replaces(chart: Chart):
    name = "GATEWAY_MONGODB_URI"
    with pytest.raises(ValuesRefused, match=f"env.{name} refers to itself"):
        chart.render({"gateway": {"env": {name: f"$({name})&tls=true"}}})
