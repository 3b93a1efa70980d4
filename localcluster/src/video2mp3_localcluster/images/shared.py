"""The images `builder` and `runtime`, from which the Python ones start: built before the first that wants them.

They stay in the store: no cluster and no registry has them.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from video2mp3_localcluster.debian.base import base_key
from video2mp3_localcluster.debian.buildah import Buildah
from video2mp3_localcluster.images.archives import build_lock
from video2mp3_localcluster.images.catalogue import SHARED_FOLDER
from video2mp3_localcluster.steps.layout import content_key
from video2mp3_localcluster.steps.steps import StepLog

TARGETS: Final = {"BUILDER_IMAGE": "builder", "RUNTIME_IMAGE": "runtime"}
"""Build argument of the Dockerfiles that start from an image → the stage of the shared Dockerfile that it is."""


def shared_references(root: Path) -> dict[str, str]:
    """Return build argument → reference in the store, as the sources call for.

    Empty for those of a release from before there were shared images: its Dockerfiles start from the base.
    """
    folder = root / SHARED_FOLDER
    if not folder.is_dir():
        return {}
    key = content_key(base_key(), folder)
    return {argument: f"localhost/video2mp3/{target}:{key}" for argument, target in TARGETS.items()}


def build_shared(log: StepLog, store: Buildah, root: Path, arguments: Mapping[str, str]) -> dict[str, str]:
    """Build the shared images of a folder with sources, as far as they are not there yet, and return as above."""
    references, folder = shared_references(root), root / SHARED_FOLDER
    with build_lock("shared"):
        for argument, reference in references.items():
            if not store.exists(log, reference):
                store.build(log, reference, folder / "Dockerfile", folder, arguments, target=TARGETS[argument])
    return references
