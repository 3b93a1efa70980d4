"""The images that the page has Docker build and push are those that the chart asks for."""

import os
import subprocess
from pathlib import Path

from tests.commands_of_a_page import OPERATIONS, commands
from video2mp3_localcluster.images.catalogue import SERVICES, SHARED_FOLDER
from video2mp3_localcluster.images.push import Target, chart_version
from video2mp3_localcluster.images.shared import TARGETS
from video2mp3_localcluster.steps.layout import repository_root

REGISTRY = "registry.example.com/video2mp3"
DOCKER = """#!/bin/sh
echo "$@"
"""


def test_docker_builds_and_pushes_what_make_push_does(tmp_path: Path) -> None:
    docker = tmp_path / "docker"
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    push, by_docker = commands(OPERATIONS.read_text(), "Images")
    typed = subprocess.run(
        ["dash", "-eu", "-s"],
        input=by_docker, cwd=repository_root(), env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    target = Target(REGISTRY, chart_version())
    wanted = [(image.dockerfile, target.name(image)) for image in SERVICES]
    shared = [
        f"build --target {target} --tag localhost/video2mp3/{target} {SHARED_FOLDER}" for target in TARGETS.values()
    ]
    assert typed.stdout.splitlines() == shared + [
        line for dockerfile, name in wanted for line in (f"build --file {dockerfile} --tag {name} .", f"push {name}")
    ]
    assert push == f"make push REGISTRY={REGISTRY}\n"
