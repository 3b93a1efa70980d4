"""One release of the chart for all end-to-end tests, in a namespace of its own on the local cluster."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import media
from tests.e2e.public_web import PublicWeb
from tests.e2e.release import Account, Release
from video2mp3_localcluster import cluster
from video2mp3_localcluster.addresses import HOST_IP
from video2mp3_localcluster.layout import NodeFiles, log_dir
from video2mp3_localcluster.release import Release as Installation
from video2mp3_localcluster.release import require_cluster
from video2mp3_localcluster.step_log import StepFailed, StepLog

VALUES = Path(__file__).with_name("values.yaml")
NAMESPACE = "video2mp3-e2e"
TENANT_NAMESPACE = "video2mp3-e2e-tenant"
"""Watched as well, and edited by somebody who does not run the release."""

HOST = "e2e.video2mp3.test"
LONG_SECONDS = 45 * 60
"""Of media: workers are busy with it for many seconds."""


@pytest.fixture(scope="session")
def release() -> Iterator[Release]:
    """The chart, freshly installed; it is removed with everything it stored when the tests are over."""
    files = NodeFiles()
    require_cluster(files)
    url = cluster.ingress_url(files)
    installation = Installation(NAMESPACE, HOST, url, "first@example.com", values=(VALUES,))
    theirs = replace(installation, namespace=TENANT_NAMESPACE)
    log = StepLog(log_dir() / "e2e-install.log")
    try:
        theirs.uninstall(log)
        installation.uninstall(log)
        theirs.prepare_namespace(log)
        installation.install(log)
    except StepFailed as failure:
        pytest.fail(f"{failure}\n{log.tail()}", pytrace=False)
    release = Release(files.programs / "kubectl", files.kubeconfig, NAMESPACE, installation.name, url, HOST)
    release.apply(access_of_tests(installation.name))
    yield release
    release.mongodb.close()
    theirs.uninstall(log)
    installation.uninstall(log)
    log.close()


def access_of_tests(instance: str) -> dict[str, Any]:
    """A policy that lets the tests, which run outside of the cluster, look into MongoDB."""
    labels = {"app.kubernetes.io/instance": instance, "app.kubernetes.io/component": "mongodb"}
    ingress = {"from": [{"ipBlock": {"cidr": f"{HOST_IP}/32"}}], "ports": [{"port": 27017}]}
    spec = {"podSelector": {"matchLabels": labels}, "policyTypes": ["Ingress"], "ingress": [ingress]}
    metadata = {"name": "tests"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}


@pytest.fixture
def account(release: Release) -> Account:
    """Somebody who is new."""
    return release.create_account()


@pytest.fixture
def other(release: Release) -> Account:
    """Somebody else who is new."""
    return release.create_account()


@pytest.fixture(scope="session")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video whose conversion can be interrupted."""
    return media.make_long_video(tmp_path_factory.mktemp("media") / "long.mp4", LONG_SECONDS)


@pytest.fixture(scope="session")
def web(release: Release) -> Iterator[PublicWeb]:
    """A web server that workers may fetch from."""
    with PublicWeb(release) as web:
        yield web
