"""Pushes the services' images to a registry, from which any cluster fetches them."""

import re
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import yaml

from video2mp3_localcluster.images.archives import archive_path
from video2mp3_localcluster.images.build import TOOLS_STEP, build_steps, image_store, step_name, tools_step
from video2mp3_localcluster.images.catalogue import SERVICES, Image
from video2mp3_localcluster.images.references import image_tags, runtime_name
from video2mp3_localcluster.steps.layout import repository_root
from video2mp3_localcluster.steps.step_log import Cancelled
from video2mp3_localcluster.steps.steps import Step, StepFailed, StepLog

_HOST: Final = r"(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+(?=:))(?::[0-9]+)?"
"""With a dot or a port, or `localhost`: every other first part is taken for a path of Docker Hub."""
_PART: Final = r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*"
_REGISTRY: Final = re.compile(rf"{_HOST}(?:/{_PART})*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")

_REASONS: Final = (
    ("HTTP response to HTTPS client", "{host} speaks HTTP without TLS; say INSECURE=1 (--insecure) if it is meant to"),
    ("x509:", "this machine does not trust the certificate of {host}; its authority's belongs into {folder}/ca.crt"),
    (
        "unauthorized|authentication required|denied|Forbidden",
        "{host} takes no images below {registry} from this login; `buildah login {host}` is another one",
    ),
    ("connection refused|no such host|i/o timeout|no route to host", "nothing answers at {host}"),
)
"""What buildah says, and what that means for who pushes."""


@dataclass(frozen=True)
class Target:
    """A registry, with the path below which the images are put, and their tag."""

    registry: str
    tag: str
    insecure: bool = False
    """Whether the registry may do without TLS, or have a certificate that nobody vouches for."""

    def __post_init__(self) -> None:
        if not _REGISTRY.fullmatch(self.registry):
            raise StepFailed(
                f"{self.registry!r} is no registry: REGISTRY is its host, a port if it has one of its own, and a path, "
                "such as registry.example.com/video2mp3"
            )
        if not _TAG.fullmatch(self.tag):
            raise StepFailed(f"{self.tag!r} is no tag: letters, digits, dots, hyphens and underscores")

    @property
    def host(self) -> str:
        """The registry without the path."""
        return self.registry.partition("/")[0]

    def name(self, image: Image) -> str:
        """What an image is called there, and by the chart's value `images.registry`."""
        return f"{self.registry}/{image.name}:{self.tag}"

    def chart_arguments(self) -> list[str]:
        """What makes `helm install` use the images that are there."""
        tag = [] if self.tag == chart_version() else ["--set-string", f"images.tag={self.tag}"]
        return ["--set", f"images.registry={self.registry}", *tag]


def chart_version() -> str:
    """The tag that the chart's images have by default."""
    chart = yaml.safe_load((repository_root() / "charts/video2mp3/Chart.yaml").read_text())
    return str(chart["appVersion"])


def push_steps(target: Target) -> list[Step]:
    """Return the steps that build the services' images, as far as they are not there yet, and push them.

    One follows the other: they share layers, of which each is sent once.
    """
    steps = build_steps(SERVICES)
    if TOOLS_STEP not in [step.name for step in steps]:
        steps.append(tools_step())
    before = TOOLS_STEP
    for image, tag in image_tags(SERVICES).items():
        name = f"push {image.name}"
        steps.append(Step(name, partial(_push, target, image, tag), (before, step_name(image))))
        before = name
    return steps


def _push(target: Target, image: Image, tag: str, log: StepLog) -> None:
    with tempfile.TemporaryDirectory() as folder:
        digest = Path(folder) / "digest"
        arguments = (runtime_name(image, tag), archive_path(image, tag), target.name(image))
        try:
            image_store().push(log, *arguments, digest, insecure=target.insecure)
        except Cancelled:
            raise
        except StepFailed as failure:
            raise StepFailed(reason(log.tail(), target) or str(failure)) from failure
        log.note(f"{target.name(image)}@{digest.read_text().strip()}")


def reason(said: str, target: Target) -> str:
    """What is to be done about a push that failed, by what buildah said; empty where only its own words tell."""
    for pattern, meaning in _REASONS:
        if re.search(pattern, said):
            return meaning.format(
                host=target.host, registry=target.registry, folder=f"/etc/containers/certs.d/{target.host}"
            )
    return ""
