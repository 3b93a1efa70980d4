"""Brings container images into the cluster, from archives or from buildah's storage."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from video2mp3_localcluster.node import node
from video2mp3_localcluster.steps.layout import NodeFiles
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog
from video2mp3_localcluster.steps.steps import Step

_NAMESPACE = "k8s.io"
"""containerd's own namespace for what the kubelet may use."""


def load_archive(log: StepLog, files: NodeFiles, archive: Path) -> None:
    """Import the images of an archive in docker's or OCI's format into one node."""
    log.command([*_ctr(files), "images", "import", archive], timeout_seconds=600)


def has_image(log: StepLog, files: NodeFiles, name: str) -> bool:
    """Whether a node has an image of this name."""
    return bool(log.output([*_ctr(files), "images", "list", "--quiet", f"name=={name}"]).strip())


def _ctr(files: NodeFiles) -> list[str | Path]:
    return [files.programs / "ctr", "--address", files.containerd_socket, "--namespace", _NAMESPACE]


def load_image(log: StepLog, files: NodeFiles, image: str) -> None:
    """Import one image of buildah's storage, under its name there, into every node."""
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "image.tar"
        log.command(["buildah", "push", image, f"docker-archive:{archive}:{image}"], timeout_seconds=600)
        _load_everywhere(log, files, archive)


def load_steps(files: NodeFiles, names: Sequence[str]) -> list[Step]:
    """A step for each of the names: the path of an archive, or an image in buildah's storage. All nodes get it."""
    return [_load_step(files, name) for name in dict.fromkeys(names)]


def _load_step(files: NodeFiles, name: str) -> Step:
    path = Path(name)
    if path.is_file():
        return Step(f"Load {path.name}", lambda log: _load_everywhere(log, files, path.resolve()))
    if name.endswith((".tar", "/")) or name.startswith((".", "/")):
        raise StepFailed(f"{name}: there is no such file")
    return Step(f"Load {name}", lambda log: load_image(log, files, name))


def _load_everywhere(log: StepLog, files: NodeFiles, archive: Path) -> None:
    for each in node.running(files):
        load_archive(log, each, archive)
