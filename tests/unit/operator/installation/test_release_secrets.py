"""The Secrets that the release makes: what is kept, what follows the chart, and that nobody's death loses any."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from cryptography.fernet import Fernet

from tests.unit.operator.fakes import DiedError
from video2mp3_operator.adapters.kubernetes_secrets import new_value
from video2mp3_operator.installation.release_secrets import KEEP, FoundSecret, PlannedSecret, Values, completed, ensure
from video2mp3_operator.ports.errors import AlreadyExistsError, ConflictError

WORKER = PlannedSecret(
    name="worker", random={"db-password": "password"}, fixed={"db-uri": "db://worker:${db-password}@db"}
)
STORE = PlannedSecret(
    name="store",
    random={"password": "password"},
    fixed={
        "username": "admin",
        "uri": "db://${username}:${password}@db",
        "users.json": {"users": [{"name": "worker", "password": "${worker/db-password}", "may": "^(a|b)$"}]},
    },
)
ACCOUNT = PlannedSecret(
    name="account", random={"password": "password"}, fixed={"email": "me@example.com"}, belongs_to="email"
)
PLAN = (WORKER, STORE, ACCOUNT)


@dataclass
class Cluster:
    """Secrets in memory. It dies at the n-th call, before or after the call has its effect."""

    secrets: dict[str, FoundSecret] = field(default_factory=dict)
    dies_at: int = 0
    after_effect: bool = False
    calls: int = 0
    intruders: list[str] = field(default_factory=list)
    """Names of Secrets that somebody else makes just before we do."""

    async def find(self, name: str) -> FoundSecret | None:
        self._call()
        found = self.secrets.get(name)
        self._end()
        return found

    async def create(
        self, name: str, labels: Mapping[str, str], annotations: Mapping[str, str], values: Values
    ) -> None:
        del labels
        self._call()
        if name in self.intruders:
            self.intruders.remove(name)
            self.secrets[name] = FoundSecret({**values, "password": "theirs", "db-password": "theirs"}, {}, "1")
        if name in self.secrets:
            raise AlreadyExistsError(name)
        self.secrets[name] = FoundSecret(dict(values), annotations, "1")
        self._end()

    async def change(self, name: str, annotations: Mapping[str, str], values: Values, version: str) -> None:
        self._call()
        found = self.secrets[name]
        if found.version != version:
            raise ConflictError(name)
        changed = {**found.values, **values}
        self.secrets[name] = FoundSecret(changed, {**found.annotations, **annotations}, f"{int(version) + 1}")
        self._end()

    def _call(self) -> None:
        self.calls += 1
        if self.calls == self.dies_at and not self.after_effect:
            raise DiedError

    def _end(self) -> None:
        if self.calls == self.dies_at:
            raise DiedError

    @property
    def values(self) -> dict[str, Values]:
        return {name: found.values for name, found in self.secrets.items()}


def make(cluster: Cluster, *plan: PlannedSecret) -> list[str]:
    """Run it; answers what it says."""
    told: list[str] = []
    numbers = count(1)
    asyncio.run(ensure(plan or PLAN, cluster, lambda kind: f"{kind}-{next(numbers)}-{cluster.calls}", told.append))
    return told


def consistent(secrets: Mapping[str, Values]) -> bool:
    """Whether every password is the one that stands in the others' values."""
    worker, store = secrets["worker"], secrets["store"]
    [user] = json.loads(store["users.json"])["users"]
    return (
        worker["db-uri"] == f"db://worker:{worker['db-password']}@db"
        and store["uri"] == f"db://admin:{store['password']}@db"
        and user == {"name": "worker", "password": worker["db-password"], "may": "^(a|b)$"}
        and secrets["account"]["email"] == "me@example.com"
    )


def test_they_are_made_once() -> None:
    cluster = Cluster()
    assert make(cluster) == ["worker is made.", "store is made.", "account is made."]
    assert consistent(cluster.values)
    before = dict(cluster.secrets)
    assert make(cluster) == [f"{name} is there already." for name in ("worker", "store", "account")]
    assert cluster.secrets == before


@pytest.mark.parametrize("after_effect", [False, True])
def test_who_is_killed_at_any_call_leaves_what_the_next_one_completes(after_effect: bool) -> None:
    for call in count(1):
        cluster = Cluster(dies_at=call, after_effect=after_effect)
        try:
            make(cluster)
        except DiedError:
            left = {name: found.values for name, found in cluster.secrets.items()}
        else:
            assert call > 2 * len(PLAN)
            return
        cluster.dies_at = 0
        make(cluster)
        assert consistent(cluster.values)
        assert left.items() <= cluster.values.items(), call


@pytest.mark.parametrize("name", ["worker", "store", "account"])
def test_what_somebody_else_makes_at_the_same_moment_counts(name: str) -> None:
    cluster = Cluster(intruders=[name])
    make(cluster)
    assert "theirs" in cluster.values[name].values()
    assert consistent(cluster.values)


def test_who_always_loses_gives_up() -> None:
    class Contested(Cluster):
        async def create(self, *_: Any) -> None:
            raise AlreadyExistsError("worker")

    with pytest.raises(ConflictError, match="worker was changed by somebody else 10 times"):
        make(Contested())


def found(values: Values, annotations: Mapping[str, str] = KEEP) -> FoundSecret:
    return FoundSecret(values, annotations, "7")


def test_what_is_there_stays_and_what_is_missing_is_added() -> None:
    """As where a service gets a second store."""
    cluster = Cluster({"worker": found({"db-password": "old", "theirs": "x"})})
    assert make(cluster, WORKER) == ["worker is brought up to date: db-uri."]
    assert cluster.values["worker"] == {"db-password": "old", "theirs": "x", "db-uri": "db://worker:old@db"}


def test_what_is_composed_follows_a_password_that_somebody_changed() -> None:
    cluster = Cluster()
    make(cluster)
    cluster.secrets["worker"] = found({**cluster.values["worker"], "db-password": "new"})
    assert make(cluster)[:2] == ["worker is brought up to date: db-uri.", "store is brought up to date: users.json."]
    assert consistent(cluster.values)


def test_helm_keeps_what_an_older_chart_had_as_a_template() -> None:
    values = {"db-password": "old", "db-uri": "db://worker:old@db"}
    cluster = Cluster({"worker": found(values, {"meta.helm.sh/release-name": "a"})})
    assert make(cluster, WORKER) == ["worker is kept from now on."]
    assert cluster.secrets["worker"] == FoundSecret(values, {"meta.helm.sh/release-name": "a", **KEEP}, "8")


def test_argo_cd_neither_prunes_them_nor_misses_them_in_git() -> None:
    """Of an application whose chart had them as templates; they bear its tracking for good."""
    cluster = Cluster({"worker": found({"db-password": "old"}, {"helm.sh/resource-policy": "keep"})})
    make(cluster, WORKER)
    marks = cluster.secrets["worker"].annotations
    assert marks["argocd.argoproj.io/sync-options"] == "Prune=false,Delete=false"
    assert marks["argocd.argoproj.io/compare-options"] == "IgnoreExtraneous"


@pytest.mark.parametrize(
    ("email", "kept"), [("Me@Example.com", True), ("me@example.com", True), ("you@example.com", False)]
)
def test_a_password_belongs_to_its_address(email: str, kept: bool) -> None:
    values = completed(ACCOUNT, {"email": email, "password": "old"}, {}, lambda _: "new")
    assert values == {"email": "me@example.com", "password": "old" if kept else "new"}


def test_json_is_written_as_helm_wrote_it() -> None:
    """So that the first upgrade from such a chart changes nothing."""
    planned = PlannedSecret(name="a", random={}, fixed={"json": {"b": [], "a": [{"c": "é"}]}})
    assert (
        completed(planned, {}, {}, new_value)["json"] == '{\n  "a": [\n    {\n      "c": "é"\n    }\n  ],\n  "b": []\n}'
    )


def test_random_values_are_long_and_mean_nothing_anywhere() -> None:
    assert new_value("password") != new_value("password")
    assert len(new_value("password")) == 32
    assert new_value("password").isalnum()
    assert Fernet(new_value("fernet"))
