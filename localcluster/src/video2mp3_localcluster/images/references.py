"""Which reference each image has now, for the chart and for people."""

import json
from pathlib import Path
from typing import Any

from video2mp3_localcluster.debian.base import base_key
from video2mp3_localcluster.images.archives import images_folder
from video2mp3_localcluster.images.catalogue import EARLIER, IMAGES, SERVICES, Image
from video2mp3_localcluster.images.inputs import image_tag
from video2mp3_localcluster.steps.layout import repository_root

REGISTRY = "docker.io"
"""What container runtimes put before a name without a registry. Nothing is ever fetched from there: the images are
imported under this name."""


def image_tags(images: tuple[Image, ...] = IMAGES) -> dict[Image, str]:
    """Return the tag of each image, as the files of the checkout are now."""
    root, base = repository_root(), base_key()
    return {image: image_tag(image, root, base) for image in images}


def image_references() -> dict[str, str]:
    """Return short name → reference, such as `gateway` → `video2mp3/gateway:0123456789abcdef`."""
    return {image.name: f"{image.repository}:{tag}" for image, tag in image_tags().items()}


def runtime_name(image: Image, tag: str) -> str:
    """Return the full name under which an image is built, and under which a container runtime looks it up."""
    return f"{REGISTRY}/{image.repository}:{tag}"


def chart_values(*, earlier: bool = False) -> dict[str, Any]:
    """Return the chart's values that make it use these images; the services' are the earlier release's on demand."""
    images = {image.name: image for image in IMAGES if image.in_chart}
    if earlier:
        images |= {service.name: image for service, image in zip(SERVICES, EARLIER, strict=True)}
    tags = image_tags(tuple(images.values()))
    return {"images": {name: {"repository": i.repository, "tag": tags[i]} for name, i in images.items()}}


def write_values() -> Path:
    """Write the chart's values to a file for `helm install --values`, and return its path."""
    path = images_folder() / "values.json"
    path.write_text(json.dumps(chart_values(), indent=2) + "\n")
    return path
