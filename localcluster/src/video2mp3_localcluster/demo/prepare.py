"""All set-up that can be made ahead, as one set of steps: the cluster's programs, the images, what the tests start."""

from collections.abc import Callable, Sequence

from video2mp3_localcluster.images.build import build_steps
from video2mp3_localcluster.images.catalogue import IMAGES, Image
from video2mp3_localcluster.node import cluster
from video2mp3_localcluster.programs import ferretdb
from video2mp3_localcluster.programs.mysql import mysql
from video2mp3_localcluster.steps.packages import install_packages
from video2mp3_localcluster.steps.steps import Step, StepLog

DEMO_PACKAGES = ("curl", "ffmpeg")
"""What a person would have at hand: to call the API, to make a sample video, to look at the mp3."""

TEST_PACKAGES = (
    "mariadb-server",
    "rabbitmq-server",
    "chromium",
    "chromium-driver",
    "libfaketime",
    "libmail-message-perl",
    "mpg123",
    "mediainfo",
    "file",
)
"""Servers that the integration tests start by themselves, a browser for the web page, a clock that can be set, a reader
of emails that is not Python's, and readers of mp3s that are not ffmpeg; installing them starts nothing."""


def demo_steps(images: Sequence[Image] = IMAGES) -> list[Step]:
    """What `make demo` needs."""
    return [
        *cluster.build_steps(),
        *build_steps(images),
        Step("curl and ffmpeg", _installer(*DEMO_PACKAGES)),
    ]


def test_steps(images: Sequence[Image]) -> list[Step]:
    """What `make test` needs."""
    return [
        *demo_steps(images),
        Step("MySQL", mysql().make),
        *ferretdb.steps(),
        Step("servers, a browser, a clock and readers of mails and mp3s for the tests", _installer(*TEST_PACKAGES)),
    ]


def _installer(*names: str) -> Callable[[StepLog], None]:
    def install(log: StepLog) -> None:
        install_packages(log, names)

    return install
