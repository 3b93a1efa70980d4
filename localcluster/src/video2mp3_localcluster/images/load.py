"""The steps that bring built images into the containerd of the running cluster."""

from collections.abc import Sequence
from functools import partial

from video2mp3_localcluster.images.archives import archive_path
from video2mp3_localcluster.images.build import step_name
from video2mp3_localcluster.images.catalogue import IMAGES, Image
from video2mp3_localcluster.images.references import image_tags, runtime_name
from video2mp3_localcluster.node import node
from video2mp3_localcluster.node.image_loading import has_image, load_archive
from video2mp3_localcluster.steps.layout import NodeFiles
from video2mp3_localcluster.steps.steps import Step, StepLog


def load_steps(files: NodeFiles, images: Sequence[Image] = IMAGES, needs: tuple[str, ...] = ()) -> list[Step]:
    """Return a step per image that imports it into every node, after it was built and after `needs`.

    They follow each other, since each is bound by the disk.
    """
    tags = image_tags(tuple(images))
    steps: list[Step] = []
    for image in images:
        before = (steps[-1].name,) if steps else needs
        load = partial(_load, files, image, tags[image])
        steps.append(Step(f"load {image.name}", load, (*before, step_name(image))))
    return steps


def _load(files: NodeFiles, image: Image, tag: str, log: StepLog) -> None:
    missing = [each for each in node.running(files) if not has_image(log, each, runtime_name(image, tag))]
    for each in missing:
        load_archive(log, each, archive_path(image, tag))
    if not missing:
        log.note("there already")
