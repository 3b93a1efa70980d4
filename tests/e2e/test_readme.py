"""The README is followed word for word, from a checkout to an mp3: its commands are taken out of the page and typed."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.commands_of_a_page import README, commands, session
from tests.e2e import media
from tests.e2e.reader import NodesRegistry, Reader
from tests.e2e.release import Release, await_value
from tests.kubectl_table import rows
from video2mp3_contracts.api import names
from video2mp3_localcluster.demo.release import Release as Installation
from video2mp3_localcluster.images.push import chart_version
from video2mp3_localcluster.steps.layout import NodeFiles, log_dir, repository_root
from video2mp3_localcluster.steps.step_log import StepLog

NAMESPACE = "video2mp3-readme"
HOST = "readme.video2mp3.test"
ACCOUNT = "you@example.com"
PAGE = README.read_text()


@pytest.fixture(scope="module")
def reader(release: Release, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """Somebody who has a registry, and a namespace with a mail server on the cluster."""
    files = NodeFiles()
    own = replace(release, namespace=NAMESPACE, host=HOST)
    installation = Installation(NAMESPACE, HOST, release.url, ACCOUNT)
    log = StepLog(log_dir() / f"{NAMESPACE}-install.log")
    with NodesRegistry(files) as registry:
        try:
            installation.uninstall(log)
            installation.prepare_namespace(log)
            installation.install_mail_server(log)
            reader = Reader(own, registry, tmp_path_factory.mktemp("checkout"))
            reader.settle()
            yield reader
        finally:
            installation.uninstall(log)
            registry.forget()
            log.close()


@pytest.fixture(scope="module")
def installed(reader: Reader) -> Reader:
    """The same, when they have pushed the images and installed the chart."""
    push, install = commands(PAGE, "Install it on your cluster")
    told = reader.push(push)
    # Before it stands how the set-up went, where there was any.
    assert told.splitlines()[-1] == f"--set images.registry={reader.registry.address}/video2mp3"
    reader.type(install)
    for workload in reader.release.kubectl("get", "deployments,statefulsets", "--output=name").split():
        reader.type(f"kubectl rollout status --namespace video2mp3 {workload} --timeout=300s")
    await_value(
        lambda: reader.release.request("GET", "/healthz").ok, seconds=30, what="the ingress controller knows it"
    )
    return reader


def images(reader: Reader, *services: str) -> set[str]:
    return {f"{reader.registry.address}/video2mp3/{service}:{chart_version()}" for service in services}


def test_the_services_run_from_the_registry(installed: Reader) -> None:
    pods = installed.release.objects("pods")
    running = {container["image"] for pod in pods for container in pod["spec"]["containers"]}
    fetched = {image for image in running if image.startswith(installed.registry.address)}
    assert fetched == images(installed, "gateway", "auth", "operator", "notifier")


def test_the_three_calls(installed: Reader) -> None:
    media.make_video(installed.folder / "a.mp4", 3)
    [calls] = commands(PAGE, "Use it over REST: three calls")
    first = installed.release.secret("video2mp3-account")
    login, upload, download = calls.replace("EMAIL:PASSWORD", f"{ACCOUNT}:{first['password']}").splitlines()
    installed.type(f"{login}\n{upload}\n")

    [email] = installed.release.await_emails(ACCOUNT)
    [file_id] = re.findall(r"^File id: ([0-9a-f]{24})$", email["text"], re.MULTILINE)
    installed.type(f"{login}\n{download.replace('FILE_ID', file_id)}\n")
    codec, duration = media.probe(installed.folder / "a.mp3").split(",")
    assert codec == "mp3"
    assert float(duration) == pytest.approx(3, abs=0.1)


def test_kubectl_shows_what_the_page_shows(installed: Reader) -> None:
    """The source is stored by the command of the example that the page leads to."""
    media.make_video(installed.folder / "talk.mp4", 3)
    example = (repository_root() / "examples/conversion.yaml").read_text()
    file_id = installed.type("\n".join(re.findall(r"^#   (.*)$", example, re.MULTILINE))).strip()
    talk = re.sub(r"\b[0-9a-f]{24}\b", file_id, example)
    (installed.folder / "talk.yaml").write_text(talk)

    [block] = commands(PAGE, "Use it with kubectl")
    apply, wait, get = session(block)
    assert installed.type(apply[0]) == apply[1]
    assert installed.type(wait[0]) == wait[1]
    here, there = (rows(printed)["talk"] for printed in (installed.type(get[0]), get[1]))
    assert here | {"AGE": ""} == there | {"AGE": ""}

    [job] = installed.release.objects("jobs", f"{names.LABEL_CONVERSION_UID}={uid(installed, 'talk')}")
    [worker] = job["spec"]["template"]["spec"]["containers"]
    assert {worker["image"]} == images(installed, "worker")


def uid(reader: Reader, name: str) -> str:
    found: str = reader.release.conversion(name)["metadata"]["uid"]
    return found
