"""What Flux, Helm and Argo CD make of a Conversion in each state, asked of the libraries that they use."""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.builders import NOW, a_class, a_conversion, a_set
from tests.contract.chart.conftest import chart, helm
from tests.contract.chart.helm import Chart
from tests.made import made
from tests.unit.operator.reconciler.test_decide import observing
from tests.unit.operator.reconciler.test_status import STATES
from video2mp3_contracts.api import names
from video2mp3_contracts.api.conversion_set import SetReason
from video2mp3_contracts.api.crd import UNSEEN_STATUS
from video2mp3_contracts.api.reasons import Phase
from video2mp3_localcluster.programs.binaries import compiled_program
from video2mp3_localcluster.programs.golang import GoProgram
from video2mp3_operator.objects.sets import parse_set
from video2mp3_operator.reconciler.status import build_status
from video2mp3_operator.reconciler.status_patch import status_patch
from video2mp3_operator.sets.decide import SetDecision
from video2mp3_operator.sets.status import build_status as build_set_status
from video2mp3_operator.sets.status import status_patch as sets_patch

__all__ = ["chart", "helm"]
pytestmark = pytest.mark.timeout(1800)  # the first run on a machine compiles Argo CD's engine
ROOT = Path(__file__).resolve().parents[3]
MODULE = Path(__file__).with_name("health")
LUA_KEY = "resource.customizations.health.video2mp3.dev_Conversion"
Document = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What the tools say of one object."""

    kstatus: str
    argocd: str
    message: str
    """Argo CD's."""


IN_PROGRESS = ("InProgress", "Progressing")
EXPECTED: dict[str, tuple[str, str]] = {
    "not seen yet": IN_PROGRESS,
    "a store is away": IN_PROGRESS,
    "queued": IN_PROGRESS,
    "started": IN_PROGRESS,
    "running": IN_PROGRESS,
    "retrying": IN_PROGRESS,
    "spec changed since": IN_PROGRESS,
    "succeeded": ("Current", "Healthy"),
    "failed": ("Failed", "Degraded"),
    "suspended": ("Current", "Suspended"),
    "being deleted": ("Terminating", "Progressing"),
}


def with_status(status: Document, **metadata: Any) -> Document:
    document = a_conversion().document
    head = {"apiVersion": names.API_VERSION, "kind": names.KIND}
    return head | document | {"metadata": document["metadata"] | metadata, "status": status}


def reported(state: str) -> Document:
    """The status that the operator writes in a state."""
    status = build_status(observing(), STATES[state][0])
    assert status is not None
    return status_patch({}, status)


def documents() -> dict[str, Document]:
    found = {state: with_status(reported(state)) for state in STATES if state != "deleting"}
    found["not seen yet"] = with_status(dict(UNSEEN_STATUS))
    found["spec changed since"] = with_status(reported("succeeded"), generation=2)
    found["being deleted"] = with_status(reported("deleting"), deletionTimestamp="2026-03-01T12:00:00Z")
    return found


def custom_health() -> str:
    config = yaml.safe_load((ROOT / "examples" / "gitops" / "argocd-cm.yaml").read_text())
    script: str = config["data"][LUA_KEY]
    return script


@pytest.fixture(scope="module")
def program() -> Path:
    """Compiled by the first run on a machine."""
    name = "gitops-health"
    return made(name, compiled_program(GoProgram(name, str(MODULE), "."))) / name


@pytest.fixture(scope="module")
def verdicts(program: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Verdict]:
    script = tmp_path_factory.mktemp("health") / "health.lua"
    script.write_text(custom_health())
    states = documents()
    return {
        state: Verdict(each["kstatus"], each["argocd"]["status"], each["argocd"].get("message", ""))
        for state, each in zip(states, judged(program, script, [*states.values()]), strict=True)
    }


def judged(program: Path, script: Path, objects: list[Document]) -> list[Document]:
    answer = subprocess.run(
        [program, script], input=json.dumps(objects), capture_output=True, text=True, timeout=60, check=True
    )
    verdicts: list[Document] = json.loads(answer.stdout)
    return verdicts


def test_every_state_is_judged(verdicts: dict[str, Verdict]) -> None:
    assert verdicts.keys() == EXPECTED.keys()


@pytest.mark.parametrize("state", EXPECTED)
def test_the_tools_agree_with_the_table(state: str, verdicts: dict[str, Verdict]) -> None:
    assert (verdicts[state].kstatus, verdicts[state].argocd) == EXPECTED[state]


def test_argo_cd_shows_the_reason(verdicts: dict[str, Verdict]) -> None:
    assert verdicts["failed"].message == "NoAudio: no sound"
    assert verdicts["queued"].message == "Queued: wait"
    assert verdicts["not seen yet"].message == "The operator has not seen the present spec yet."


SETS: dict[str, tuple[SetDecision | None, tuple[str, str]]] = {
    "not seen yet": (None, IN_PROGRESS),
    "waits for its list": (SetDecision(Phase.PENDING, SetReason.SOURCES_NOT_FOUND, "wait"), IN_PROGRESS),
    "running": (SetDecision(Phase.RUNNING, SetReason.RUNNING, "1 of 3"), IN_PROGRESS),
    "suspended": (SetDecision(Phase.SUSPENDED, SetReason.SUSPENDED, "wait"), ("Current", "Suspended")),
    "succeeded": (SetDecision(Phase.SUCCEEDED, SetReason.SUCCEEDED, "all"), ("Current", "Healthy")),
    "some failed": (SetDecision(Phase.FAILED, SetReason.SOME_FAILED, "2 of 3"), ("Failed", "Degraded")),
}


@pytest.mark.parametrize("state", SETS)
def test_the_tools_understand_a_set(program: Path, tmp_path: Path, state: str) -> None:
    decision, expected = SETS[state]
    document = a_set()
    if decision is not None:
        found = parse_set(document)
        document["status"] = sets_patch(found, build_set_status(found, decision, None, NOW))
    (tmp_path / "health.lua").write_text(custom_health())
    [verdict] = judged(program, tmp_path / "health.lua", [document])
    assert (verdict["kstatus"], verdict["argocd"]["status"]) == expected


def test_the_tools_take_a_class_for_what_it_is(program: Path, tmp_path: Path) -> None:
    (tmp_path / "health.lua").write_text("return nil")
    [verdict] = judged(program, tmp_path / "health.lua", [a_class()])
    assert verdict["kstatus"] == "Current"


def test_argo_cd_makes_the_charts_secrets_before_a_sync_and_lets_the_right_to_it_go(
    program: Path, tmp_path: Path, chart: Chart
) -> None:
    script = tmp_path / "health.lua"
    script.write_text(custom_health())
    ours = [each for each in chart.render().documents if each["metadata"]["name"] == "video2mp3-secrets"]
    assert {each["kind"] for each in ours} == {"ServiceAccount", "Role", "RoleBinding", "NetworkPolicy", "Job"}
    for document, verdict in zip(ours, judged(program, script, ours), strict=True):
        assert {*verdict["hooks"]} == {"PreSync"}
        failed = set() if document["kind"] == "Job" else {"HookFailed"}  # a Job that failed stays for its log
        assert {*verdict["deleted"]} == {"BeforeHookCreation", "HookSucceeded"} | failed


def test_argo_cd_makes_mongodbs_users_at_each_sync(program: Path, tmp_path: Path, chart: Chart) -> None:
    """Nothing tells it that passwords were made anew. After the sync would be never: it waits for who needs them."""
    script = tmp_path / "health.lua"
    script.write_text(custom_health())
    [job] = [each for each in chart.render().of_kind("Job") if "mongodb-users" in each["metadata"]["name"]]
    [verdict] = judged(program, script, [job])
    assert verdict["hooks"] == ["Sync"]
    assert {*verdict["deleted"]} == {"BeforeHookCreation", "HookSucceeded"}


# --- the guide

GUIDE = (ROOT / "docs" / "gitops.md").read_text()


def test_the_guides_table_is_this_one() -> None:
    rows = re.findall(r"^\| ([a-z ]+) \| ([A-Z]\w+) \| ([A-Z]\w+) \|$", GUIDE, re.MULTILINE)
    assert {state: (kstatus, argocd) for state, kstatus, argocd in rows} == EXPECTED


def test_the_guides_health_check_is_the_examples() -> None:
    [shown] = re.findall(r"```yaml\n(apiVersion: v1\nkind: ConfigMap\n.*?)```", GUIDE, re.DOTALL)
    assert yaml.safe_load(shown)["data"] == {LUA_KEY: custom_health(), f"{LUA_KEY}Set": custom_health()}
