"""Puts a release that was made into a registry: the images, by the digests that the chart names, and the chart."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from video2mp3_localcluster.images.catalogue import SERVICES
from video2mp3_localcluster.images.push import Target, reason
from video2mp3_localcluster.release.chart import NAME
from video2mp3_localcluster.release.checksums import SUMS, digests, sums
from video2mp3_localcluster.release.release import CHARTS, IMAGES
from video2mp3_localcluster.steps.packages import install_packages
from video2mp3_localcluster.steps.step_log import Cancelled, StepFailed, StepLog
from video2mp3_localcluster.steps.steps import Step

_CHECK_STEP: Final = "checksums"
_SKOPEO_STEP: Final = "skopeo"
_SECONDS: Final = 3600


@dataclass(frozen=True)
class Login:
    """Who pushes, where the machine has no login of its own."""

    user: str
    password: str


def publish_steps(folder: Path, target: Target, login: Login | None = None) -> list[Step]:
    """The steps that push a release's files, as they are; the chart comes last, when what it names is there."""
    steps = [
        Step(_CHECK_STEP, partial(_check, folder)),
        Step(_SKOPEO_STEP, lambda log: install_packages(log, ["skopeo"])),
    ]
    archives = {f"{IMAGES}/{image.name}-{target.tag}": target.name(image) for image in SERVICES}
    archives[f"{NAME}-{target.tag}"] = f"{target.registry}/{CHARTS}/{NAME}:{target.tag}"
    before = _CHECK_STEP
    for archive, name in archives.items():
        push = partial(_push, folder / f"{archive}.oci.tar", name, target, login)
        steps.append(Step(f"push {Path(archive).name}", push, (before, _SKOPEO_STEP)))
        before = steps[-1].name
    return steps


def _check(folder: Path, _log: StepLog) -> None:
    if not (folder / SUMS).exists():
        raise StepFailed(f"there is no release in {folder.name}: `make release VERSION={folder.name}` makes it")
    if (folder / SUMS).read_text() != sums(digests(folder)):
        raise StepFailed(f"the files are not those of {SUMS}: make the release again")


def _push(archive: Path, name: str, target: Target, login: Login | None, log: StepLog) -> None:
    """Push a file as it is; a failure that is understood is told in plain words."""
    options = ["--all", "--preserve-digests", *(["--dest-tls-verify=false"] if target.insecure else [])]
    try:
        with _logged_in(target, login, log) as authority:
            command = ["skopeo", "copy", *options, *authority, f"oci-archive:{archive}", f"docker://{name}"]
            log.command(command, timeout_seconds=_SECONDS)
    except Cancelled:
        raise
    except StepFailed as failure:
        raise StepFailed(reason(log.tail(), target) or str(failure)) from failure
    log.note(name)


@contextmanager
def _logged_in(target: Target, login: Login | None, log: StepLog) -> Iterator[list[str]]:
    """Give the options by which skopeo uses a login; nothing of it stays on the machine."""
    if login is None:
        yield []
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "auth.json"
        options = [f"--authfile={file}", *(["--tls-verify=false"] if target.insecure else [])]
        command = ["skopeo", "login", *options, f"--username={login.user}", "--password-stdin", target.host]
        log.command(command, stdin=login.password.encode())
        yield [f"--dest-authfile={file}"]
