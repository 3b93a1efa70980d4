"""Secrets: made once, strong, in no other place than Secrets, and replaceable by one's own."""

import base64
import json
from collections.abc import Callable
from operator import itemgetter
from urllib.parse import urlsplit

import pytest
from cryptography.fernet import Fernet

from tests.contract.chart.helm import NAMESPACE, Chart
from tests.contract.chart.manifests import Manifests
from tests.integration.conftest import kubernetes_server
from tests.servers import KubernetesServer

__all__ = ["kubernetes_server"]

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


def test_these_are_generated(manifests: Manifests):
    made = {document["metadata"]["name"]: set(document["data"]) for document in manifests.of_kind("Secret")}
    assert made == GENERATED


def test_the_volumes_secrets_stay_with_the_volumes(manifests: Manifests):
    for name in GENERATED.keys() - {f"video2mp3-{service}" for service in SERVICES}:
        annotations = manifests.named("Secret", name)["metadata"]["annotations"]
        assert annotations == {"helm.sh/resource-policy": "keep"}, name


@pytest.mark.parametrize(
    ("secret", "key", "port"),
    [("mysql", "url", 3306), ("mongodb", "uri", 27017), ("rabbitmq", "uri", 5672)],
)
def test_uris_lead_to_the_service_with_its_login(secret: str, key: str, port: int, manifests: Manifests):
    values = manifests.secret(f"video2mp3-{secret}")
    parts = urlsplit(values[key])
    assert (parts.username, parts.password) == (values["username"], values["password"])
    assert (parts.hostname, parts.port) == (f"video2mp3-{secret}.{NAMESPACE}.svc", port)


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_logs_in_as_itself(service: str, manifests: Manifests):
    values = manifests.secret(f"video2mp3-{service}")
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
    told = json.loads(manifests.secret("video2mp3-rabbitmq")["definitions.json"])
    users = {user["name"]: user["password"] for user in told["users"]}
    assert users["video2mp3"] == manifests.secret("video2mp3-rabbitmq")["password"]
    assert [user["name"] for user in told["users"] if user["tags"]] == ["video2mp3"]
    for service in ("operator", "worker", "notifier"):
        assert users.pop(service) == manifests.secret(f"video2mp3-{service}")["rabbitmq-password"]
    assert users.keys() == {"video2mp3"}
    rights = {each["user"]: each for each in told["permissions"]}
    for service in ("operator", "worker"):
        assert (rights[service]["configure"], rights[service]["read"]) == ("^$", "^$")


def test_the_users_of_a_server_of_ones_own_are_ones_own(external: Manifests):
    assert not [each for each in external.documents if "mongodb-users" in each["metadata"]["name"]]
    assert not {each["metadata"]["name"] for each in external.of_kind("Secret")} & {
        f"video2mp3-{service}" for service in SERVICES
    }


def test_a_service_may_have_a_login_of_ones_own(chart: Chart):
    manifests = chart.render({"gateway": {"existingSecret": "my-gateway"}})
    variables = {each["name"]: each for each in manifests.pod("gateway").container("gateway")["env"]}
    reference = variables["GATEWAY_MONGODB_URI"]["valueFrom"]["secretKeyRef"]
    assert reference == {"name": "my-gateway", "key": "mongodb-uri"}
    job = next(each for each in manifests.of_kind("Job") if "mongodb-users" in each["metadata"]["name"])
    assert "USERS_GATEWAY_URI" not in json.dumps(job)


def test_passwords_are_long_and_new_each_time(chart: Chart, manifests: Manifests):
    again = chart.render()
    for name in ("mysql", "mongodb", "rabbitmq", "account"):
        first, second = (each.secret(f"video2mp3-{name}")["password"] for each in (manifests, again))
        assert len(first) == 32
        assert first != second


def test_the_key_encryption_key_is_one_for_fernet(manifests: Manifests):
    key = manifests.secret("video2mp3-auth")["key-encryption-key"]
    assert Fernet(key).decrypt(Fernet(key).encrypt(b"x")) == b"x"
    assert len(base64.urlsafe_b64decode(key)) == 32


def test_the_accounts_address_is_in_lower_case_as_everywhere(manifests: Manifests):
    assert manifests.secret("video2mp3-account")["email"] == "first@example.com"


@pytest.fixture
def installed(chart: Chart, kubernetes_server: KubernetesServer) -> Callable[[str], dict[str, str]]:
    """Render for an address, as an upgrade, and apply; answers the values of the account's Secret."""
    namespace, server = kubernetes_server.new_namespace(), f"--kubeconfig={kubernetes_server.kubeconfig}"
    looking = ("--namespace", namespace, server, "--dry-run=server", "--is-upgrade")

    def install(email: str) -> dict[str, str]:
        secret = chart.render({"account": {"email": email}}, *looking).named("Secret", "video2mp3-account", namespace)
        kubernetes_server.kubectl("apply", "--filename=-", stdin=json.dumps(secret))
        return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}

    return install


def test_another_address_gets_another_password(installed: Callable[[str], dict[str, str]]):
    first, kept, other = installed("First@example.com"), installed("first@EXAMPLE.com"), installed("other@example.com")
    assert kept == first
    assert other["email"] == "other@example.com"
    assert len(other["password"]) == 32
    assert other["password"] != first["password"]
    assert installed("first@example.com")["password"] not in (first["password"], other["password"])


def test_no_secret_stands_anywhere_else(manifests: Manifests):
    values = {
        value
        for document in manifests.of_kind("Secret")
        for key, value in manifests.secret(document["metadata"]["name"]).items()
        if key not in ("username", "email")
    }
    others = json.dumps([document for document in manifests.documents if document["kind"] != "Secret"])
    assert len(values) >= 8
    assert not [value for value in values if value in others]


def test_every_secret_that_a_pod_names_is_there(manifests: Manifests):
    for pod in manifests.pods():
        for container in pod.containers:
            for variable in container.get("env", []):
                reference = variable.get("valueFrom", {}).get("secretKeyRef")
                if reference:
                    assert reference["key"] in manifests.secret(reference["name"]), (pod.owner, variable["name"])


OWN = {
    "account": {"existingSecret": "my-account", "email": ""},
    "auth": {"existingSecret": "my-auth"},
    "mysql": {"existingSecret": "my-mysql"},
    "mongodb": {"existingSecret": "my-mongodb"},
    "rabbitmq": {"existingSecret": "my-rabbitmq"},
    "worker": {"existingSecret": "my-worker"},
}


def test_nothing_is_generated_beside_ones_own(chart: Chart):
    """As Argo CD needs it, which renders without seeing the cluster: two renderings are the same."""
    manifests = chart.render(OWN)
    assert not manifests.of_kind("Secret")
    assert manifests.documents == chart.render(OWN).documents
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
