"""What the chart renders, and the examples, judged by Kubernetes' own schemas of every supported version."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.chart.helm import CHART, ROOT, Chart
from tests.contract.chart.kubeconform import VERSIONS, Kubeconform, kubeconform_with

pytestmark = pytest.mark.timeout(900)  # the first run on a machine fetches the schemas
VALUES = sorted((CHART / "ci").glob("*-values.yaml"))
Document = dict[str, Any]


@pytest.fixture(scope="module")
def kubeconform(tmp_path_factory: pytest.TempPathFactory) -> Kubeconform:
    return kubeconform_with(tmp_path_factory.mktemp("schemas"))


@pytest.fixture(scope="module")
def rendered(chart: Chart) -> list[Document]:
    """All that any of the values files gives, a document that several of them give once."""
    documents = [
        document
        for path in VALUES
        for document in chart.render(yaml.safe_load(path.read_text()), smallest=False).documents
    ]
    return list({yaml.safe_dump(document): document for document in documents}.values())


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_what_the_chart_renders(
    version: str, kubeconform: Kubeconform, rendered: list[Document]
) -> None:
    verdict = kubeconform.judge(rendered, version)
    judged = f"kubeconform {kubeconform.version()}, Kubernetes {version}: {verdict.valid} of {len(rendered)} documents"
    print(judged)  # noqa: T201 - what was judged, and by what, for who asks by -rP
    assert verdict.complaints == []
    assert verdict.valid == len(rendered) > 100


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("Deployment", ("spec", "template", "spec", "containers", 0, "securityContext")),
        ("ServiceMonitor", ("spec", "endpoints", 0)),
        ("HTTPRoute", ("spec", "rules", 0)),
        ("PrometheusRule", ("spec", "groups", 0, "rules", 0)),
    ],
)
def test_a_misspelt_field_is_found(
    kind: str, place: tuple[str | int, ...], kubeconform: Kubeconform, rendered: list[Document]
) -> None:
    document = yaml.safe_load(yaml.safe_dump(next(each for each in rendered if each["kind"] == kind)))
    at = document
    for step in place:
        at = at[step]
    at["misspelt"] = True
    [complaint] = kubeconform.judge([document], VERSIONS[0]).complaints
    assert "additional properties 'misspelt' not allowed" in complaint


def conversions() -> list[Document]:
    files: list[Path] = sorted((ROOT / "examples").rglob("*.yaml"))
    found = [document for path in files for document in yaml.safe_load_all(path.read_text()) if document]
    return [document for document in found if document["kind"] == "Conversion"]


def test_the_examples_are_as_the_crd_says(kubeconform: Kubeconform) -> None:
    verdict = kubeconform.judge(conversions(), VERSIONS[-1])
    assert verdict.complaints == []
    assert verdict.valid == len(conversions()) > 0
    [complaint] = kubeconform.judge([conversions()[0] | {"spec": {"ouput": {}}}], VERSIONS[-1]).complaints
    assert "ouput" in complaint
