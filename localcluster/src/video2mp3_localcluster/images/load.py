"""The steps that bring built images into the containerd of the running cluster."""

from collections.abc import Sequence
from functools import partial

from video2mp3_localcluster.images.archives import archive_path
from video2mp3_localcluster.images.build import step_name
from video2mp3_localcluster.images.catalogue import IMAGES, Image
from video2mp3_localcluster.images.references import image_tags, runtime_name
from video2mp3_localcluster.layout import CONTAINERD_SOCKET
from video2mp3_localcluster.steps import Step, StepLog

CTR = ("ctr", "--address", str(CONTAINERD_SOCKET), "--namespace", "k8s.io", "images")


def load_steps(images: Sequence[Image] = IMAGES, needs: tuple[str, ...] = ()) -> list[Step]:
    """Return a step per image that imports it, after it was built and after `needs`."""
    tags = image_tags(tuple(images))
    return [
        Step(f"load {image.name}", partial(_load, image, tags[image]), (*needs, step_name(image))) for image in images
    ]


def _load(image: Image, tag: str, log: StepLog) -> None:
    name = runtime_name(image, tag)
    if log.output([*CTR, "list", "--quiet", f"name=={name}"]).strip():
        log.note("there already")
        return
    log.command([*CTR, "import", archive_path(image, tag)])
