"""The chart as its users meet it: `helm test`, upgrades, and the examples."""

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.e2e import media
from tests.e2e.public_web import PublicWeb
from tests.e2e.release import Release, await_value
from tests.web_server import StoredFile

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = (
    "conversion.yaml",
    "conversion-full.yaml",
    "gitops/conversions/keynote.yaml",
    "gitops/conversions/panel.yaml",
)


def test_helm_test_converts_a_clip_and_leaves_nothing(release: Release) -> None:
    before = {each["metadata"]["name"] for each in release.objects("conversions")}
    said = release.helm("test", release.name, "--logs", "--timeout", "240s")
    assert "all nine steps work" in said
    name = next(line for line in said.splitlines() if line.startswith("uploaded it: ")).split()[-1]
    assert name not in before
    release.kubectl("wait", "--for=delete", f"conversion/{name}", "--timeout=60s")
    assert not release.has_source(name.removeprefix("upload-"))
    assert release.objects("pods", "app.kubernetes.io/component=test") == []


def test_an_upgrade_to_the_same_changes_no_secret_and_no_pod(release: Release) -> None:
    before = secrets_and_pods(release)
    release.helm("upgrade", release.name, str(ROOT / "charts/video2mp3"), "--reuse-values", "--wait", "--timeout=120s")
    assert secrets_and_pods(release) == before


def test_the_right_to_make_secrets_is_gone_when_they_are_made(release: Release) -> None:
    kinds = "serviceaccounts,roles,rolebindings,networkpolicies,jobs"
    assert release.objects(kinds, "app.kubernetes.io/component=operator")
    assert release.objects(kinds, "app.kubernetes.io/component=secrets") == []


def secrets_and_pods(release: Release) -> tuple[dict[str, Any], set[str]]:
    ours = f"app.kubernetes.io/instance={release.name},app.kubernetes.io/component"
    made = release.objects("secrets", "app.kubernetes.io/part-of=video2mp3")
    secrets = {each["metadata"]["name"]: each["data"] for each in made}
    services = f"{ours} in (gateway,auth,operator,notifier,mysql,mongodb,rabbitmq)"
    assert len(secrets) == 9
    return secrets, {each["metadata"]["uid"] for each in release.objects("pods", services)}


@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_converts(path: str, release: Release, web: PublicWeb, tmp_path: Path) -> None:
    """As it stands in the repository, with a source that exists."""
    document = yaml.safe_load((ROOT / "examples" / path).read_text())
    video = media.make_video(tmp_path / "example.mp4", 2)
    source, owner = document["spec"]["source"], document["spec"].get("owner", "")
    if "url" in source:
        source["url"] = web.serve(urlsplit(source["url"]).path, StoredFile(video.read_bytes()))
    else:
        source["gridfs"]["fileId"] = release.store_source(video, owner)
    if "sha256" in source:
        source["sha256"] = hashlib.sha256(video.read_bytes()).hexdigest()
    name = document["metadata"]["name"]
    release.apply(document)
    release.kubectl("wait", "--for=condition=Ready", f"conversion/{name}", "--timeout=120s")
    status = release.conversion(name)["status"]
    assert status["phase"] == "Succeeded", status
    assert status["output"]["filename"] == document["spec"].get("output", {}).get("filename", f"{name}.mp3")
    release.kubectl("delete", "conversion", name, "--timeout=60s")


RIGHTS = {
    "view": {"get": True, "list": True, "watch": True, "create": False, "patch": False, "delete": False},
    "edit": {"get": True, "list": True, "watch": True, "create": True, "patch": True, "delete": True},
}


@pytest.mark.parametrize("role", RIGHTS)
def test_who_may_view_or_edit_the_namespace_may_do_so_with_its_conversions(role: str, release: Release) -> None:
    """By Kubernetes' own roles, into which the chart's are aggregated; nobody writes the status by them."""
    user = f"{role}er@example.com"
    release.kubectl("create", "rolebinding", f"{role}ers", f"--clusterrole={role}", f"--user={user}")

    def may(verb: str, *more: str) -> bool:
        asked = ("auth", "can-i", verb, "conversions.video2mp3.dev", f"--as={user}", *more)
        return release.kubectl(*asked, check=False).startswith("yes")

    await_value(lambda: may("get"), seconds=30, what="the roles are aggregated")
    assert {verb: may(verb) for verb in RIGHTS[role]} == RIGHTS[role]
    assert not may("patch", "--subresource=status")


def test_the_operator_is_never_refused_by_the_api_server(release: Release) -> None:
    """Its Role has all that it asks for; what it does not ask for is the contract tests' matter."""
    assert refusals(release) == {}


def refusals(release: Release) -> dict[str, float]:
    read = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8080/metrics').read().decode())"
    metric, found = "video2mp3_operator_kubernetes_requests_total", dict[str, float]()
    for pod in release.pods("operator"):
        lines = release.kubectl("exec", pod["metadata"]["name"], "--", "python3", "-c", read).splitlines()
        assert any(line.startswith(metric) for line in lines)
        found |= {line: float(line.split()[-1]) for line in lines if line.startswith(metric) and 'code="403"' in line}
    return found
