"""What runs is what the chart promises: restricted, without tokens it does not need, small."""

import json
from typing import Any

import pytest

from tests.e2e.release import Account, Release

IDLE_LIMIT_MIB = 120


def test_the_namespace_enforces_restricted_pods(release: Release) -> None:
    namespace = json.loads(release.kubectl("get", "namespace", release.namespace, "--output", "json"))
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_only_who_needs_the_api_has_a_token(release: Release) -> None:
    with_token = {
        pod["metadata"]["labels"]["app.kubernetes.io/component"]
        for pod in release.objects("pods", f"app.kubernetes.io/instance={release.name}")
        if any("serviceAccountToken" in json.dumps(volume) for volume in pod["spec"].get("volumes", []))
    }
    assert with_token == {"gateway", "operator"}


@pytest.mark.parametrize("component", ["gateway", "auth", "operator", "notifier"])
def test_an_idle_service_is_small(release: Release, account: Account, component: str) -> None:
    """Resident memory of all processes of the pod, as its cgroup counts it, without the page cache."""
    del account  # it was created through auth, which therefore has done some work
    read = "import pathlib, sys; print(next(p for p in map(pathlib.Path, sys.argv[1:]) if p.exists()).read_text())"
    files = ["/sys/fs/cgroup/memory.stat", "/sys/fs/cgroup/memory/memory.stat"]
    deployment = f"deployment/{release.component(component)}"
    said = release.kubectl("exec", deployment, "--", "/opt/venv/bin/python", "-c", read, *files)
    stat: dict[str, Any] = dict(line.split() for line in said.splitlines() if line)
    used = int(stat.get("total_rss", stat.get("anon", "0"))) / 1024**2
    assert 0 < used < IDLE_LIMIT_MIB, f"{component} uses {used:.0f} MiB"
