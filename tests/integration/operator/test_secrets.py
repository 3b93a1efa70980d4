"""The command `secrets` before a real API server, with the rights that the chart gives its Job and no more."""

import base64
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.chart.helm import Chart
from tests.contract.chart.manifests import Manifests
from tests.servers import KubernetesServer
from tests.servers.kubeconfig import token_kubeconfig
from tests.servers.process import await_condition

NAME = "video2mp3-secrets"
SECONDS = 120


@dataclass
class SecretsJob:
    """The Job of one release, whose pod is a process here."""

    server: KubernetesServer
    chart: Chart
    namespace: str
    kubeconfig: Path

    def render(self, **values: Any) -> Manifests:
        return self.chart.render(values, "--namespace", self.namespace)

    def allow(self, manifests: Manifests) -> None:
        """Give it the chart's rights."""
        for kind in ("Role", "RoleBinding"):
            document = manifests.named(kind, NAME, self.namespace)
            self.server.kubectl("apply", "--filename=-", stdin=json.dumps(document))

    def start(self, manifests: Manifests, stdout: int = subprocess.PIPE) -> "subprocess.Popen[bytes]":
        """Start the container's command with its variables."""
        container = manifests.pod("secrets").container("secrets")
        assert container["args"] == ["video2mp3-operator", "secrets"]
        environment = {
            **manifests.environment(container),
            "KUBECONFIG": str(self.kubeconfig),
            "PATH": "/usr/bin:/bin",
            "PYTHONUNBUFFERED": "1",
        }
        command = [sys.executable, "-m", "video2mp3_operator", "secrets"]
        return subprocess.Popen(command, env=environment, stdout=stdout, stderr=subprocess.PIPE)

    def run(self, manifests: Manifests) -> list[str]:
        """Run it to its end, which must be a good one; answers what it says."""
        return ended(self.start(manifests))

    def secrets(self) -> dict[str, dict[str, Any]]:
        """All Secrets there, as documents."""
        listed = self.server.kubectl("get", "secrets", "--namespace", self.namespace, "--output=json")
        return {each["metadata"]["name"]: each for each in json.loads(listed)["items"]}

    def values(self, name: str) -> dict[str, str]:
        """The values of one."""
        return {key: base64.b64decode(value).decode() for key, value in self.secrets()[name]["data"].items()}


def ended(process: "subprocess.Popen[bytes]", code: int = 0) -> list[str]:
    """What it says, be it of an error, once it has ended with that exit code."""
    try:
        stdout, stderr = process.communicate(timeout=SECONDS)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == code, stderr.decode()
    return (stdout + stderr).decode().splitlines()


@pytest.fixture
def job(kube_apiserver: KubernetesServer, chart: Chart, tmp_path: Path) -> SecretsJob:
    """Without any rights yet."""
    namespace = kube_apiserver.new_namespace()
    kube_apiserver.kubectl("create", "serviceaccount", NAME, "--namespace", namespace)
    token = kube_apiserver.kubectl("create", "token", NAME, "--namespace", namespace).strip()
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(token_kubeconfig(kube_apiserver.url, token, kube_apiserver.ca_file))
    return SecretsJob(kube_apiserver, chart, namespace, kubeconfig)


@pytest.fixture
def manifests(job: SecretsJob) -> Manifests:
    """The chart's, of which the Job has its rights."""
    manifests = job.render()
    job.allow(manifests)
    return manifests


def complete(job: SecretsJob, manifests: Manifests) -> bool:
    """Whether all are there, with the same passwords wherever one stands."""
    assert job.secrets().keys() == {planned.name for planned in manifests.plan}
    users = {
        each["name"]: each["password"]
        for each in json.loads(job.values("video2mp3-rabbitmq")["definitions.json"])["users"]
    }
    for service in ("operator", "worker", "notifier"):
        values = job.values(f"video2mp3-{service}")
        assert values["mongodb-uri"].startswith(f"mongodb://{service}:{values['mongodb-password']}@")
        assert users[service] == values["rabbitmq-password"]
    return True


def test_they_are_made_and_found_again(job: SecretsJob, manifests: Manifests) -> None:
    assert job.run(manifests) == [f"{planned.name} is made." for planned in manifests.plan]
    assert complete(job, manifests)
    made = job.secrets()
    assert {name: {*each["data"]} for name, each in made.items()} == {
        name: values.keys() for name, values in manifests.secrets.items()
    }
    assert job.run(manifests) == [f"{planned.name} is there already." for planned in manifests.plan]
    assert job.secrets() == made


@contextmanager
def standing_still(job: SecretsJob, manifests: Manifests) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """One that has made its first Secret and cannot say so, since the pipe is full; and the pipe's other end."""
    reads, writes = os.pipe()
    size = fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, 4096)
    os.write(writes, b"x" * size)
    process = job.start(manifests, stdout=writes)
    try:
        await_condition(lambda: bool(job.secrets()), seconds=SECONDS, what="nothing was made")
        yield process, reads
    finally:
        process.kill()
        process.communicate(timeout=SECONDS)
        os.close(writes)
        os.close(reads)


def test_what_is_left_when_it_is_killed_between_two_is_completed(job: SecretsJob, manifests: Manifests) -> None:
    with standing_still(job, manifests) as (process, _):
        process.kill()
    left = job.secrets()
    assert len(left) == 1
    job.run(manifests)
    assert complete(job, manifests)
    assert left.items() <= job.secrets().items()


def test_two_at_once_agree(job: SecretsJob, manifests: Manifests) -> None:
    first, *others = manifests.plan
    with standing_still(job, manifests) as (process, pipe):
        told = job.run(manifests)
        assert told == [f"{first.name} is there already.", *(f"{each.name} is made." for each in others)]
        made = job.secrets()
        while b"x" in os.read(pipe, 4096):
            pass
        assert process.wait(timeout=SECONDS) == 0
    assert job.secrets() == made
    assert complete(job, manifests)


def test_what_somebody_has_put_there_stays(job: SecretsJob, manifests: Manifests) -> None:
    """As after a restore, in the midst of a change of keys."""
    theirs = {"key-encryption-key": "NEW,OLD", "note": "mine"}
    literals = [f"--from-literal={key}={value}" for key, value in theirs.items()]
    job.server.kubectl("create", "secret", "generic", "video2mp3-auth", "--namespace", job.namespace, *literals)
    uid = job.secrets()["video2mp3-auth"]["metadata"]["uid"]
    job.run(manifests)
    assert job.values("video2mp3-auth") == theirs
    assert job.secrets()["video2mp3-auth"]["metadata"]["uid"] == uid


def test_another_first_account_gets_another_password(job: SecretsJob, manifests: Manifests) -> None:
    job.run(manifests)
    first, others = job.values("video2mp3-account"), job.secrets()
    assert first["email"] == "first@example.com"
    job.run(job.render(account={"email": "other@example.com"}))
    second = job.values("video2mp3-account")
    assert second["email"] == "other@example.com"
    assert second["password"] not in first.values()
    assert {name for name, each in job.secrets().items() if each != others[name]} == {"video2mp3-account"}


def test_without_its_rights_it_says_which_one_is_missing(job: SecretsJob) -> None:
    [said] = ended(job.start(job.render()), code=1)
    assert said.startswith(f"error: the Secrets in {job.namespace} could not all be made: ")
    assert 'secrets "video2mp3-gateway" is forbidden' in said


RIGHTS = [
    ("create", "", True),
    ("get", "video2mp3-auth", True),
    ("patch", "video2mp3-auth", True),
    ("get", "somebody-elses", False),
    ("patch", "somebody-elses", False),
    ("delete", "video2mp3-auth", False),
    ("list", "", False),
]


def test_what_it_may_do(job: SecretsJob, manifests: Manifests) -> None:
    del manifests  # the rights are given with them

    def may(verb: str, name: str) -> bool:
        asked = {"namespace": job.namespace, "resource": "secrets", "verb": verb, "name": name}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": f"system:serviceaccount:{job.namespace}:{NAME}", "resourceAttributes": asked},
        }
        answer = job.server.kubectl("create", "--filename=-", "--output=json", stdin=json.dumps(review))
        return bool(json.loads(answer)["status"]["allowed"])

    assert [(verb, name, may(verb, name)) for verb, name, _ in RIGHTS] == RIGHTS


# --- charts before this one had them as templates ---

OLD = ("video2mp3-worker", "video2mp3-mysql")
OLD_URI = "mongodb://video2mp3:old@video2mp3-mongodb"
"""The worker's, when there was one user for all."""


def encoded(values: dict[str, str]) -> dict[str, str]:
    """As a Secret's data has them."""
    return {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}


@pytest.fixture
def old_chart(job: SecretsJob, tmp_path: Path) -> Callable[..., None]:
    """Helm on a chart that has these Secrets, or none, as templates."""
    made = job.render().secrets
    made["video2mp3-worker"]["mongodb-uri"] = OLD_URI
    folder = tmp_path / "chart"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": "video2mp3", "version": "0.1.0"}))

    def run(*arguments: str, templates: tuple[str, ...] = ()) -> None:
        secrets = [
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": encoded(made[name])}
            for name in templates
        ]
        (folder / "templates" / "secrets.yaml").write_text(yaml.safe_dump_all(secrets))
        where = ["--namespace", job.namespace, "--kubeconfig", str(job.server.kubeconfig)]
        command = [str(job.chart.helm), *arguments, *where]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stderr

    return run


def test_an_upgrade_and_a_rollback_leave_those_of_an_older_chart(
    job: SecretsJob, manifests: Manifests, old_chart: Callable[..., None]
) -> None:
    old_chart("install", "video2mp3", "chart", templates=OLD)
    before = {name: job.values(name) for name in OLD}
    assert before["video2mp3-worker"]["mongodb-uri"] == OLD_URI
    told = job.run(manifests)  # the hook
    assert "video2mp3-worker is brought up to date: mongodb-uri." in told
    assert "video2mp3-mysql is kept from now on." in told
    after = {name: job.values(name) for name in OLD}
    assert after["video2mp3-worker"]["mongodb-uri"].startswith("mongodb://worker:")
    old_chart("upgrade", "video2mp3", "chart")
    assert {name: job.values(name) for name in OLD} == after
    # Without the option Helm 4 leaves to others what they have written, as the hook did.
    old_chart("rollback", "video2mp3", "1", "--force-conflicts")
    assert {name: job.values(name) for name in OLD} == before
