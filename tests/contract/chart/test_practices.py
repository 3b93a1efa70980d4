"""The chart judged by kube-score: what it would have otherwise has a reason in one file, and is nothing else."""

from typing import Any

import pytest
import yaml

from tests.contract.chart.helm import CHART, Chart
from tests.contract.chart.kube_score import KubeScore, compiled_kube_score, exceptions
from tests.contract.chart.manifests import Manifests

pytestmark = pytest.mark.timeout(900)  # the first run on a machine compiles it


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
