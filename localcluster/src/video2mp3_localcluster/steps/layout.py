"""Where the local cluster keeps its files.

There are two places, with different lifetimes:

* the *cache* belongs to the user, outlives ``down`` and holds what is slow to make (binaries, image archives), each in
  a folder whose name changes with everything it was made from, so that it is never stale;
* the *state* belongs to the machine, not to a checkout: any checkout finds, takes over or replaces a cluster that
  another one left running. ``down`` removes it whole.
"""

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

NAME = "video2mp3-localcluster"

STATE_DIR = Path("/var/lib") / NAME
"""Everything of the running cluster that survives a restart of the machine (etcd, images, certificates, logs)."""

RUN_DIR = Path("/run") / NAME
"""Sockets and what else dies with the machine's kernel."""

KUBECONFIG = STATE_DIR / "kubeconfig"
"""The administrator's kubeconfig (mode 0600), at the same path for every checkout."""

CONTAINERD_SOCKET = RUN_DIR / "containerd.sock"

_SECOND = "second"


def repository_root() -> Path:
    """The checkout that this package is installed from (editable); images are built from its files."""
    return Path(__file__).resolve().parents[4]


def cache_dir() -> Path:
    """The user's build cache: ``$XDG_CACHE_HOME/video2mp3``, by default ``~/.cache/video2mp3``; created if missing."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The XDG base directory specification says that a relative path is to be ignored.
    root = Path(base) if base.startswith("/") else Path.home() / ".cache"
    path = root / "video2mp3"
    path.mkdir(parents=True, exist_ok=True)
    return path


def log_dir() -> Path:
    """Where each step of a command leaves its log (kept after ``down``, overwritten by the next run)."""
    path = cache_dir() / "logs"
    path.mkdir(exist_ok=True)
    return path


def content_key(*parts: str | bytes | Path) -> str:
    """A short hexadecimal key of everything an artefact is made from.

    A string or bytes counts by its content, a file by its name and content, a folder by all files below it. Parts are
    framed by their length, so that moving a boundary between two parts changes the key.
    """
    digest = hashlib.sha256()
    for chunk in _chunks(parts):
        digest.update(len(chunk).to_bytes(8, "big"))
        digest.update(chunk)
    return digest.hexdigest()[:16]


def _chunks(parts: Iterable[str | bytes | Path]) -> Iterable[bytes]:
    for part in parts:
        if isinstance(part, Path):
            yield from _path_chunks(part)
        else:
            yield part.encode() if isinstance(part, str) else part


def _path_chunks(path: Path) -> Iterable[bytes]:
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    for file in files:
        yield str(file.relative_to(path if path.is_dir() else path.parent)).encode()
        yield file.read_bytes()


@dataclass(frozen=True)
class NodeFiles:
    """A node's files: ``state`` is :data:`STATE_DIR` and ``run`` is :data:`RUN_DIR`, except in tests.

    Those of the second node are in folders of the first one's, whose programs and certificates it shares.
    """

    state: Path = STATE_DIR
    run: Path = RUN_DIR
    of_first: "NodeFiles | None" = None
    """The first node's, for the second one."""

    @property
    def second(self) -> "NodeFiles":
        """The second node's."""
        return NodeFiles(self.state / _SECOND, self.run / _SECOND, self)

    @property
    def first(self) -> "NodeFiles":
        """The first node's, which may be these."""
        return self.of_first or self

    @property
    def cgroup(self) -> Path:
        """The node's group, below the root of each hierarchy."""
        return Path(NAME, _SECOND) if self.of_first else Path(NAME)

    @property
    def programs(self) -> Path:
        """Copies of the cluster's programs, so that neither checkout nor cache need stay."""
        return self.first.state / "bin"

    @property
    def pki(self) -> Path:
        """Certificates and keys."""
        return self.first.state / "pki"

    @property
    def configuration(self) -> Path:
        """The components' configuration files."""
        return self.state / "config"

    @property
    def logs(self) -> Path:
        """One log per component."""
        return self.state / "logs"

    @property
    def volumes(self) -> Path:
        """The folders of the PersistentVolumes."""
        return self.state / "volumes"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.first.state / "kubeconfig"

    @property
    def containerd_socket(self) -> Path:
        """Where containerd listens."""
        return self.run / "containerd.sock"

    @property
    def instructions(self) -> Path:
        """What the supervisor is told to run."""
        return self.state / "node.json"

    @property
    def supervisor(self) -> Path:
        """The supervisor's own copy of its program."""
        return self.state / "supervisor.py"

    @property
    def pid(self) -> Path:
        """The pid of the process that holds the node's namespaces."""
        return self.run / "node.pid"

    @property
    def report(self) -> Path:
        """What the supervisor says about the components."""
        return self.run / "components.json"
