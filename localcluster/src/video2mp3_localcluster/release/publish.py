"""Puts a release that was made into a registry: the images, by the digests that the chart names, and the chart."""

from functools import partial
from pathlib import Path
from typing import Final

from video2mp3_localcluster.images.catalogue import SERVICES, Image
from video2mp3_localcluster.images.push import Target, reason
from video2mp3_localcluster.programs.binaries import compiled
from video2mp3_localcluster.release.chart import NAME
from video2mp3_localcluster.release.checksums import SUMS, digests, sums
from video2mp3_localcluster.release.release import IMAGES
from video2mp3_localcluster.steps.packages import install_packages
from video2mp3_localcluster.steps.step_log import Cancelled, StepFailed, StepLog
from video2mp3_localcluster.steps.steps import Step

CHARTS: Final = "charts"
"""The part of the path that keeps the chart apart from the images."""
_CHECK_STEP: Final = "checksums"
_SKOPEO_STEP: Final = "skopeo"
_HELM_STEP: Final = "helm"
_SECONDS: Final = 3600


def publish_steps(folder: Path, target: Target) -> list[Step]:
    """The steps that push a release's files, as they are; the chart comes last, when what it names is there."""
    steps = [
        Step(_CHECK_STEP, partial(_check, folder)),
        Step(_SKOPEO_STEP, lambda log: install_packages(log, ["skopeo"])),
        Step(_HELM_STEP, compiled("helm").make),
    ]
    before = _CHECK_STEP
    for image in SERVICES:
        name = f"publish {image.name}"
        steps.append(Step(name, partial(_publish, folder, target, image), (before, _SKOPEO_STEP)))
        before = name
    steps.append(Step("publish chart", partial(_publish_chart, folder, target), (before, _HELM_STEP)))
    return steps


def _check(folder: Path, _log: StepLog) -> None:
    if not (folder / SUMS).exists():
        raise StepFailed(f"there is no release in {folder.name}: `make release VERSION={folder.name}` makes it")
    if (folder / SUMS).read_text() != sums(digests(folder)):
        raise StepFailed(f"the files are not those of {SUMS}: make the release again")


def _publish(folder: Path, target: Target, image: Image, log: StepLog) -> None:
    archive = folder / IMAGES / f"{image.name}-{target.tag}.oci.tar"
    options = ["--all", "--preserve-digests", *(["--dest-tls-verify=false"] if target.insecure else [])]
    command = ["skopeo", "copy", *options, f"oci-archive:{archive}", f"docker://{target.name(image)}"]
    _told(log, target, command)
    log.note(target.name(image))


def _publish_chart(folder: Path, target: Target, log: StepLog) -> None:
    chart = folder / f"{NAME}-{target.tag}.tgz"
    where = f"oci://{target.registry}/{CHARTS}"
    options = ["--plain-http"] if target.insecure else []
    _told(log, target, [str(compiled("helm").folder / "helm"), "push", str(chart), where, *options])
    log.note(f"{where}/{NAME}:{target.tag}")


def _told(log: StepLog, target: Target, command: list[str]) -> None:
    """Run a command that pushes; a failure that is understood is told in plain words."""
    try:
        log.command(command, timeout_seconds=_SECONDS)
    except Cancelled:
        raise
    except StepFailed as failure:
        raise StepFailed(reason(log.tail(), target) or str(failure)) from failure
