"""Every definition that was released is kept, and what it let in is let in today, or was looked at."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.released.narrowings import Narrowing, narrowings
from video2mp3_contracts.api import names
from video2mp3_contracts.api.crd import class_definition, definition
from video2mp3_localcluster.release.changelog import versions
from video2mp3_localcluster.steps.layout import repository_root

ROOT = repository_root()
RELEASED = sorted((ROOT / "crds" / "released").glob("*/*.yaml"))
TODAY = {f"{each['metadata']['name']}.yaml": each for each in (definition(), class_definition())}
Document = dict[str, Any]
Change = Callable[[Document], None]


def label(release: Path) -> str:
    return f"{release.parent.name}/{release.name}"


def reviewed() -> list[Document]:
    entries: list[Document] = yaml.safe_load(Path(__file__).with_name("reviewed.yaml").read_text())
    return entries


def of(release: Path) -> list[Document]:
    return [entry for entry in reviewed() if f"{entry['from']}/{entry['of']}.yaml" == label(release)]


def fits(entry: Document, found: Narrowing) -> bool:
    return bool(entry["field"] == found.field and found.change.startswith(entry["change"]))


@pytest.mark.parametrize("release", RELEASED, ids=label)
def test_what_it_let_in_is_let_in(release: Path) -> None:
    found = narrowings(yaml.safe_load(release.read_text()), TODAY[release.name])
    assert [each for each in found if not any(fits(entry, each) for entry in of(release))] == []


@pytest.mark.parametrize("release", RELEASED, ids=label)
def test_what_was_looked_at_is_still_so(release: Path) -> None:
    found = narrowings(yaml.safe_load(release.read_text()), TODAY[release.name])
    assert [entry for entry in of(release) if not any(fits(entry, each) for each in found)] == []
    assert all(entry["why"] for entry in of(release))


def test_every_release_left_its_definition() -> None:
    kept = {path.parent.name for path in RELEASED}
    assert kept >= set(versions((ROOT / "CHANGELOG.md").read_text()))
    assert {entry["from"] for entry in reviewed()} <= kept


def test_the_only_version_is_stable() -> None:
    for today in TODAY.values():
        [version] = today["spec"]["versions"]
        assert (version["name"], version["served"], version["storage"]) == ("v1", True, True)
        assert "deprecated" not in version


def test_get_all_lists_none_of_them() -> None:
    """Nor deletes them: `kubectl delete all --all` is meant for what runs."""
    assert not any("categories" in today["spec"]["names"] for today in TODAY.values())


def schema_of(document: Document) -> Document:
    found: Document = document["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    return found


def of_spec(change: Change) -> Change:
    return lambda document: change(schema_of(document))


def field(spec: Document, *path: str) -> Document:
    for name in path:
        spec = spec["properties"][name]
    return spec


NARROWER: dict[str, tuple[Change, str, str]] = {
    "a field is gone": (of_spec(lambda spec: spec["properties"].pop("priority")), "spec.priority", "is gone"),
    "another type": (
        of_spec(lambda spec: field(spec, "priority").update(type="string")),
        "spec.priority",
        "type is string",
    ),
    "a value is gone": (
        of_spec(lambda spec: field(spec, "deletionPolicy")["enum"].remove("Retain")),
        "spec.deletionPolicy",
        "enum has 'Retain' no more",
    ),
    "values are listed": (of_spec(lambda spec: field(spec, "owner").update(enum=["a"])), "spec.owner", "enum is new"),
    "a lower maximum": (
        of_spec(lambda spec: field(spec, "priority").update(maximum=10)),
        "spec.priority",
        "maximum is 10",
    ),
    "a higher minimum": (
        of_spec(lambda spec: field(spec, "priority").update(minimum=0)),
        "spec.priority",
        "minimum is 0",
    ),
    "a shorter text": (of_spec(lambda spec: field(spec, "owner").update(maxLength=9)), "spec.owner", "maxLength is 9"),
    "a longer text": (of_spec(lambda spec: field(spec, "owner").update(minLength=1)), "spec.owner", "minLength is 1"),
    "a pattern": (of_spec(lambda spec: field(spec, "owner").update(pattern="^a$")), "spec.owner", "pattern is '^a$'"),
    "a format": (of_spec(lambda spec: field(spec, "owner").update(format="uuid")), "spec.owner", "format is 'uuid'"),
    "a rule": (
        of_spec(
            lambda spec: field(spec, "output").setdefault("x-kubernetes-validations", []).append({"rule": "false"})
        ),
        "spec.output",
        "rule is new: false",
    ),
    "a field is required": (
        of_spec(lambda spec: spec["required"].append("ttlSecondsAfterFinished")),
        "spec.ttlSecondsAfterFinished",
        "is required now",
    ),
    "another default": (
        of_spec(lambda spec: field(spec, "parallelism").update(default=0)),
        "spec.parallelism",
        "default is 0",
    ),
    "a default is gone": (
        of_spec(lambda spec: field(spec, "parallelism").pop("default")),
        "spec.parallelism",
        "default is None",
    ),
    "one type of two": (
        of_spec(lambda spec: field(spec, "output", "trim", "end").pop("x-kubernetes-int-or-string")),
        "spec.output.trim.end",
        "x-kubernetes-int-or-string is gone",
    ),
    "another list": (
        lambda document: field(document["spec"]["versions"][0]["schema"]["openAPIV3Schema"], "status", "attempts")[
            "items"
        ]["properties"].pop("number"),
        "status.attempts[].number",
        "is gone",
    ),
    "a version is not served": (
        lambda document: document["spec"]["versions"][0].update(served=False),
        "",
        "is not served",
    ),
    "a selection is gone": (
        lambda document: document["spec"]["versions"][0].pop("selectableFields"),
        "",
        ".spec.owner cannot be selected by",
    ),
    "the status is no subresource": (
        lambda document: document["spec"]["versions"][0].pop("subresources"),
        "",
        "the subresource status is gone",
    ),
}


@pytest.mark.parametrize(("change", "where", "what"), NARROWER.values(), ids=NARROWER)
def test_what_is_narrower_is_found(change: Change, where: str, what: str) -> None:
    new = copy.deepcopy(definition())
    change(new)
    [found] = narrowings(definition(), new)
    assert found.field == f"{names.VERSION} {where}".rstrip()
    assert what in found.change


@pytest.mark.parametrize(
    ("change", "where"),
    [
        (lambda document: document["spec"].update(scope="Cluster"), "scope"),
        (lambda document: document["spec"]["names"].update(plural="others"), "names.plural"),
        (lambda document: document["spec"]["names"].pop("shortNames"), "names.shortNames"),
    ],
)
def test_another_name_is_found(change: Change, where: str) -> None:
    new = copy.deepcopy(definition())
    change(new)
    assert [found.field for found in narrowings(definition(), new)] == [where]


WIDER: dict[str, Change] = {
    "a new field": of_spec(lambda spec: spec["properties"].update(more={"type": "string", "maxLength": 3})),
    "a new field with a default is required": of_spec(
        lambda spec: (
            spec["properties"].update(more={"type": "string", "default": ""}),
            spec["required"].append("more"),
        )
    ),
    "a looser bound": of_spec(lambda spec: field(spec, "priority").update(maximum=10_000, minimum=-10_000)),
    "a bound is gone": of_spec(lambda spec: field(spec, "owner").pop("maxLength")),
    "a rule is gone": of_spec(lambda spec: field(spec, "owner").pop("x-kubernetes-validations")),
    "a new value": of_spec(lambda spec: field(spec, "deletionPolicy")["enum"].append("Later")),
    "a number, not only whole": of_spec(lambda spec: field(spec, "priority").update(type="number")),
    "not required": of_spec(lambda spec: spec.pop("required")),
    "other words": of_spec(lambda spec: field(spec, "owner").update(description="Whose it is.")),
    "all may be in it": of_spec(
        lambda spec: (spec["properties"].pop("priority"), spec.update({"x-kubernetes-preserve-unknown-fields": True}))
    ),
    "one more version": lambda document: document["spec"]["versions"].append(
        document["spec"]["versions"][0] | {"name": "v2"}
    ),
}


@pytest.mark.parametrize("change", WIDER.values(), ids=WIDER)
def test_what_is_wider_is_none(change: Change) -> None:
    new = copy.deepcopy(definition())
    change(new)
    assert narrowings(definition(), new) == []
