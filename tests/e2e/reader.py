"""Somebody who follows the README, and the registry that they push to."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.release import Release
from tests.e2e.shell import type_in
from tests.servers.registry import RegistryServer
from video2mp3_localcluster.demo import mail_server
from video2mp3_localcluster.demo.release import VALUES
from video2mp3_localcluster.images.catalogue import STAND_INS
from video2mp3_localcluster.images.references import chart_values
from video2mp3_localcluster.node import node
from video2mp3_localcluster.steps.layout import NodeFiles, repository_root

ELSE = "else.yaml"


class NodesRegistry(RegistryServer):
    """On the first node's own loopback address, which containerd fetches from without TLS and nobody else reaches."""

    def __init__(self, files: NodeFiles) -> None:
        super().__init__()
        self._files = files
        self.inside = ("nsenter", f"--net={node.network(files)}")
        """What takes a command to where the registry is."""

    def command(self) -> Sequence[str]:
        """Return the argv."""
        return [*self.inside, *super().command()]

    def answers(self) -> bool:
        """Ask for the version of its API."""
        asked = ["curl", "--silent", "--fail", "--max-time", "1", f"http://{self.address}/v2/"]
        return subprocess.run([*self.inside, *asked], capture_output=True, timeout=30, check=False).returncode == 0

    def forget(self) -> None:
        """Remove the images that the node has fetched from here: they are in its way for nothing."""
        ctr = (str(self._files.programs / "ctr"), f"--address={self._files.containerd_socket}", "--namespace=k8s.io")
        images = [*ctr, "images"]
        listed = subprocess.run([*images, "list", "--quiet"], capture_output=True, text=True, timeout=60, check=True)
        if fetched := [name for name in listed.stdout.split() if name.startswith(f"{self.address}/")]:
            subprocess.run([*images, "remove", *fetched], capture_output=True, timeout=120, check=True)


@dataclass(frozen=True)
class Reader:
    """Somebody at a shell in a checkout, who types their own names where the page has others, and all else as it is."""

    release: Release
    registry: NodesRegistry
    folder: Path

    def settle(self) -> None:
        """Have the checkout, the values that this cluster needs, and the name of its ingress controller."""
        for entry in repository_root().iterdir():
            (self.folder / entry.name).symlink_to(entry)
        (self.folder / ELSE).write_text(yaml.safe_dump(what_is_else_here()))
        ingress = self.release.url.removeprefix("http://")
        settings = ("fail-with-body", "max-time = 120", f'connect-to = "{self.release.host}:80:{ingress}"')
        (self.folder / ".curlrc").write_text("\n".join(settings))

    def type(self, script: str) -> str:
        """Type commands of the page."""
        return type_in(self.release, self.folder, self._in_own_words(script), CURL_HOME=str(self.folder))

    def push(self, script: str) -> str:
        """Type them where the registry is, which speaks plain HTTP."""
        return type_in(self.release, self.folder, self._in_own_words(script), inside=self.registry.inside, INSECURE="1")

    def _in_own_words(self, script: str) -> str:
        for word, own in {
            "registry.example.com": self.registry.address,
            "smtp.example.com": mail_server.NAME,
            "mp3.example.com": self.release.host,
            "http://HOST": f"http://{self.release.host}",
            "namespace video2mp3": f"namespace {self.release.namespace}",
            "helm install video2mp3 charts/video2mp3": f"helm install video2mp3 charts/video2mp3 --values {ELSE}",
        }.items():
            script = script.replace(word, own)
        return script


def what_is_else_here() -> dict[str, Any]:
    """The small pods and the mail server's login of this cluster, and its stand-ins for others' images.

    It has another release, which brings the definition of a Conversion, and does not watch this one's namespace.
    """
    stand_ins = {image.name for image in STAND_INS if image.in_chart}
    images = {name: image for name, image in chart_values()["images"].items() if name in stand_ins}
    small: dict[str, Any] = yaml.safe_load((repository_root() / VALUES).read_text())
    beside = {
        "crds": {"install": False},
        "rbac": {"aggregateRoles": False},
        "classes": {"install": False},
        "admissionPolicy": {"warnUnwatched": False},
    }
    return small | beside | {"images": images}
