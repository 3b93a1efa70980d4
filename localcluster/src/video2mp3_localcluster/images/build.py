"""The steps that build images, each only if it is not there yet."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from video2mp3_localcluster.debian.base import SUITE, base_reference, build_base
from video2mp3_localcluster.debian.buildah import Buildah
from video2mp3_localcluster.debian.mirrors import BUILD_ARGUMENTS, host_mirrors, write_mount
from video2mp3_localcluster.images.archives import (
    archive_path,
    archived_tags,
    build_lock,
    images_folder,
    mark_used,
    remove_old_archives,
    size_remark,
)
from video2mp3_localcluster.images.catalogue import EARLIER, IMAGES, Image
from video2mp3_localcluster.images.references import image_tags, runtime_name
from video2mp3_localcluster.images.shared import build_shared, shared_references
from video2mp3_localcluster.steps.layout import repository_root
from video2mp3_localcluster.steps.packages import install_packages
from video2mp3_localcluster.steps.steps import Step, StepLog

TOOLS = ("buildah", "ca-certificates", "mmdebstrap")
TOOLS_STEP = "image tools"
BASE_STEP = "image base"
LANES = 2
"""Builds at a time: each is one core's work for most of its time."""


def build_steps(images: Sequence[Image] = IMAGES) -> list[Step]:
    """Return the steps that install the tools, make the base and build the images, as far as anything is missing."""
    tags = image_tags(tuple(images))
    missing = [image for image in images if not archive_path(image, tags[image]).exists()]
    steps = [_step(image, tags[image], needs=()) for image in images if image not in missing]
    if missing:
        steps.append(tools_step())
        steps.append(Step(BASE_STEP, _build_base, needs=(TOOLS_STEP,)))
    # The first image makes the layers that the others share; after it they follow each other in lanes.
    for position, image in enumerate(missing):
        before = step_name(missing[max(0, position - LANES)]) if position else BASE_STEP
        steps.append(_step(image, tags[image], needs=(before,)))
    return steps


def tools_step() -> Step:
    """Return the step that installs what images are built and pushed with."""
    return Step(TOOLS_STEP, lambda log: install_packages(log, TOOLS))


def step_name(image: Image) -> str:
    """Return the name of the step that builds an image, for steps that need it."""
    return f"image {image.name}"


def _step(image: Image, tag: str, needs: tuple[str, ...]) -> Step:
    return Step(step_name(image), partial(_build_image, image, tag), needs)


def image_store() -> Buildah:
    """Return the store that all images are built in."""
    return Buildah(images_folder() / "buildah")


def _build_base(log: StepLog) -> None:
    store, mirrors = image_store(), host_mirrors(log)
    write_mount(mirrors, SUITE, store.mount)
    with build_lock("base"):
        store.tidy(log, {base_reference(), *shared_references(repository_root()).values(), *_names()})
        build_base(log, store, mirrors)


def _names() -> set[str]:
    """The names of the images that are wanted now, and of those whose archives are kept.

    With an image goes every layer that no other has, so without the last one the next would be all new.
    """
    wanted = image_tags(IMAGES + EARLIER)
    return {runtime_name(image, each) for image, tag in wanted.items() for each in (tag, *archived_tags(image))}


def _build_image(image: Image, tag: str, log: StepLog) -> None:
    archive = archive_path(image, tag)
    with build_lock(image.name):
        if archive.exists():
            mark_used(archive)
            log.note(f"{size_remark(archive)}, cached")
            return
        store, root, trees = image_store(), _sources(image, log), _made_trees(image, log)
        arguments = {"BASE_IMAGE": base_reference(), **BUILD_ARGUMENTS}
        with store.in_use():
            if image.on_python:
                arguments |= build_shared(log, store, root, arguments)
            store.build(log, runtime_name(image, tag), root / image.dockerfile, root / image.context, arguments, trees)
            store.save(log, runtime_name(image, tag), archive)
        remove_old_archives(image, tag)
        log.note(size_remark(archive))


def _sources(image: Image, log: StepLog) -> Path:
    if image.sources is None:
        return repository_root()
    image.sources.make(log)
    return image.sources.folder


def _made_trees(image: Image, log: StepLog) -> dict[str, Path]:
    if image.tree is None:
        return {}
    image.tree.make(log)
    return {image.name: image.tree.folder}
