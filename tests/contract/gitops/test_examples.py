"""Every example is one that the API server takes, with the kinds that Argo CD and Flux bring."""

import json
from pathlib import Path

import pytest

from tests.contract.gitops.tools import crd_files
from tests.integration.conftest import kubernetes_server
from tests.servers import KubernetesServer
from tests.servers.kubernetes import ServerError

__all__ = ["kubernetes_server"]
pytestmark = pytest.mark.timeout(900)  # the first run on a machine fetches the kinds
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
KUSTOMIZATION = "kustomization.yaml"
FILES = sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.yaml"))
NAMESPACES = ("video2mp3", "argocd", "flux-system")


@pytest.fixture(scope="module")
def api_server(kubernetes_server: KubernetesServer) -> KubernetesServer:
    """It knows the kinds and the namespaces that the examples name."""
    kubernetes_server.restore()
    kubernetes_server.add_kinds(*crd_files())
    for name in NAMESPACES:
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        kubernetes_server.kubectl("apply", "--server-side", "--filename=-", stdin=json.dumps(namespace))
    return kubernetes_server


@pytest.mark.parametrize("path", FILES)
def test_the_api_server_takes_it(path: str, api_server: KubernetesServer) -> None:
    file = EXAMPLES / path
    source = ("--kustomize", str(file.parent)) if file.name == KUSTOMIZATION else ("--filename", str(file))
    said = api_server.kubectl("apply", "--server-side", "--dry-run=server", *source)
    assert said.splitlines()
    assert all(line.endswith("serverside-applied (server dry run)") for line in said.splitlines())


@pytest.mark.parametrize("path", [path for path in FILES if Path(path).name != KUSTOMIZATION])
def test_the_api_server_refuses_it_with_a_misspelt_field(path: str, api_server: KubernetesServer) -> None:
    """So that to be taken means something."""
    misspelt = (EXAMPLES / path).read_text().replace("\nspec:\n", "\nspec:\n  misspelt: true\n")
    misspelt = misspelt.replace("\ndata:\n", "\nmisspelt: true\ndata:\n")
    with pytest.raises(ServerError, match="misspelt"):
        api_server.kubectl("apply", "--server-side", "--dry-run=server", "--filename=-", stdin=misspelt)
