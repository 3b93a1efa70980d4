"""The chart of a release: its values by digest, and what Artifact Hub reads."""

import pytest
import yaml

from video2mp3_localcluster.images.catalogue import SERVICES
from video2mp3_localcluster.release.changelog import Entry
from video2mp3_localcluster.release.chart import Facts, annotations, values_by_digest
from video2mp3_localcluster.steps.layout import repository_root
from video2mp3_localcluster.steps.step_log import StepFailed

ROOT = repository_root()
VALUES = (ROOT / "charts" / "video2mp3" / "values.yaml").read_text()
DIGESTS = {image.name: f"sha256:{image.name[0].encode().hex() * 32}" for image in SERVICES}
CRD = yaml.safe_load((ROOT / "crds" / "conversions.video2mp3.dev.yaml").read_text())
EXAMPLE = {"kind": "Conversion"}


def facts(version: str = "1.2.3", registry: str = "", source: str = "", *changes: Entry) -> Facts:
    return Facts(version, DIGESTS, ("amd64", "arm64"), registry, source, changes)


def test_only_digests_and_registry_are_other_values() -> None:
    before, after = yaml.safe_load(VALUES), yaml.safe_load(values_by_digest(VALUES, facts(registry="r.example.com/a")))
    assert after["images"].pop("registry") == "r.example.com/a"
    for name, digest in DIGESTS.items():
        assert after["images"][name].pop("digest") == digest
        assert before["images"][name].pop("digest") == ""
    before["images"].pop("registry")
    assert after == before


def test_the_registry_stays_where_none_is_named() -> None:
    assert yaml.safe_load(values_by_digest(VALUES, facts()))["images"]["registry"] == "video2mp3"


def test_a_chart_without_a_place_for_a_digest_is_refused() -> None:
    with pytest.raises(StepFailed, match=r"no empty images\.gateway\.digest"):
        values_by_digest(VALUES.replace('digest: ""', "digest: sha256:0"), facts())


def test_artifact_hub_is_told() -> None:
    found = annotations(
        facts("1.2.3", "r.example.com/a", "https://code.example.com/a", Entry("security", "Words: so.")), [CRD], EXAMPLE
    )
    assert yaml.safe_load(found["artifacthub.io/images"])[0] == {
        "name": "gateway",
        "image": f"r.example.com/a/gateway:1.2.3@{DIGESTS['gateway']}",
        "platforms": ["linux/amd64", "linux/arm64"],
    }
    assert yaml.safe_load(found["artifacthub.io/changes"]) == [{"kind": "security", "description": "Words: so."}]
    [crd] = yaml.safe_load(found["artifacthub.io/crds"])
    assert (crd["kind"], crd["version"], crd["name"]) == ("Conversion", "v1", "conversions.video2mp3.dev")
    assert yaml.safe_load(found["artifacthub.io/crdsExamples"]) == [EXAMPLE]
    assert yaml.safe_load(found["artifacthub.io/links"]) == [{"name": "source", "url": "https://code.example.com/a"}]
    assert found["artifacthub.io/containsSecurityUpdates"] == "true"
    assert found["artifacthub.io/prerelease"] == "false"


def test_a_prerelease_says_so_and_what_is_not_known_is_not_said() -> None:
    found = annotations(facts("1.2.3-rc.1"), [CRD], EXAMPLE)
    assert found["artifacthub.io/prerelease"] == "true"
    assert "artifacthub.io/links" not in found
    assert "artifacthub.io/changes" not in found
