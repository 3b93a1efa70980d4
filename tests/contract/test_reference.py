"""docs/conversion.md: what it shows is so, asked of a real API server and of the operator."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.test_crd_on_api_server import CHANGES, Conversions
from tests.integration.conftest import kubernetes_server
from tests.servers import KubernetesServer
from tests.unit.contracts.api.test_conversion import FILE
from tests.unit.contracts.api.test_conversion import REFUSED as REFUSED_SPECS
from tests.unit.operator.reconciler.test_status import STATES
from video2mp3_contracts.api import crd
from video2mp3_contracts.api.reference import all_fields, all_refusals, with_tables
from video2mp3_operator.telemetry.events import _TOLD

__all__ = ["kubernetes_server"]
Document = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "conversion.md").read_text()
OWNER = "you@example.com"


@dataclass(frozen=True)
class Sample:
    """A block of YAML in the page."""

    heading: str
    document: Document
    refused: str = ""
    """What the API server says of it."""

    change: bool = False
    """Whether it is refused only as a change."""


def samples() -> Iterator[Sample]:
    heading = ""
    for match in re.finditer(r"^#{2,3} ([^\n]+)$|^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        if match[1]:
            heading = match[1]
            continue
        remark = "".join(re.findall(r"\A((?:# .*\n)*)", match[2])).replace("\n# ", " ").strip()
        found = re.fullmatch(r"# Refused( as a change)?: (.*)", remark)
        yield Sample(heading, yaml.safe_load(match[2]), found[2] if found else "", bool(found and found[1]))


SAMPLES = [*samples()]
SPECS = [sample for sample in SAMPLES if "spec" in sample.document]
SHOWN = [sample for sample in SPECS if not sample.refused]
REFUSED = [sample for sample in SPECS if sample.refused]
STATUSES = {sample.heading: sample.document["status"] for sample in SAMPLES if "status" in sample.document}


def name(sample: Sample) -> str:
    return sample.heading.replace(" ", "-")


# --- all of it is there


def test_the_generated_parts_are_up_to_date() -> None:
    assert with_tables(PAGE) == PAGE


def test_every_field_of_the_spec_has_a_section_with_a_sample_and_a_refusal() -> None:
    sections = set(re.findall(r"^### (spec\.\S+)$", PAGE, re.MULTILINE))
    leaves = {path for path, field in all_fields().items() if path.startswith("spec.") and field.leaf}
    assert {path for path in leaves if not any(f"{path}.".startswith(f"{each}.") for each in sections)} == set()
    assert {sample.heading for sample in SHOWN} >= sections
    assert {sample.heading for sample in REFUSED} >= sections


def test_what_is_said_never_to_change_is_what_the_api_server_keeps() -> None:
    said = PAGE.partition("never change; the rest may")[0].rpartition(". ")[2]
    kept = {path for path, field in all_fields().items() if field.immutable and path.count(".") == 1}
    assert {f"spec.{name}" for name in re.findall(r"`(\w+)`", said)} == kept


def test_every_refusal_in_the_table_is_one_that_a_test_provokes() -> None:
    provoked = [complaint for _, complaint in [*REFUSED_SPECS.values(), *CHANGES.values()] if complaint]
    provoked += [sample.refused for sample in REFUSED] + ["metadata.name must have at most 63 characters"]
    listed = all_refusals()
    assert [words for words in listed if not any(each in words or words in each for each in provoked)] == []
    assert len(listed) > 20


def test_every_state_has_a_section_with_a_sample() -> None:
    linked = re.findall(r"\[(\w[\w ]+)\]\(#[\w-]+\)", PAGE.partition("| state | phase |")[2].partition("\n\n")[0])
    assert len(linked) == 9
    assert {state.capitalize() for state in linked} <= STATUSES.keys()


def test_every_event_is_listed() -> None:
    table = PAGE.partition("| type | reason | when |")[2].partition("\n\n")[0]
    assert set(re.findall(r"^\| \w+ \| `(\w+)` \|", table, re.MULTILINE)) == _TOLD | {"AttemptFailed"}


# --- what it shows of the spec


@pytest.fixture(scope="module")
def conversions(kubernetes_server: KubernetesServer) -> Conversions:
    found = Conversions(kubernetes_server, kubernetes_server.new_namespace())
    assert found.create({"source": FILE, "owner": OWNER}, "existing", dry=False)[0] == 201
    return found


@pytest.mark.parametrize("sample", SHOWN, ids=name)
def test_samples_are_accepted(conversions: Conversions, sample: Sample) -> None:
    code, answer = conversions.create({"source": FILE} | sample.document["spec"])
    assert code == 201, answer["message"]


@pytest.mark.parametrize("sample", REFUSED, ids=name)
def test_refusals_are_what_the_api_server_says(conversions: Conversions, sample: Sample) -> None:
    if sample.change:
        code, answer = conversions.request("PATCH", "/existing?dryRun=All", {"spec": sample.document["spec"]})
    else:
        code, answer = conversions.create({"source": FILE} | sample.document["spec"])
    assert code in (400, 422)
    assert sample.refused in answer["message"]


# --- what it shows of the status


def whole(status: Document) -> Document:
    """With what the samples leave out of conditions."""
    rest = {"observedGeneration": 1, "lastTransitionTime": "2026-03-01T12:00:00Z", "message": ""}
    return status | {"conditions": [rest | condition for condition in status["conditions"]]}


@pytest.mark.parametrize("heading", STATUSES)
def test_statuses_are_as_the_schema_wants_them(conversions: Conversions, heading: str) -> None:
    path = "/existing/status?dryRun=All&fieldValidation=Strict"
    code, answer = conversions.request("PATCH", path, {"status": whole(STATUSES[heading])})
    assert code == 200, answer["message"]


@pytest.mark.parametrize(
    ("heading", "state"),
    [
        ("Queued", "queued"),
        ("Starting", "started"),
        ("Running", "running"),
        ("Retrying", "retrying"),
        ("Suspended", "suspended"),
        ("Succeeded", "succeeded"),
        ("Failed", "failed"),
    ],
)
def test_states_are_the_operators(heading: str, state: str) -> None:
    status = STATUSES[heading]
    _, phase, conditions = STATES[state]
    assert status["phase"] == phase
    assert {each["type"]: (each["status"], each["reason"]) for each in status["conditions"]} == conditions
    assert status["reason"] == conditions["Ready"][1]


def test_what_nobody_has_seen_is_what_the_api_server_fills_in() -> None:
    unseen = crd.UNSEEN_STATUS
    [ready] = unseen["conditions"]  # type: ignore[misc]
    shown = {"observedGeneration": -1, "phase": "Pending", "reason": "Pending"}
    shown |= {"conditions": [{key: ready[key] for key in ("type", "status", "reason")}]}
    assert STATUSES["Not seen yet"] == shown


# --- what it shows of kubectl

COLUMNS = ["NAME", "PHASE", "PROGRESS", "QUEUE", "ATTEMPTS", "REASON", "AGE"]
WIDE = [*COLUMNS, "OUTPUT", "DURATION", "OWNER", "CLASS"]
LISTS = [
    pytest.param(command, header, id=f"{page.name}-{command[15:].strip()}".replace(" ", "-"))
    for page in (ROOT / "README.md", ROOT / "docs" / "conversion.md")
    for command, header in re.findall(r"^\$ (kubectl get conv.*)\n(NAME .*)$", page.read_text(), re.MULTILINE)
]


@pytest.mark.parametrize(("command", "header"), LISTS)
def test_shown_lists_have_the_columns_that_there_are(command: str, header: str) -> None:
    assert header.split() == (WIDE if "wide" in command else COLUMNS)


def test_the_columns_are_the_schemas() -> None:
    columns = crd.definition()["spec"]["versions"][0]["additionalPrinterColumns"]
    assert ["NAME", *(column["name"].upper() for column in columns)] == WIDE
    assert [column["name"].upper() for column in columns if column.get("priority")] == WIDE[len(COLUMNS) :]
