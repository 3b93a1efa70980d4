"""Conversions of sources on the web, by the real operator."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.operator.cluster import OWNER, Cluster
from tests.integration.operator.operator_process import OperatorProcess
from tests.servers import KubernetesServer
from video2mp3_contracts.jobs.worker import TerminationMessage, WorkerRequest

PANEL = Path(__file__).parents[3] / "examples" / "gitops" / "conversions" / "panel.yaml"
URL = "https://media.example.com/film.mp4?token=secret"
AWAY = TerminationMessage(exit_code=75, reason="SourceUnavailable", message="media.example.com answered 503.")


@pytest.fixture
def fetching(operator: OperatorProcess) -> Iterator[OperatorProcess]:
    """The operator of an installation that fetches from one host and below another."""
    operator.stop()
    operator.changes = {"OPERATOR_ALLOWED_HOSTS": "media.example.com,*.cdn.example"}
    operator.start()
    return operator


def request_of(job: dict[str, Any]) -> WorkerRequest:
    """What its worker is told."""
    [container] = job["spec"]["template"]["spec"]["containers"]
    [value] = [each["value"] for each in container["env"] if each["name"] == "WORKER_REQUEST"]
    return WorkerRequest.model_validate_json(value)


def test_it_becomes_a_job_that_says_where_it_may_fetch_from(
    cluster: Cluster, fetching: OperatorProcess, kube_apiserver: KubernetesServer
) -> None:
    name = cluster.convert(source={"url": URL, "sha256": "0" * 64})
    job = cluster.await_job(name)
    request = request_of(job)
    assert (request.source.url, request.source.sha256) == (URL, "0" * 64)
    assert request.limits.allowed_hosts == ("media.example.com", "*.cdn.example")
    [scratch] = job["spec"]["template"]["spec"]["volumes"]
    assert scratch["emptyDir"]["sizeLimit"] == str(request.limits.max_source_bytes + request.limits.max_output_bytes)
    mp3 = cluster.work(name)
    cluster.complete(name)
    assert cluster.await_reason(name, "Succeeded")["output"]["fileId"] == mp3
    [row] = kube_apiserver.kubectl("get", "conv", "-n", cluster.namespace, "-o", "wide").splitlines()[1:]
    assert {"Succeeded", mp3, "a@example.com"} < set(row.split())
    cluster.delete(name)
    cluster.await_gone(name)
    assert (cluster.files("mp3s"), cluster.jobs()) == (set(), [])


@pytest.mark.parametrize("host", ["example.com", "cdn.example", "media.example.com.evil.example", "169.254.169.254"])
def test_a_host_that_is_not_named_fails_it_at_once(cluster: Cluster, fetching: OperatorProcess, host: str) -> None:
    name = cluster.convert(source={"url": f"https://{host}/film.mp4?token=secret"})
    status = cluster.await_reason(name, "SourceNotAllowed")
    assert host in status["message"]
    assert "worker.urlSources.allowedHosts" in status["message"]
    assert cluster.jobs() == []
    assert cluster.await_message().reason == "SourceNotAllowed"
    assert "secret" not in json.dumps(status) + fetching.log_file.read_text()


def test_a_server_that_stays_away_is_told_of_at_the_end(cluster: Cluster, fetching: OperatorProcess) -> None:
    name = cluster.convert(source={"url": URL}, retryLimit=0)
    cluster.await_job(name)
    cluster.pod(name, terminated=cluster.ended(AWAY))
    cluster.give_up(name, "BackoffLimitExceeded")
    status = cluster.await_reason(name, "SourceUnavailable")
    assert status["message"] == "The only attempt failed. The last one: media.example.com answered 503."
    assert status["attempts"][0]["exitCode"] == 75


def test_from_git_again_it_gets_the_mp3_of_the_same_content_whatever_its_address(
    cluster: Cluster, fetching: OperatorProcess
) -> None:
    """And an address alone is no content: without a digest it is converted again."""
    spec = yaml.safe_load(PANEL.read_text())["spec"] | {"owner": OWNER}
    cluster.convert("panel", **spec)
    cluster.await_job("panel")
    mp3 = cluster.work("panel")
    cluster.remove_job("panel")
    cluster.await_reason("panel", "Succeeded")
    cluster.delete("panel")
    cluster.await_gone("panel")

    elsewhere = spec["source"] | {"url": "https://one.cdn.example/panel.mp4"}
    cluster.convert("again", **spec | {"source": elsewhere})
    cluster.convert("unknown", **spec | {"source": {"url": spec["source"]["url"]}})

    assert cluster.await_reason("again", "Succeeded")["output"]["fileId"] == mp3
    cluster.await_job("unknown")
    assert cluster.jobs("again") == []
