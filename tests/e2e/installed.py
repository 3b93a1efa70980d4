"""The chart on the local cluster for as long as somebody tries it, in a namespace of its own."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.e2e.release import Release
from video2mp3_localcluster.demo.release import Release as Installation
from video2mp3_localcluster.demo.release import require_cluster
from video2mp3_localcluster.node import cluster
from video2mp3_localcluster.node.addresses import HOST_IP
from video2mp3_localcluster.steps.layout import NodeFiles, log_dir
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog

VALUES = Path(__file__).with_name("values.yaml")


@contextmanager
def installed(
    namespace: str,
    host: str,
    *others: str,
    values: Path = VALUES,
    earlier: bool = False,
    policies: Sequence[dict[str, Any]] = (),
) -> Iterator[Release]:
    """Install afresh; at the end all is removed, with what it stored. Raises StepFailed with the end of its log.

    The operator watches the release's namespace and the others, which are made and removed as well. `earlier` installs
    the release that lies in the archive instead. `policies` are network policies beside the chart's.
    """
    files = NodeFiles()
    require_cluster(files)
    url = cluster.ingress_url(files)
    installation = Installation(
        namespace, host, url, "first@example.com", values=(values,), watched=others, earlier=earlier
    )
    # The release's own last: its operator takes the finalizers off.
    places = [*(replace(installation, namespace=other) for other in others), installation]
    release = Release(files.programs / "kubectl", files.kubeconfig, namespace, installation.name, url, host)
    log = StepLog(log_dir() / f"{namespace}-install.log")
    try:
        for place in places:
            place.uninstall(log)
        for place in places:
            place.prepare_namespace(log)
        release.apply(access_of_tests(installation.name), *policies)
        installation.install(log)
    except StepFailed as failure:
        raise StepFailed(f"{failure}\n{log.tail()}") from failure
    try:
        yield release
    finally:
        if "mongodb" in vars(release):
            release.mongodb.close()
        for place in places:
            place.uninstall(log)
        log.close()


def access_of_tests(instance: str) -> dict[str, Any]:
    """A policy that lets the tests, which run outside of the cluster, look into MongoDB."""
    labels = {"app.kubernetes.io/instance": instance, "app.kubernetes.io/component": "mongodb"}
    ingress = {"from": [{"ipBlock": {"cidr": f"{HOST_IP}/32"}}], "ports": [{"port": 27017}]}
    spec = {"podSelector": {"matchLabels": labels}, "policyTypes": ["Ingress"], "ingress": [ingress]}
    metadata = {"name": "tests"}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": spec}
