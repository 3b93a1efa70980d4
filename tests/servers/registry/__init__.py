"""A registry of container images, go-containerregistry's own, which keeps what it gets in memory."""

import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from tests.made import made
from tests.servers.process import Server
from video2mp3_localcluster.programs.binaries import compiled_program
from video2mp3_localcluster.programs.golang import GoProgram

HERE = Path(__file__).parent
REQUEST_SECONDS = 5
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


def compiled_registry() -> Path:
    """The program, compiled by the first run on a machine."""
    program = GoProgram("registry", str(HERE), "github.com/google/go-containerregistry/cmd/registry")
    return made(program.name, compiled_program(program)) / program.name


class RegistryServer(Server):
    """Speaks HTTP without TLS, on the loopback address, and asks for no login."""

    name: ClassVar[str] = "registry"

    def prepare(self) -> None:
        """Have the program."""
        self._program = compiled_registry()

    @property
    def address(self) -> str:
        """How the names of its images begin."""
        return f"{self.host}:{self.port}"

    def command(self) -> Sequence[str]:
        """Return the argv."""
        return [str(self._program), f"-port={self.port}"]

    def answers(self) -> bool:
        """Ask for the version of its API."""
        try:
            self.get("", timeout=1)
        except OSError:
            return False
        return True

    def manifest(self, name: str, tag: str) -> tuple[bytes, Mapping[str, str]]:
        """What it has under a name, byte for byte, and the header fields that come with it."""
        return self.get(f"{name}/manifests/{tag}")

    def blob(self, name: str, digest: str) -> bytes:
        """A layer or a configuration."""
        return self.get(f"{name}/blobs/{digest}")[0]

    def get(self, path: str, timeout: float = REQUEST_SECONDS) -> tuple[bytes, Mapping[str, str]]:
        """Ask by the API of the OCI's distribution specification; raises OSError where the answer is none."""
        request = urllib.request.Request(f"http://{self.address}/v2/{path}", headers={"Accept": MANIFEST})
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.read(), answer.headers
