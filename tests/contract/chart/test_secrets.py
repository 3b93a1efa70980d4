"""Secrets: made in the cluster and nowhere else, strong, and replaceable by one's own."""

import base64
import json
from operator import itemgetter
from typing import Any
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet

from tests.contract.chart.helm import NAMESPACE, SMALLEST, Chart
from tests.contract.chart.manifests import Manifests

GENERATED = {
    "video2mp3-mysql": {"root-password", "username", "password", "url"},
    "video2mp3-mongodb": {"username", "password", "uri"},
    "video2mp3-rabbitmq": {"username", "password", "uri", "definitions.json"},
    "video2mp3-auth": {"key-encryption-key"},
    "video2mp3-account": {"email", "password"},
    "video2mp3-gateway": {"mongodb-password", "mongodb-uri"},
    **{
        f"video2mp3-{service}": {f"{store}-{key}" for store in ("mongodb", "rabbitmq") for key in ("password", "uri")}
        for service in ("operator", "worker", "notifier")
    },
}
SERVICES = ("gateway", "operator", "worker", "notifier")


def test_these_are_made(manifests: Manifests):
    assert {name: values.keys() for name, values in manifests.secrets.items()} == GENERATED


def test_rendering_makes_none_and_is_the_same_each_time(chart: Chart):
    """Argo CD renders without seeing the cluster: whatever were made then would be other ones at each sync."""
    first, second = (chart.text(SMALLEST) for _ in range(2))
    assert first == second
    assert "kind: Secret\n" not in first


GOES = {"before-hook-creation", "hook-succeeded"}
HOOKS = {
    # Argo CD looks at a whole sync: whatever fails in it, the right to make Secrets goes.
    "ServiceAccount/video2mp3-secrets": (-10, GOES | {"hook-failed"}),
    "Role/video2mp3-secrets": (-10, GOES | {"hook-failed"}),
    "RoleBinding/video2mp3-secrets": (-10, GOES | {"hook-failed"}),
    "NetworkPolicy/video2mp3-secrets": (-10, GOES | {"hook-failed"}),
    "Job/video2mp3-secrets": (0, GOES),
}


def test_they_are_made_before_all_else_and_the_right_to_do_so_goes_again(manifests: Manifests):
    found = {
        f"{document['kind']}/{document['metadata']['name']}": document["metadata"].get("annotations", {})
        for document in manifests.documents
    }
    hooks = {name: each for name, each in found.items() if "pre-install" in each.get("helm.sh/hook", "")}
    assert {
        name: (int(each["helm.sh/hook-weight"]), {*each["helm.sh/hook-delete-policy"].split(",")})
        for name, each in hooks.items()
    } == HOOKS
    for each in hooks.values():
        assert each["helm.sh/hook"].split(",") == ["pre-install", "pre-upgrade", "pre-rollback"]


def test_nothing_marks_them_as_argo_cds(manifests: Manifests):
    """By this label it may know what it has made itself, and prunes what is not in Git any more."""
    assert manifests.plan
    assert not [planned for planned in manifests.plan if "app.kubernetes.io/instance" in planned.labels]


def test_a_job_of_the_operators_image_runs_where_the_operator_does(chart: Chart):
    placement = {"nodeSelector": {"disk": "ssd"}, "tolerations": [{"operator": "Exists"}]}
    manifests = chart.render({"operator": placement})
    for component in ("secrets", "mongodb-users"):
        assert placement.items() <= manifests.pod(component).spec.items(), component


def test_no_mesh_keeps_a_job_from_ending(chart: Chart):
    mesh = {"podLabels": {"mesh.example.com/inject": "false", "app.kubernetes.io/component": "other"}}
    jobs = {each["metadata"]["name"]: each for each in chart.render({"worker": mesh}).of_kind("Job")}
    assert len(jobs) == 2
    for name, job in jobs.items():
        labels, annotations = (job["spec"]["template"]["metadata"][key] for key in ("labels", "annotations"))
        assert job["metadata"]["labels"].items() <= labels.items(), name
        assert [labels[key] for key in ("mesh.example.com/inject", "sidecar.istio.io/inject")] == ["false"] * 2
        assert labels["kuma.io/sidecar-injection"] == annotations["linkerd.io/inject"] == "disabled"


@pytest.mark.parametrize(
    "values",
    [
        {"operator": {"nodeSelector": {"disk": "ssd"}}},
        {"imagePullSecrets": ["registry"]},
        {"worker": {"podLabels": {"mesh.example.com/inject": "false"}}},
    ],
    ids="-".join,
)
def test_another_pod_for_the_users_is_another_job(values: dict[str, Any], chart: Chart, manifests: Manifests):
    """A Job's pod cannot change, and where Helm only renders there is but one revision."""

    def name(manifests: Manifests) -> str:
        return next(pod.owner for pod in manifests.pods() if pod.component == "mongodb-users")

    assert name(chart.render(values)) != name(manifests)


@pytest.mark.parametrize(
    ("secret", "key", "port"),
    [("mysql", "url", 3306), ("mongodb", "uri", 27017), ("rabbitmq", "uri", 5672)],
)
def test_uris_lead_to_the_service_with_its_login(secret: str, key: str, port: int, manifests: Manifests):
    values = manifests.secrets[f"video2mp3-{secret}"]
    parts = urlsplit(values[key])
    assert (parts.username, parts.password) == (values["username"], values["password"])
    assert (parts.hostname, parts.port) == (f"video2mp3-{secret}.{NAMESPACE}.svc", port)


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_logs_in_as_itself(service: str, manifests: Manifests):
    values = manifests.secrets[f"video2mp3-{service}"]
    for key in [key for key in values if key.endswith("-uri")]:
        store = key.removesuffix("-uri")
        parts = urlsplit(values[key])
        assert (parts.username, parts.password) == (service, values[f"{store}-password"])
        assert parts.hostname == f"video2mp3-{store}.{NAMESPACE}.svc"
    passwords = {value for key, value in values.items() if key.endswith("-password")}
    assert len(passwords) == len(values) / 2


@pytest.mark.parametrize("service", ["gateway", "operator", "notifier"])
def test_no_service_is_given_a_stores_own_login(service: str, manifests: Manifests):
    named = {
        variable["valueFrom"]["secretKeyRef"]["name"]
        for variable in manifests.pod(service).container(service)["env"]
        if "secretKeyRef" in variable.get("valueFrom", {})
    }
    assert named == {f"video2mp3-{service}"}


def test_rabbitmq_knows_who_may_do_what(manifests: Manifests):
    """Those who publish may neither read a queue nor declare one."""
    told = json.loads(manifests.secrets["video2mp3-rabbitmq"]["definitions.json"])
    users = {user["name"]: user["password"] for user in told["users"]}
    assert users["video2mp3"] == manifests.secrets["video2mp3-rabbitmq"]["password"]
    assert [user["name"] for user in told["users"] if user["tags"]] == ["video2mp3"]
    for service in ("operator", "worker", "notifier"):
        assert users.pop(service) == manifests.secrets[f"video2mp3-{service}"]["rabbitmq-password"]
    assert users.keys() == {"video2mp3"}
    rights = {each["user"]: each for each in told["permissions"]}
    for service in ("operator", "worker"):
        assert (rights[service]["configure"], rights[service]["read"]) == ("^$", "^$")


def test_the_users_of_a_server_of_ones_own_are_ones_own(external: Manifests):
    assert not [each for each in external.documents if "mongodb-users" in each["metadata"]["name"]]
    assert external.secrets.keys() == {"video2mp3-auth", "video2mp3-account"}


def test_a_service_may_have_a_login_of_ones_own(chart: Chart):
    manifests = chart.render({"gateway": {"existingSecret": "my-gateway"}})
    variables = {each["name"]: each for each in manifests.pod("gateway").container("gateway")["env"]}
    reference = variables["GATEWAY_MONGODB_URI"]["valueFrom"]["secretKeyRef"]
    assert reference == {"name": "my-gateway", "key": "mongodb-uri"}
    job = next(each for each in manifests.of_kind("Job") if "mongodb-users" in each["metadata"]["name"])
    assert "USERS_GATEWAY_URI" not in json.dumps(job)


def test_passwords_are_long_and_each_is_another(manifests: Manifests):
    passwords = [
        value for values in manifests.secrets.values() for key, value in values.items() if key.endswith("password")
    ]
    assert {len(each) for each in passwords} == {32}
    assert len({*passwords}) == len(passwords) == 12


def test_the_key_encryption_key_is_one_for_fernet(manifests: Manifests):
    key = manifests.secrets["video2mp3-auth"]["key-encryption-key"]
    assert Fernet(key).decrypt(Fernet(key).encrypt(b"x")) == b"x"
    assert len(base64.urlsafe_b64decode(key)) == 32


def test_the_accounts_address_is_in_lower_case_as_everywhere(manifests: Manifests):
    assert manifests.secrets["video2mp3-account"]["email"] == "first@example.com"


def test_every_secret_that_a_pod_names_is_there(manifests: Manifests):
    for pod in manifests.pods():
        for container in pod.containers:
            for variable in container.get("env", []):
                reference = variable.get("valueFrom", {}).get("secretKeyRef")
                if reference:
                    assert reference["key"] in manifests.secrets[reference["name"]], (pod.owner, variable["name"])


OWN = {
    "account": {"existingSecret": "my-account", "email": ""},
    "auth": {"existingSecret": "my-auth"},
    "mysql": {"existingSecret": "my-mysql"},
    "mongodb": {"existingSecret": "my-mongodb"},
    "rabbitmq": {"existingSecret": "my-rabbitmq"},
    "worker": {"existingSecret": "my-worker"},
}


def test_nothing_is_made_beside_ones_own(chart: Chart):
    manifests = chart.render(OWN)
    assert not [each for each in manifests.documents if each["metadata"]["name"].endswith("-secrets")]
    named = {
        variable["valueFrom"]["secretKeyRef"]["name"]
        for pod in manifests.pods()
        for container in pod.containers
        for variable in container.get("env", [])
        if "valueFrom" in variable
    }
    assert named == {"my-account", "my-auth", "my-mysql", "my-mongodb", "my-rabbitmq"}
    operator = manifests.pod("operator").container("operator")["env"]
    assert {"name": "OPERATOR_WORKER_SECRET", "value": "my-worker"} in operator


# --- servers of one's own


def test_no_server_is_started_beside_ones_own(external: Manifests):
    assert not external.of_kind("StatefulSet")
    names = {document["metadata"]["name"] for document in external.documents}
    assert not names & {"video2mp3-mysql", "video2mp3-mongodb", "video2mp3-rabbitmq"}


def test_ones_own_servers_secrets_are_used(external: Manifests):
    used = {
        (variable["name"], *itemgetter("name", "key")(variable["valueFrom"]["secretKeyRef"]))
        for pod in external.pods()
        for container in pod.containers
        for variable in container.get("env", [])
        if "valueFrom" in variable
    }
    assert {
        ("GATEWAY_MONGODB_URI", "my-mongodb", "uri"),
        ("AUTH_DATABASE_URL", "my-mysql", "url"),
        ("OPERATOR_MONGODB_URI", "my-mongodb", "uri"),
        ("OPERATOR_RABBITMQ_URI", "my-rabbitmq", "uri"),
        ("NOTIFIER_MONGODB_URI", "my-mongodb", "uri"),
        ("NOTIFIER_RABBITMQ_URI", "my-rabbitmq", "uri"),
    } <= used
