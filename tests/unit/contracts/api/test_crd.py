"""The generated CRD is a structural schema that says what the models say."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from video2mp3_contracts.api import crd
from video2mp3_contracts.api.field_rules import FORM_LENGTH
from video2mp3_localcluster.programs.earlier_release import ARCHIVE
from video2mp3_localcluster.steps.layout import repository_root

COMMITTED = Path(__file__).parents[4] / "crds" / "conversions.video2mp3.dev.yaml"
STRUCTURAL_KEYS = {
    "type", "description", "properties", "items", "required", "default", "enum", "pattern", "format", "minimum",
    "maximum",
    "minLength", "maxLength", "minItems", "maxItems", "x-kubernetes-validations", "x-kubernetes-int-or-string",
    "x-kubernetes-list-type", "x-kubernetes-list-map-keys", "additionalProperties", "maxProperties",
    "x-kubernetes-preserve-unknown-fields",
}  # fmt: skip


def schema() -> dict[str, Any]:
    root: dict[str, Any] = crd.definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return root


def nodes(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, node
    for name, child in node.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}")
    if "items" in node:
        yield from nodes(node["items"], f"{path}[]")


def test_the_committed_file_is_the_generated_one() -> None:
    assert yaml.safe_load(COMMITTED.read_text()) == crd.definition()


def test_what_nobody_has_seen_carries_no_made_up_time() -> None:
    status = schema()["properties"]["status"]
    [ready] = status["default"]["conditions"]
    assert ready["status"] == "Unknown"
    assert "lastTransitionTime" not in ready
    assert set(status["properties"]["conditions"]["items"]["required"]) <= ready.keys()


def test_every_node_has_a_type_and_only_structural_keys() -> None:
    for path, node in nodes(schema()):
        assert set(node) <= STRUCTURAL_KEYS, path
        assert "type" in node or "x-kubernetes-int-or-string" in node, path


def test_every_string_of_the_spec_is_bounded() -> None:
    """What is not bounded makes CEL rules too expensive for the API server, and documents too large for etcd."""
    for path, node in nodes(schema()["properties"]["spec"]):
        if node.get("type") == "string" and "enum" not in node:
            assert "maxLength" in node, path


def test_texts_under_names_of_peoples_own_are_bounded_in_every_way() -> None:
    mapped = {path: node for path, node in nodes(schema()["properties"]["spec"]) if "additionalProperties" in node}
    assert list(mapped) == [".output.tags.custom"]
    for node in mapped.values():
        assert node["maxProperties"] == 16
        assert node["additionalProperties"] == {"type": "string", "maxLength": 256}
        assert "size(name) <= 64" in node["x-kubernetes-validations"][0]["rule"]


def test_nobody_is_shown_a_regular_expression() -> None:
    """The API server prints a `pattern` that is broken as it is; a rule has a message for people."""
    ruled = []
    for path, node in nodes(schema()["properties"]["spec"]):
        assert "pattern" not in node, path
        forms = [each for each in node.get("x-kubernetes-validations", ()) if "self.matches" in each["rule"]]
        assert all(each["message"].startswith(f"{path[1:]} must be ") for each in forms), path
        ruled += [path] if forms else []
        assert forms or node.get("type") != "string" or "enum" in node, path
    assert len(ruled) == 22


@pytest.mark.parametrize("part", ["spec", "status"])
def test_every_field_tells_its_form_and_its_default(part: str) -> None:
    """`kubectl explain` shows a description and a type, which is Object for what may be a number or a text."""
    for path, node in nodes(schema()["properties"][part]):
        told = node.get("description", "")
        assert told[:1].isalnum(), path
        assert [form for form in forms(node) if form not in told] == [], path


def forms(node: dict[str, Any]) -> Iterator[str]:
    """What a description has to name."""
    yield from map(str, node.get("enum", ()))
    yield from (str(node[bound]) for bound in ("minimum", "maximum", "maxItems", "maxProperties") if bound in node)
    if node.get("maxLength", FORM_LENGTH) != FORM_LENGTH:
        yield f"At most {node['maxLength']} characters."
    for rule in node.get("x-kubernetes-validations", ()):
        immutable = " is immutable: " in rule["message"]
        yield "Immutable." if immutable else rule["message"].split(" must ")[-1].partition(" ")[2]
    if "x-kubernetes-int-or-string" in node:
        yield "An integer, or a text in quotes."
    if isinstance(default := node.get("default"), str | int):
        as_json = json.dumps(default)
        yield f"Default: {default if default and isinstance(default, str) else as_json}."


def test_what_a_class_may_say_is_not_filled_in_and_its_default_is_told() -> None:
    spec = schema()["properties"]["spec"]["properties"]
    fields = [spec[name] for name in ("retryLimit", "deletionPolicy", "sourcePolicy")]
    fields += [spec["output"]["properties"][name] for name in ("encoding", "channels")]
    for field in fields:
        assert "default" not in field
        assert " default" in field["description"]
    # Whole, so that nobody can add to it later what was not there.
    assert spec["output"]["default"] == {"tags": {}}


def test_no_default_holds_null() -> None:
    for path, node in nodes(schema()):
        assert "null" not in yaml.safe_dump(node.get("default", {})).split(), path


def test_nothing_is_filled_in_that_the_earlier_release_does_not_know() -> None:
    """The definition is upgraded before the operator, which then would fail every Conversion for a strange field."""
    known = {path for path, _ in nodes(earlier_schema()["properties"]["spec"])}
    for path, node in nodes(schema()["properties"]["spec"]):
        for filled in leaves(node["default"], path) if "default" in node else ():
            assert filled in known


def earlier_schema() -> dict[str, Any]:
    with tarfile.open(repository_root() / ARCHIVE) as archive:
        content = archive.extractfile(f"charts/video2mp3/files/{COMMITTED.name}")
        assert content
        root: dict[str, Any] = yaml.safe_load(content)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return root


def leaves(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for name, child in value.items():
            yield from leaves(child, f"{path}.{name}")
    else:
        yield path


def test_a_conversion_that_nobody_has_seen_is_not_ready() -> None:
    status = schema()["properties"]["status"]["default"]
    assert status["observedGeneration"] == -1
    assert [(c["type"], c["status"], c["reason"]) for c in status["conditions"]] == [("Ready", "Unknown", "Pending")]
