"""The admission policy on a real API server: people name nobody but themselves as the owner of a Conversion."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.contract.chart.helm import NAMESPACE, ROOT, Chart
from tests.contract.chart.manifests import Manifests
from tests.contract.chart.test_rbac import GATEWAY, OPERATOR, rights
from tests.integration.conftest import kubernetes_server
from tests.servers import KubernetesServer
from tests.servers.process import ServerError, await_condition
from video2mp3_contracts.api import names

__all__ = ["kubernetes_server"]

KINDS = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "Role", "RoleBinding", "ClusterRole")
ALICE = "Alice@example.com"
ROBOT = "system:serviceaccount:ci:robot"
REFUSAL = "spec.owner must be empty or your own name"
MAIL_REFUSAL = "spec.notify.email must be empty or your own address"
ENABLED: dict[str, Any] = {"admissionPolicy": {"enabled": True}}


@dataclass(frozen=True)
class Users:
    """Several users of one API server, and a namespace that the release watches."""

    server: KubernetesServer
    namespace: str

    @property
    def gateway(self) -> str:
        return f"system:serviceaccount:{self.namespace}:video2mp3-gateway"

    @property
    def operator(self) -> str:
        return f"system:serviceaccount:{self.namespace}:video2mp3-operator"

    def create(
        self,
        user: str,
        owner: str | None,
        name: str = "talk",
        *,
        namespace: str = "",
        email: str = "",
        dry: bool = True,
    ) -> str:
        """Create a Conversion as a user ("" is the administrator); answers "" or what the API server says."""
        told = {"notify": {"email": email}} if email else {}
        document = {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {"name": name, "namespace": namespace or self.namespace},
            "spec": {"source": {"gridfs": {"fileId": "0" * 24}}} | ({} if owner is None else {"owner": owner}) | told,
        }
        return self._try(user, "create", *(["--dry-run=server"] if dry else []), "--filename=-", stdin=document)

    def create_set(
        self, user: str, common: dict[str, Any] | None, *, name: str = "talks", dry: bool = True, **spec: Any
    ) -> str:
        """Create a ConversionSet with that template as a user; answers "" or what the API server says."""
        document = {
            "apiVersion": names.API_VERSION,
            "kind": names.SET_KIND,
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": {"template": {} if common is None else {"spec": common}, "sources": []} | spec,
        }
        return self._try(user, "create", *(["--dry-run=server"] if dry else []), "--filename=-", stdin=document)

    def warning(self, namespace: str) -> str:
        """What an administrator is warned of who creates a Conversion there; "" for nothing."""
        where = (f"--namespace={namespace}", "--dry-run=server", "--warnings-as-errors")
        return self._try("", "create", *where, "--filename", str(ROOT / "examples" / "conversion.yaml"))

    def patch(self, user: str, name: str, patch: dict[str, Any]) -> str:
        """Change a Conversion as a user; answers "" or what the API server says against it."""
        where = (f"conversion/{name}", f"--namespace={self.namespace}", "--dry-run=server")
        return self._try(user, "patch", *where, "--type=merge", f"--patch={json.dumps(patch)}")

    def _try(self, user: str, *arguments: str, stdin: Any = None) -> str:
        who = [f"--as={user}"] if user else []
        try:
            self.server.kubectl(*who, *arguments, stdin=json.dumps(stdin) if stdin else None)
        except ServerError as error:
            return str(error)
        return ""


@pytest.fixture(scope="module")
def users(chart: Chart, kubernetes_server: KubernetesServer) -> Iterator[Users]:
    """The policy and the roles as the chart makes them, Alice and a robot who may edit, and the policy in force."""
    namespace, elsewhere = kubernetes_server.new_namespace(), kubernetes_server.new_namespace()
    rendered = chart.render(ENABLED, "--namespace", namespace)
    for document in (document for kind in KINDS for document in rendered.of_kind(kind)):
        kubernetes_server.kubectl("apply", "--filename=-", stdin=yaml.safe_dump(document))
    for place in (namespace, elsewhere):
        editors = ("editors", "--clusterrole=conversions.video2mp3.dev-edit", f"--user={ALICE}", f"--user={ROBOT}")
        kubernetes_server.kubectl("create", "rolebinding", *editors, f"--namespace={place}")
        viewers = ("viewers", "--clusterrole=conversions.video2mp3.dev-view", f"--user={ALICE}", f"--user={ROBOT}")
        kubernetes_server.kubectl("create", "rolebinding", *viewers, f"--namespace={place}")
    users = Users(kubernetes_server, namespace)
    in_force = "the policy did not come into force"
    await_condition(lambda: REFUSAL in users.create(ALICE, "b@example.com"), seconds=30, what=in_force)
    assert users.create(ALICE, "b@example.com", namespace=elsewhere) == ""
    yield users
    for kind in KINDS[:2]:
        kubernetes_server.kubectl("delete", kind, "--selector=app.kubernetes.io/part-of=video2mp3")


def test_a_person_may_not_name_another_owner(users: Users):
    complaint = users.create(ALICE, "b@example.com")
    assert f"{REFUSAL}, {ALICE}: for b@example.com you need a Role" in complaint


@pytest.mark.parametrize("owner", [None, "", "alice@example.com"])
def test_a_person_may_name_nobody_or_themselves(users: Users, owner: str | None):
    assert users.create(ALICE, owner) == ""


def test_who_creates_one_where_nobody_watches_is_told(users: Users):
    elsewhere = users.server.new_namespace()

    def told() -> str:
        return users.warning(elsewhere)

    await_condition(lambda: "is not watched" in told(), seconds=30, what="the warning did not come into force")
    assert f"the namespace {elsewhere} is not watched by the release video2mp3 in {users.namespace}" in told()
    assert f"--namespace {users.namespace}" in told()
    assert users.create(ALICE, None, namespace=users.namespace) == users.warning(users.namespace) == ""


def test_the_gateway_names_whoever_has_logged_in(users: Users):
    assert users.create(users.gateway, "b@example.com") == ""


def test_an_administrator_restores_a_backup(users: Users):
    assert users.create("", "b@example.com") == ""


def test_a_person_may_not_have_mails_sent_to_another(users: Users):
    complaint = users.create(ALICE, None, email="B@example.com")
    assert f"{MAIL_REFUSAL}, {ALICE}: for mails to b@example.com you need a Role" in complaint
    assert REFUSAL not in complaint


@pytest.mark.parametrize("email", ["alice@example.com", ALICE])
def test_a_person_may_have_mails_sent_to_themselves(users: Users, email: str):
    assert users.create(ALICE, "alice@example.com", email=email) == ""


def test_the_gateway_has_mails_sent_to_whoever_has_logged_in(users: Users):
    assert users.create(users.gateway, "b@example.com", email="b@example.com") == ""


def test_an_address_cannot_be_put_in_later_and_one_that_is_there_hinders_no_other_change(users: Users):
    assert users.create(users.gateway, None, "silent", dry=False) == ""
    assert users.patch(ALICE, "silent", {"spec": {"notify": {"email": "b@example.com"}}})
    assert users.create(users.gateway, "b@example.com", "mailed", email="b@example.com", dry=False) == ""
    assert users.patch(ALICE, "mailed", {"spec": {"priority": 1}}) == ""


@pytest.fixture(scope="module")
def of_somebody_else(users: Users) -> str:
    assert users.create(users.gateway, "b@example.com", "theirs", dry=False) == ""
    return "theirs"


def test_an_owner_cannot_be_put_in_later(users: Users):
    assert users.create(ALICE, None, "later", dry=False) == ""
    assert users.patch(ALICE, "later", {"spec": {"owner": "b@example.com"}})


def test_who_may_edit_may_suspend_what_is_not_theirs(users: Users, of_somebody_else: str):
    assert users.patch(ALICE, of_somebody_else, {"spec": {"suspend": True}}) == ""


def test_the_operator_writes_its_finalizer(users: Users, of_somebody_else: str):
    assert users.patch(users.operator, of_somebody_else, {"metadata": {"finalizers": ["video2mp3.dev/files"]}}) == ""


def test_nor_may_a_set_name_another(users: Users):
    assert REFUSAL in users.create_set(ALICE, {"owner": "b@example.com"})
    assert MAIL_REFUSAL in users.create_set(ALICE, {"notify": {"email": "b@example.com"}})


@pytest.mark.parametrize("common", [None, {}, {"owner": "alice@example.com", "notify": {"email": ALICE}}])
def test_a_set_may_name_whoever_makes_it(users: Users, common: dict[str, Any] | None):
    assert users.create_set(ALICE, common) == ""


def test_the_owner_of_a_set_cannot_be_put_in_later(users: Users):
    assert users.create_set(ALICE, {}, dry=False) == ""
    where = ("conversionset/talks", f"--namespace={users.namespace}", "--dry-run=server", "--type=merge")
    change = {"spec": {"template": {"spec": {"owner": "b@example.com"}}}}
    assert "immutable" in users._try(ALICE, "patch", *where, f"--patch={json.dumps(change)}")
    assert users._try(ALICE, "patch", *where, '--patch={"spec": {"suspend": true}}') == ""


def test_nobody_adds_a_source_to_anothers_set(users: Users):
    """It would be converted as theirs: their files, and mails to them."""
    assert users.create_set("", {"owner": "b@example.com"}, name="theirs", dry=False) == ""
    where = ("conversionset/theirs", f"--namespace={users.namespace}", "--dry-run=server", "--type=merge")
    more = {"spec": {"sources": [{"gridfs": {"fileId": "0" * 24}}]}}
    assert REFUSAL in users._try(ALICE, "patch", *where, f"--patch={json.dumps(more)}")
    elsewhere = {"spec": {"sourcesFrom": {"configMap": {"name": "list"}}}}
    assert "names" in users._try(ALICE, "patch", *where, f"--patch={json.dumps(elsewhere)}")
    assert users._try(ALICE, "patch", *where, '--patch={"spec": {"suspend": true}}') == ""


def test_a_set_whose_sources_lie_in_a_config_map_names_nobody(users: Users):
    listed = {"configMap": {"name": "list"}}
    complaint = users.create_set(ALICE, {"owner": "alice@example.com"}, name="listed", sourcesFrom=listed)
    assert "a set with spec.sourcesFrom must name neither an owner nor an address" in complaint
    assert users.create_set(ALICE, {}, name="listed", sourcesFrom=listed) == ""


def test_the_operator_makes_the_conversions_of_anybodys_set(users: Users):
    assert users.create(users.operator, "b@example.com", email="b@example.com") == ""


def test_the_guides_role_lets_a_robot_name_its_owner_and_no_other(users: Users):
    guide = (ROOT / "docs" / "operations.md").read_text()
    [role] = [block for block in re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL) if "\nkind: Role\n" in block]
    document = yaml.safe_load(role)
    document["metadata"]["namespace"] = users.namespace
    assert REFUSAL in users.create(ROBOT, "media@example.com")
    users.server.kubectl("apply", "--filename=-", stdin=yaml.safe_dump(document))
    binding = ("media", f"--role={document['metadata']['name']}", f"--user={ROBOT}", f"--namespace={users.namespace}")
    users.server.kubectl("create", "rolebinding", *binding)
    in_force = "the Role did not come into force"
    await_condition(lambda: not users.create(ROBOT, "media@example.com"), seconds=30, what=in_force)
    assert REFUSAL in users.create(ROBOT, "b@example.com")
    assert users.create(ROBOT, None, email="media@example.com") == ""
    assert MAIL_REFUSAL in users.create(ROBOT, None, email="b@example.com")


# --- what is installed


def test_nothing_is_refused_by_default_and_a_warning_is_given_where_nobody_watches(manifests: Manifests):
    [policy] = manifests.of_kind("ValidatingAdmissionPolicy")
    [binding] = manifests.of_kind("ValidatingAdmissionPolicyBinding")
    assert binding["spec"]["policyName"] == policy["metadata"]["name"] == f"{NAMESPACE}-video2mp3-watched"
    assert (policy["spec"]["failurePolicy"], binding["spec"]["validationActions"]) == ("Ignore", ["Warn"])


def test_the_warning_can_be_switched_off(chart: Chart):
    manifests = chart.render({"admissionPolicy": {"warnUnwatched": False}})
    assert not [kind for kind in KINDS[:2] if manifests.of_kind(kind)]


def test_it_covers_the_watched_namespaces(chart: Chart):
    manifests = chart.render(ENABLED | {"operator": {"watchNamespaces": [NAMESPACE, "team-a"]}})
    [policy] = [each for each in manifests.of_kind("ValidatingAdmissionPolicy") if "owners" in each["metadata"]["name"]]
    binding = manifests.named("ValidatingAdmissionPolicyBinding", policy["metadata"]["name"])
    assert binding["spec"]["policyName"] == policy["metadata"]["name"] == f"{NAMESPACE}-video2mp3-owners"
    [watched] = binding["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert watched["values"] == [NAMESPACE, "team-a"]


def test_only_the_gateway_and_the_operator_get_the_right_to_name_anybody(chart: Chart):
    manifests = chart.render(ENABLED)
    owners = ("video2mp3.dev", "owners")
    assert rights(manifests.named("Role", "video2mp3-gateway", NAMESPACE)) == GATEWAY | {owners: {"impersonate"}}
    # Whose the Conversions of a set are, who made the set was asked about.
    assert rights(manifests.named("Role", "video2mp3-operator", NAMESPACE)) == OPERATOR | {owners: {"impersonate"}}
