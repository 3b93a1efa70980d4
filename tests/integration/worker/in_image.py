"""Runs a Python module of the tests in the worker's image: with its ffmpeg, its libraries and its Python. Needs root.

python -m tests.integration.worker.in_image MODULE [ARGUMENT ...]

The worker is the one that is installed in the image; of the tests only what needs no other package can run there.
"""

import json
import shlex
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from video2mp3_localcluster.images.archives import archive_path
from video2mp3_localcluster.images.catalogue import IMAGES
from video2mp3_localcluster.images.references import image_tags
from video2mp3_localcluster.steps.layout import repository_root

SECONDS = 1500
"""A limit, not a measure: the machine may be busy."""

_PATH = "/opt/venv/bin:/usr/local/bin:/usr/bin:/bin"


def run(module: str, *arguments: str, shared: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a module to its end; what it writes is kept. Raises FileNotFoundError where there is no image.

    `shared` is a folder that is there, too.
    """
    with unpacked() as root:
        variables = {"PYTHONPATH": str(repository_root()), "PYTHONDONTWRITEBYTECODE": "1"}
        folders = [repository_root(), *([shared] if shared else [])]
        command = inside(root, ["python3", "-m", module, *arguments], variables, folders)
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)


@contextmanager
def unpacked(name: str = "worker") -> Iterator[Path]:
    """An image's files, in a folder that is removed afterwards."""
    image = next(image for image in IMAGES if image.name == name)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root")
        _unpack(archive_path(image, image_tags()[image]), root)
        yield root


def inside(root: Path, command: Sequence[str], variables: Mapping[str, str], folders: Sequence[Path]) -> list[str]:
    """The argv that runs a command in the image's files, with no other variables; `folders` are there by their names.

    All mounts are in a namespace that ends with the command.
    """
    mounts = [["mount", "-t", "proc", "proc", f"{root}/proc"], ["mount", "--bind", "/dev", f"{root}/dev"]]
    for folder in folders:
        place = f"{root}{folder}"
        mounts += [["mkdir", "-p", place], ["mount", "--bind", str(folder), place]]
    given = [f"{name}={value}" for name, value in {**variables, "PATH": _PATH, "HOME": "/tmp"}.items()]
    chroot = ["exec", "chroot", str(root), "/usr/bin/env", "-i", "--chdir=/tmp", *given, *command]
    script = " && ".join(shlex.join(words) for words in [*mounts, chroot])
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]


def _unpack(archive: Path, root: Path) -> None:
    with tarfile.open(archive) as image:
        [about] = json.loads(image.extractfile("manifest.json").read())  # type: ignore[union-attr]
        for layer in about["Layers"]:
            with tarfile.open(fileobj=image.extractfile(layer)) as files:
                files.extractall(root, filter="tar")
    for mounted in ("proc", "dev"):
        Path(root, mounted).mkdir(exist_ok=True)


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments name; its output and exit code are ours."""
    done = run(*arguments)
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
