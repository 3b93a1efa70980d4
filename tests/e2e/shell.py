"""A shell on a machine with kubectl and helm, at which somebody types what a page says."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.release import Release

SECONDS = 900


def type_in(release: Release, folder: Path, script: str, *, inside: Sequence[str] = (), **environment: str) -> str:
    """Run commands one after the other, in a folder; each has to succeed. Answers what they print.

    They mean the release's cluster. `inside` begins the command line that takes the shell elsewhere.
    """
    programs = release.kubectl_program.parent
    here = {"KUBECONFIG": str(release.kubeconfig), "PATH": f"{programs}:{os.environ['PATH']}"}
    done = subprocess.run(
        # Unlike bash's, its aliases hold in scripts as well.
        [*inside, "dash", "-eux", "-s"],
        input=script, cwd=folder, env={**os.environ, **here, **environment},
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout
