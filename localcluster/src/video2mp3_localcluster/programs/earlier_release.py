"""An earlier release of the product, as a folder: its chart, and what its images are built from.

It lies in the checkout as one small archive, since a clone need not have the history. It says which commit it is of:
`xz -dc ARCHIVE | git get-tar-commit-id`. `make earlier-release VERSION=1.2.3` puts another in its place.
"""

import tarfile
from pathlib import Path
from typing import Final

from video2mp3_localcluster.programs.binaries import Artefact
from video2mp3_localcluster.steps.layout import content_key, repository_root
from video2mp3_localcluster.steps.step_log import StepLog

ARCHIVE: Final = "tests/upgrade/earlier-release.tar.xz"


def earlier_release() -> Artefact:
    """The artefact with the files of the release, as they lay in the repository then."""
    return Artefact("earlier-release", content_key(repository_root() / ARCHIVE), _fill)


def _fill(_log: StepLog, folder: Path) -> None:
    with tarfile.open(repository_root() / ARCHIVE) as archive:
        archive.extractall(folder, filter="data")
