"""Nothing hangs where a release was: docs/operations.md has the commands that end what `helm uninstall` keeps."""

import json
import os
import subprocess
from pathlib import Path

from tests.commands_of_a_page import OPERATIONS, commands
from tests.contract.chart.helm import Chart
from tests.integration.conftest import kubernetes_server
from tests.servers import KubernetesServer
from video2mp3_contracts.api import names
from video2mp3_localcluster.programs.binaries import wheel_program
from video2mp3_operator.leadership.record import leader_name
from video2mp3_operator.telemetry.heartbeat import heartbeat_name

__all__ = ["kubernetes_server"]

LEFT = "conversions,roles,rolebindings,leases"
LEASES = [
    {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}}
    for name in (heartbeat_name("video2mp3"), leader_name("video2mp3"))
]
SPEC = {"source": {"gridfs": {"fileId": "0123456789abcdef01234567"}}}


def a_conversion(name: str) -> dict[str, object]:
    metadata = {"name": name, "finalizers": [names.FINALIZER]}
    return {"apiVersion": names.API_VERSION, "kind": names.KIND, "metadata": metadata, "spec": SPEC}


def left(server: KubernetesServer, *namespaces: str) -> list[str]:
    return [
        found
        for namespace in namespaces
        for found in server.kubectl("get", LEFT, "--namespace", namespace, "--output", "name").split()
    ]


def type_page(chart: Chart, server: KubernetesServer, home: str, other: str) -> str:
    """Without the last line: these namespaces have no controller that would let them go."""
    script, last = commands(OPERATIONS.read_text(), "Remove everything")[0].rstrip().rsplit("\n", 1)
    assert last == "kubectl delete namespace video2mp3"
    script = script.replace("namespace video2mp3", f"namespace {home}").replace('="video2mp3"', f'="{home} {other}"')
    programs = f"{chart.helm.parent}:{Path(wheel_program('kubectl')).parent}"
    environment = os.environ | {"KUBECONFIG": str(server.kubeconfig), "PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["dash", "-eux", "-s"], input=script, capture_output=True, text=True, timeout=120, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_that_is_kept_is_removed_by_the_book_though_the_operator_is_gone(
    chart: Chart, kubernetes_server: KubernetesServer
) -> None:
    server, home, other = kubernetes_server, kubernetes_server.new_namespace(), kubernetes_server.new_namespace()
    watching = {"admissionPolicy": {"warnUnwatched": False}, "operator": {"watchNamespaces": [home, other]}}
    chart.install(watching, "--namespace", home, f"--kubeconfig={server.kubeconfig}")
    for namespace in (home, other):
        for document in (a_conversion("talk"), a_conversion("panel"), *LEASES):
            server.kubectl("create", "--namespace", namespace, "--filename=-", stdin=json.dumps(document))
    server.kubectl("delete", "conversion/talk", "--namespace", home, "--wait=false")
    assert len(left(server, home, other)) > 8

    assert type_page(chart, server, home, other).count(" patched\n") == 4
    assert left(server, home, other) == []
    # There is nothing to remove any more, and no release.
    assert "patched" not in type_page(chart, server, home, other)


def test_the_page_names_what_is_kept(chart: Chart) -> None:
    page = OPERATIONS.read_text().partition("\n## Uninstall\n")[2]
    kept = [
        document
        for document in chart.render().documents
        if document["metadata"].get("annotations", {}).get("helm.sh/resource-policy") == "keep"
    ]
    volumes = [f"data-{document['metadata']['name']}-0" for document in chart.render().of_kind("StatefulSet")]
    assert len(kept) > 3
    assert [each["metadata"]["name"] for each in kept if each["metadata"]["name"] not in page] == []
    assert len(volumes) == 3
    assert [volume for volume in volumes if volume not in page] == []
    assert heartbeat_name("video2mp3") in page
    assert leader_name("video2mp3") in page
