"""The kinds of Argo CD, Flux and the Gateway API, from their own Go modules, whose content is checked by its digest."""

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.made import log_of
from video2mp3_localcluster.programs.golang import toolchain
from video2mp3_localcluster.steps.step_log import StepLog


@dataclass(frozen=True)
class Tool:
    """A module and the files in it that define kinds."""

    module: str
    version: str
    digest: str
    """Of the module's content, as go.sum writes it."""

    crds: str
    """A pattern of paths."""


TOOLS = (
    Tool(
        "github.com/argoproj/argo-cd/v3",
        "v3.4.0",
        "h1:yZwfaOIzE/aQTA52mOfeZQbribmyxKYvMgirQja4eX0=",
        "manifests/crds/application-crd.yaml",
    ),
    Tool(
        "github.com/fluxcd/source-controller",
        "v1.7.0",
        "h1:/fBgS4CSmT5Jj/fjQDF92y+pC3gst1GJjgNSzY8Ff9I=",
        "config/crd/bases/*_gitrepositories.yaml",
    ),
    Tool(
        "github.com/fluxcd/helm-controller",
        "v1.4.0",
        "h1:rkm8rmB6Na7eNc4pJOnvtXEaJ19iKluRtayHKjBxcUM=",
        "config/crd/bases/*_helmreleases.yaml",
    ),
    Tool(
        "github.com/fluxcd/kustomize-controller",
        "v1.7.3",
        "h1:SzNnGn/4ObAPEHHleM5U7y/AKxKXph3Vj6ZhteeXw8M=",
        "config/crd/bases/*_kustomizations.yaml",
    ),
)

GATEWAY_API = Tool(
    "sigs.k8s.io/gateway-api",
    "v1.6.3",
    "h1:lKpJa5bGlraC/QeACvCpsHLdmO6y0iKfzVl6gzaFEYc=",
    "config/crd/standard/gateway.networking.k8s.io_[!v]*.yaml",
)
"""Of the version that Traefik is made with; all kinds but a policy against older ones."""


def gateway_api_files() -> list[Path]:
    """Where the Gateway API's kinds are on this machine."""
    with log_of("gateway-api-kinds") as log:
        return files_of(log, toolchain(log), GATEWAY_API)


def crd_files() -> list[Path]:
    """Where they are on this machine, which the first run brings them to."""
    with log_of("gitops-kinds") as log:
        go = toolchain(log)
        return [path for tool in TOOLS for path in files_of(log, go, tool)]


def files_of(log: StepLog, go: Path, tool: Tool) -> list[Path]:
    """The files of one tool, on this machine."""
    with tempfile.TemporaryDirectory() as nowhere:
        # Outside of any module only what is named is fetched, and nothing that it is built with.
        said = log.output(
            [go, "mod", "download", "-json", f"{tool.module}@{tool.version}"],
            cwd=Path(nowhere),
            env={"GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"},
            timeout_seconds=600,
        )
    found = json.loads(said)
    assert found["Sum"] == tool.digest, tool.module
    files = sorted(Path(found["Dir"]).glob(tool.crds))
    assert files, tool.module
    return files
