"""A real API server with RBAC on loopback: etcd and kube-apiserver, and nothing that would run a pod.

The certificates and flags are the local cluster's; only addresses, ports and folders differ.
"""

import json
import secrets
import subprocess
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from ssl import create_default_context
from typing import ClassVar

from tests.servers.process import HOST, REPOSITORY, Server, ServerError, await_condition, free_port
from video2mp3_localcluster.node.components import component_commands
from video2mp3_localcluster.node.configuration import build_kubeconfig
from video2mp3_localcluster.node.pki import create_pki
from video2mp3_localcluster.programs.binaries import wheel_program
from video2mp3_localcluster.steps.layout import NodeFiles, cache_dir

CRDS = REPOSITORY / "crds"
_KUBECTL_SECONDS = 60


def with_flags(arguments: Sequence[str], flags: Mapping[str, str]) -> list[str]:
    """Return the arguments with the values of some flags (`--name=value`) replaced; each must be there."""
    replaced = [*arguments]
    for name, value in flags.items():
        [position] = [index for index, word in enumerate(arguments) if word.startswith(f"--{name}=")]
        replaced[position] = f"--{name}={value}"
    return replaced


class Component(Server):
    """One of the cluster's programs, with the flags it has there, in a folder that it is given."""

    component: ClassVar[str]

    @property
    def files(self) -> NodeFiles:
        """Where its certificates and configuration are."""
        raise NotImplementedError

    def flags(self) -> dict[str, str]:
        """Return the values of the flags that differ from the cluster's."""
        raise NotImplementedError

    def command(self) -> Sequence[str]:
        """Return the cluster's command line with the test's flags."""
        program = cache_dir() / "bin" / self.component
        if not program.exists():
            raise ServerError(f"{self.component} is not built: run `localcluster build`")
        [found] = [command for command in component_commands(self.files) if command.name == self.component]
        return [str(program), *with_flags(found.arguments[1:], self.flags())]


class Etcd(Component):
    """The API server's database."""

    name: ClassVar[str] = "etcd"
    component: ClassVar[str] = "etcd"

    def __init__(self, files: NodeFiles) -> None:
        super().__init__()
        self._files = files
        self.peer_port = free_port()

    @property
    def files(self) -> NodeFiles:
        return self._files

    @property
    def url(self) -> str:
        return f"https://{self.host}:{self.port}"

    def flags(self) -> dict[str, str]:
        peers = f"http://{self.host}:{self.peer_port}"
        return {
            "listen-client-urls": self.url,
            "advertise-client-urls": self.url,
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
            "initial-cluster": f"video2mp3={peers}",
        }

    def answers(self) -> bool:
        context = create_default_context(cafile=self._files.pki / "etcd-ca.crt")
        context.load_cert_chain(self._files.pki / "apiserver-etcd.crt", self._files.pki / "apiserver-etcd.key")
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=1, context=context) as response:
                return bool(json.load(response)["health"] == "true")
        except OSError:
            return False


class KubernetesServer(Component):
    """The API server with the Conversion's CRD; stopping, killing and pausing it leaves its etcd alone."""

    name: ClassVar[str] = "kubernetes"
    component: ClassVar[str] = "kube-apiserver"

    def __init__(self) -> None:
        super().__init__()
        self._files: NodeFiles | None = None
        self._etcd: Etcd | None = None

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"https://{self.host}:{self.port}"

    @property
    def files(self) -> NodeFiles:
        """The cluster's files, also for other components that are started beside it."""
        if self._files is None:
            raise ServerError("the API server is used outside of its with block")
        return self._files

    @property
    def etcd(self) -> Etcd:
        """Its database."""
        if self._etcd is None:
            raise ServerError("the API server is used outside of its with block")
        return self._etcd

    @property
    def ca_file(self) -> Path:
        """The certificate that clients must trust."""
        return self.files.pki / "ca.crt"

    @property
    def certificate(self) -> tuple[Path, Path]:
        """The server's own certificate and its key, for who stands in its place."""
        return self._files.pki / "apiserver.crt", self._files.pki / "apiserver.key"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.files.kubeconfig

    def prepare(self) -> None:
        """Make the certificates and start etcd."""
        self._files = NodeFiles(state=self.directory / "state", run=self.directory / "run")
        create_pki(self.files.pki)
        self.write_kubeconfig("admin", self.kubeconfig)
        self._etcd = Etcd(self.files)
        self._etcd.__enter__()

    def cleanup(self) -> None:
        """End etcd."""
        if self._etcd is not None:
            self._etcd.__exit__()

    def flags(self) -> dict[str, str]:
        """Return what differs from the cluster's API server."""
        return {
            "bind-address": HOST,
            "advertise-address": HOST,
            "secure-port": str(self.port),
            "etcd-servers": self.etcd.url,
        }

    def answers(self) -> bool:
        """Ask whether it is ready, as the administrator."""
        context = create_default_context(cafile=self.ca_file)
        context.load_cert_chain(self.files.pki / "admin.crt", self.files.pki / "admin.key")
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=1, context=context) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def initialise(self) -> None:
        """Create the CRD."""
        self.add_kinds(CRDS)

    def add_kinds(self, *paths: Path) -> None:
        """Create CRDs, from files or folders, and wait until the API serves them."""
        for path in paths:
            self.kubectl("apply", "--server-side", "--filename", str(path))
        await_condition(self._serves_crds, seconds=30, what="the API did not serve the CRDs")

    def write_kubeconfig(self, identity: str, file: Path) -> None:
        """Write how one component reaches this server, with the certificate of its own."""
        configuration = build_kubeconfig(self.files, identity)
        configuration["clusters"][0]["cluster"]["server"] = self.url
        file.write_text(json.dumps(configuration))

    def _serves_crds(self) -> bool:
        # `kubectl wait` and jsonpath filters give up on a CRD that has no conditions yet.
        crds = json.loads(self.kubectl("get", "customresourcedefinitions", "--output", "json"))["items"]
        return all(
            {"Established": "True"}.items() <= {each["type"]: each["status"] for each in conditions}.items()
            for conditions in ((crd.get("status") or {}).get("conditions") or [] for crd in crds)
        )

    def kubectl(self, *arguments: str, stdin: str | None = None) -> str:
        """Run kubectl as the administrator and return what it printed; raise `ServerError` with what it complained."""
        command = [str(wheel_program("kubectl")), "--kubeconfig", str(self.kubeconfig), *arguments]
        done = subprocess.run(
            command, input=stdin, capture_output=True, text=True, timeout=_KUBECTL_SECONDS, check=False
        )
        if done.returncode != 0:
            raise ServerError(f"kubectl {' '.join(arguments)} failed: {done.stderr}")
        return done.stdout

    def new_namespace(self) -> str:
        """Create a namespace for one test: without a controller manager none can be emptied or deleted."""
        name = f"test-{secrets.token_hex(4)}"
        self.kubectl("create", "namespace", name)
        return name
