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
    named,
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


def build_steps(images: Sequence[Image] = IMAGES, foreign: str = "") -> list[Step]:
    """Return the steps that install the tools, make the base and build the images, as far as anything is missing.

    `foreign` is another processor than this machine's; the kernel then has an emulator for it.
    """
    tags = image_tags(tuple(images))
    missing = [image for image in images if not archive_path(image, tags[image], foreign).exists()]
    steps = [_step(image, tags[image], (), foreign) for image in images if image not in missing]
    base = named(BASE_STEP, foreign)
    if missing:
        steps.append(tools_step())
        steps.append(Step(base, partial(_build_base, foreign), needs=(TOOLS_STEP,)))
    # The first image makes the layers that the others share; after it they follow each other in lanes.
    for position, image in enumerate(missing):
        before = step_name(missing[max(0, position - LANES)], foreign) if position else base
        steps.append(_step(image, tags[image], (before,), foreign))
    return steps


def tools_step() -> Step:
    """Return the step that installs what images are built and pushed with."""
    return Step(TOOLS_STEP, lambda log: install_packages(log, TOOLS))


def step_name(image: Image, foreign: str = "") -> str:
    """Return the name of the step that builds an image, for steps that need it."""
    return f"image {named(image.name, foreign)}"


def _step(image: Image, tag: str, needs: tuple[str, ...], foreign: str) -> Step:
    return Step(step_name(image, foreign), partial(_build_image, image, tag, foreign), needs)


def image_store(foreign: str = "") -> Buildah:
    """Return the store that all images for a processor are built in."""
    return Buildah(images_folder() / named("buildah", foreign), foreign)


def _build_base(foreign: str, log: StepLog) -> None:
    store, mirrors = image_store(foreign), host_mirrors(log)
    write_mount(mirrors, SUITE, store.mount)
    with build_lock(named("base", foreign)):
        store.tidy(log, {base_reference(), *shared_references(repository_root()).values(), *_names(foreign)})
        build_base(log, store, mirrors)


def _names(foreign: str) -> set[str]:
    """The names of the images that are wanted now, and of those whose archives are kept.

    With an image goes every layer that no other has, so without the last one the next would be all new.
    """
    wanted = image_tags(IMAGES + EARLIER)
    return {
        runtime_name(image, each) for image, tag in wanted.items() for each in (tag, *archived_tags(image, foreign))
    }


def _build_image(image: Image, tag: str, foreign: str, log: StepLog) -> None:
    archive = archive_path(image, tag, foreign)
    with build_lock(named(image.name, foreign)):
        if archive.exists():
            mark_used(archive)
            log.note(f"{size_remark(archive)}, cached")
            return
        store, root, trees = image_store(foreign), _sources(image, log), _made_trees(image, log)
        arguments = {"BASE_IMAGE": base_reference(), **BUILD_ARGUMENTS}
        with store.in_use():
            if image.on_python:
                arguments |= build_shared(log, store, root, arguments)
            store.build(log, runtime_name(image, tag), root / image.dockerfile, root / image.context, arguments, trees)
            store.save(log, runtime_name(image, tag), archive)
        remove_old_archives(image, tag, foreign)
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
