"""The chart judged by kube-score, whose objections have reasons in one file, and by yamllint with rules of ct lint."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from yamllint import linter
from yamllint.config import YamlLintConfig

from tests.contract.chart.helm import CHART, Chart
from tests.contract.chart.kube_score import KubeScore, compiled_kube_score, exceptions
from tests.contract.chart.manifests import Manifests

pytestmark = pytest.mark.timeout(900)  # the first run on a machine compiles it


NO_SPACES = {"min-spaces-inside": 0, "max-spaces-inside": 0}
CT_RULES = {
    "braces": NO_SPACES,
    "brackets": NO_SPACES,
    "colons": {"max-spaces-before": 0, "max-spaces-after": 1},
    "commas": {"max-spaces-before": 0, "min-spaces-after": 1, "max-spaces-after": 1},
    "comments": {"require-starting-space": True, "min-spaces-from-content": 1},
    "empty-lines": {"max": 2, "max-start": 0, "max-end": 0},
    "hyphens": {"max-spaces-after": 1},
    "indentation": {"spaces": "consistent", "indent-sequences": "whatever", "check-multi-line-strings": False},
    "key-duplicates": "enable",
    "new-line-at-end-of-file": "enable",
    "new-lines": {"type": "unix"},
    "trailing-spaces": "enable",
    "truthy": "enable",
}
"""Of chart-testing's own configuration of yamllint; a truth value in words is but a warning there."""


def complaints_of_yamllint(text: str) -> list[str]:
    config = YamlLintConfig(yaml.safe_dump({"rules": CT_RULES}))
    return [str(problem) for problem in linter.run(text, config)]


@pytest.fixture(scope="module")
def kube_score() -> KubeScore:
    return compiled_kube_score()


def unexplained(complaints: dict[str, set[str]]) -> dict[str, set[str]]:
    known = exceptions()
    return {
        check: components - (known[check] or components) if check in known else components
        for check, components in complaints.items()
        if check not in known or components - (known[check] or components)
    }


def test_what_is_not_followed_has_its_reason(kube_score: KubeScore, chart: Chart, manifests: Manifests) -> None:
    everything: dict[str, Any] = yaml.safe_load((CHART / "ci" / "everything-values.yaml").read_text())
    scores = [kube_score.judge(each) for each in (manifests, chart.render(everything, smallest=False))]
    judged = f"kube-score {kube_score.version()}: {sum(score.checks for score in scores)} checks"
    print(judged)  # noqa: T201 - what was judged, and by what, for who asks by -rP
    for score in scores:
        assert unexplained(score.complaints) == {}
        assert score.checks > 200
    needed = scores[0].complaints
    assert exceptions().keys() == needed.keys()
    assert {check: of for check, of in exceptions().items() if of and of != needed[check]} == {}


def test_a_container_that_may_do_too_much_is_found(kube_score: KubeScore, chart: Chart) -> None:
    manifests = chart.render()
    context = manifests.named("Deployment", "video2mp3-gateway")["spec"]["template"]["spec"]["containers"][0]
    context["securityContext"] = {"privileged": True, "runAsUser": 0}
    found = unexplained(kube_score.judge(manifests).complaints)
    assert found["container-security-context-privileged"] == {"gateway"}


@pytest.mark.parametrize(
    "path",
    [CHART / "Chart.yaml", CHART / "values.yaml", *sorted((CHART / "ci").glob("*.yaml"))],
    ids=lambda path: path.name,
)
def test_the_charts_own_yaml_is_as_ct_lint_wants_it(path: Path) -> None:
    assert complaints_of_yamllint(path.read_text()) == []


def test_what_ct_lint_would_refuse_is_found() -> None:
    assert len(complaints_of_yamllint("a:  1\na: { b: yes }\n\n")) >= 4
