"""The release under a Gateway of the Gateway API, which Traefik implements."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.chart.helm import CHART, SMALLEST
from tests.contract.gitops.tools import gateway_api_files
from tests.e2e import media
from tests.e2e.outcome import assert_one_mp3_and_one_email
from tests.e2e.release import Account, Release, await_value
from tests.servers import GatewayApiTraefik

HOST = "gateway-api.video2mp3.test"
GROUP = "gateway.networking.k8s.io/v1"
LARGE_BYTES = 64 * 1024**2


@pytest.fixture
def traefik(release: Release) -> Iterator[GatewayApiTraefik]:
    """The kinds, a class, and who does what they say."""
    kinds = [yaml.safe_load(path.read_text()) for path in gateway_api_files()]
    names = [kind["metadata"]["name"] for kind in kinds]
    release.apply(*kinds)
    try:
        release.kubectl("wait", "--for=condition=Established", "--timeout=60s", *(f"crd/{name}" for name in names))
        spec = {"controllerName": "traefik.io/gateway-controller"}
        release.apply({"apiVersion": GROUP, "kind": "GatewayClass", "metadata": {"name": "tests"}, "spec": spec})
        with GatewayApiTraefik(release.kubeconfig) as server:
            yield server
    finally:
        release.kubectl("delete", "--ignore-not-found", *(f"crd/{name}" for name in names))


@pytest.fixture
def through_it(release: Release, traefik: GatewayApiTraefik, tmp_path: Path) -> Release:
    """The same release by its route, as the chart renders it."""
    listener = {"name": "web", "protocol": "HTTP", "port": traefik.port}
    spec = {"gatewayClassName": "tests", "listeners": [listener]}
    release.apply({"apiVersion": GROUP, "kind": "Gateway", "metadata": {"name": "web"}, "spec": spec})
    values = tmp_path / "values.json"
    values.write_text(json.dumps(SMALLEST | {"httpRoute": {"parentRefs": [{"name": "web"}], "hostnames": [HOST]}}))
    shown = ("--show-only", "templates/gateway/httproute.yaml", "--values", str(values))
    release.apply(yaml.safe_load(release.helm("template", release.name, str(CHART), *shown)))
    return replace(release, url=traefik.url, host=HOST)


def conditions(release: Release, name: str) -> dict[str, str]:
    """What who implements it says of a route."""
    route: dict[str, Any] = json.loads(release.kubectl("get", "httproute", name, "--output", "json"))
    parents = route.get("status", {}).get("parents", [])
    return {each["type"]: each["status"] for parent in parents for each in parent["conditions"]}


def test_the_three_calls_pass_through_a_gateway(release: Release, through_it: Release, tmp_path: Path) -> None:
    account: Account = release.create_account()
    name = release.component("gateway")
    await_value(lambda: conditions(release, name), seconds=60, what="somebody has read the route")
    assert conditions(release, name) == {"Accepted": "True", "ResolvedRefs": "True"}
    # It takes the route up a moment after it has said so.
    await_value(lambda: through_it.request("GET", "/healthz").ok, seconds=30, what="the route leads to the gateway")

    large = media.make_huge_video(tmp_path / "large.mp4", LARGE_BYTES)
    answer = through_it.upload(account, large)
    conversion = assert_one_mp3_and_one_email(release, answer["conversion"], account)
    file_id = conversion["status"]["output"]["fileId"]
    found = through_it.request("GET", f"/download?fid={file_id}", headers=through_it.login(account))
    assert found.content == release.mp3(file_id)

    elsewhere = replace(through_it, host="elsewhere.video2mp3.test")
    assert elsewhere.request("GET", "/healthz").status_code == 404
