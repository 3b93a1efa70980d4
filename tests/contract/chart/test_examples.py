"""The examples are valid: Conversions against the models, values against the chart."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.chart.helm import ROOT, Chart
from video2mp3_contracts.api.conversion import Conversion, ConversionSpec

EXAMPLES = ROOT / "examples"
ALTERNATIVES = {"source.url", "output.encoding.vbr", "output.audioTrack.language"}
"""Fields of which another one stands in the full example."""


def documents(path: Path) -> list[dict[str, Any]]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


CONVERSIONS = [
    pytest.param(document, id=document["metadata"]["name"])
    for path in sorted(EXAMPLES.rglob("*.yaml"))
    for document in documents(path)
    if document["kind"] == "Conversion"
]


@pytest.mark.parametrize("document", CONVERSIONS)
def test_conversions_are_valid(document: dict[str, Any]):
    metadata = {"namespace": "default"} | document["metadata"]
    spec = ConversionSpec.model_validate(document["spec"])
    assert Conversion.model_validate({"metadata": metadata, "spec": document["spec"]}).spec == spec


def test_the_full_example_has_every_field():
    (document,) = documents(EXAMPLES / "conversion-full.yaml")
    used = set(leaves(document["spec"]))
    schema = ConversionSpec.model_json_schema(by_alias=True)
    possible = {path for path in schema_leaves(schema, schema["$defs"]) if path not in ALTERNATIVES}
    assert possible - used - {path for path in possible if any(each.startswith(f"{path}.") for each in used)} == set()


def leaves(node: Any, path: str = "") -> list[str]:
    if isinstance(node, dict):
        return [leaf for key, child in node.items() for leaf in leaves(child, f"{path}.{key}".strip("."))]
    return [path]


def schema_leaves(node: dict[str, Any], definitions: dict[str, Any], path: str = "") -> list[str]:
    for option in [node, *node.get("anyOf", []), *node.get("allOf", [])]:
        target = definitions[option["$ref"].rsplit("/", 1)[1]] if "$ref" in option else option
        if "properties" in target:
            return [
                leaf
                for key, child in target["properties"].items()
                for leaf in schema_leaves(child, definitions, f"{path}.{key}".strip("."))
            ]
    return [path]


def test_flux_values_render(chart: Chart):
    (release,) = [
        document for document in documents(EXAMPLES / "gitops/flux.yaml") if document["kind"] == "HelmRelease"
    ]
    assert chart.render(release["spec"]["values"], smallest=False).of_kind("Ingress")
    assert release["spec"]["chart"]["spec"]["chart"] == "charts/video2mp3"


def test_argo_cd_renders_the_same_twice(chart: Chart):
    """It sees no cluster, so whatever is generated would change with every sync."""
    application = documents(EXAMPLES / "gitops/argocd.yaml")[0]
    values = application["spec"]["source"]["helm"]["valuesObject"]
    first, second = (chart.render(values, smallest=False) for _ in range(2))
    assert first.documents == second.documents
    assert not first.of_kind("Secret")


def test_the_secrets_that_the_examples_name_are_made_in_their_readme():
    text = (EXAMPLES / "gitops/README.md").read_text()
    for path in ("argocd.yaml", "flux.yaml"):
        for secret in existing_secrets(documents(EXAMPLES / "gitops" / path)):
            assert f"secret {secret} --from-literal=" in text, (path, secret)


def existing_secrets(node: Any) -> set[str]:
    if isinstance(node, list):
        return {name for child in node for name in existing_secrets(child)}
    if not isinstance(node, dict):
        return set()
    own = {node["existingSecret"]} if "existingSecret" in node else set()
    return own | {name for child in node.values() for name in existing_secrets(child)}


def test_the_kustomization_names_every_file():
    folder = EXAMPLES / "gitops/conversions"
    (kustomization,) = documents(folder / "kustomization.yaml")
    assert set(kustomization["resources"]) == {path.name for path in folder.glob("*.yaml")} - {"kustomization.yaml"}
