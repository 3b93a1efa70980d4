"""actionlint, which reads workflows as GitHub does: events, expressions, contexts, the inputs of actions."""

import subprocess
from pathlib import Path

from tests.made import made
from video2mp3_localcluster.programs.binaries import compiled_program
from video2mp3_localcluster.programs.golang import GoProgram

HERE = Path(__file__).parent
SECONDS = 60


def complaints(workflow: Path) -> list[str]:
    """What is wrong with a workflow. The program is compiled by the first run on a machine."""
    program = GoProgram("actionlint", str(HERE), "github.com/rhysd/actionlint/cmd/actionlint")
    path = made(program.name, compiled_program(program)) / program.name
    # No other linters: which of them a machine has, is no matter of the workflow.
    command = [path, "-oneline", "-no-color", "-shellcheck=", "-pyflakes=", workflow]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert bool(done.returncode) == bool(done.stdout), done.stderr
    return done.stdout.splitlines()
