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
from collections.abc import Sequence
from pathlib import Path

from video2mp3_localcluster.images.archives import archive_path
from video2mp3_localcluster.images.catalogue import IMAGES, repository_root
from video2mp3_localcluster.images.references import image_tags

SECONDS = 1500
"""A limit, not a measure: the machine may be busy."""

_SCRIPT = (
    "mount -t proc proc {root}/proc && mount --bind /dev {root}/dev"
    " && mount --bind {repository} {root}/tests && mount --bind {shared} {root}/mnt"
    " && exec chroot {root} /usr/bin/env -i --chdir=/tests PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin HOME=/tmp"
    " PYTHONPATH=/tests PYTHONDONTWRITEBYTECODE=1 python3 -m {command}"
)


def run(module: str, *arguments: str, shared: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a module to its end; what it writes is kept. Raises FileNotFoundError where there is no image.

    `shared` is a folder that is there as /mnt.
    """
    image = next(image for image in IMAGES if image.name == "worker")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "root")
        _unpack(archive_path(image, image_tags()[image]), root)
        for mounted in ("proc", "dev", "tests"):
            Path(root, mounted).mkdir(exist_ok=True)
        places = {"root": root, "repository": repository_root(), "shared": shared or root / "mnt"}
        quoted = {name: shlex.quote(str(place)) for name, place in places.items()}
        script = _SCRIPT.format(**quoted, command=shlex.join([module, *arguments]))
        # All mounts are in a namespace that ends with the command.
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)


def _unpack(archive: Path, root: Path) -> None:
    with tarfile.open(archive) as image:
        [about] = json.loads(image.extractfile("manifest.json").read())  # type: ignore[union-attr]
        for layer in about["Layers"]:
            with tarfile.open(fileobj=image.extractfile(layer)) as files:
                files.extractall(root, filter="tar")


def main(arguments: Sequence[str]) -> int:
    """Run what the arguments name; its output and exit code are ours."""
    done = run(*arguments)
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
