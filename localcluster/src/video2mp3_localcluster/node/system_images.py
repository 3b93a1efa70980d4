"""The images the cluster itself needs: the pause container of every pod, and CoreDNS."""

import platform
from pathlib import Path

from video2mp3_localcluster.node.scratch_image import write_scratch_image
from video2mp3_localcluster.programs.binaries import Artefact, compiled
from video2mp3_localcluster.steps.layout import content_key
from video2mp3_localcluster.steps.step_log import StepLog
from video2mp3_localcluster.steps.steps import Step

PAUSE = "pause"
DNS = "coredns"

_STEP_OF_PROGRAM = {PAUSE: "pause", DNS: "CoreDNS"}


def image_name(program: str) -> str:
    """The image's name in the cluster; its tag changes with the program."""
    return f"localhost/video2mp3-localcluster/{program}:{compiled(program).key}"


def image_archive(program: str) -> Path:
    """The image's archive in the cache."""
    return _artefact(program).folder / f"{program}.tar"


def _artefact(program: str) -> Artefact:
    def fill(_log: StepLog, folder: Path) -> None:
        source = compiled(program).folder / program
        write_scratch_image(folder / f"{program}.tar", image_name(program), source, platform.machine())

    return Artefact(f"{program}-image", content_key(image_name(program), "1"), fill)


def image_steps() -> list[Step]:
    """Make the archives, each when its program is compiled."""
    return [
        Step(f"{program} image", _artefact(program).make, needs=(needed,))
        for program, needed in _STEP_OF_PROGRAM.items()
    ]
