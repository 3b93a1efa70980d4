"""What holds for every Dockerfile here, ours and the stand-ins'."""

import json
import re
import tomllib
from importlib.util import find_spec

import pytest

from tests.unit.localcluster.images.dockerfiles import Stage, instructions, stages
from video2mp3_localcluster.images.catalogue import IMAGES, SERVICES, Image
from video2mp3_localcluster.steps.layout import repository_root

ROOT = repository_root()
EVERY_IMAGE = pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
EVERY_SERVICE = pytest.mark.parametrize("image", SERVICES, ids=lambda image: image.name)
THIRD_PARTY_PROGRAMS = {"gunicorn", "kopf"}


def last_stage(image: Image) -> Stage:
    return stages(ROOT / image.dockerfile)[-1]


def command(image: Image) -> list[str]:
    [text] = last_stage(image).all("CMD")
    words: list[str] = json.loads(text)
    return words


@EVERY_IMAGE
def test_every_stage_starts_from_the_one_base(image: Image) -> None:
    assert instructions(ROOT / image.dockerfile)[0].text == "BASE_IMAGE=debian:trixie-slim"
    named = {"dependencies", "service", "runtime", "ffmpeg"}
    assert {stage.base for stage in stages(ROOT / image.dockerfile)} <= {"${BASE_IMAGE}", *named}


@EVERY_IMAGE
def test_it_runs_as_a_numbered_user_without_privileges(image: Image) -> None:
    """Kubernetes can check `runAsNonRoot` for numbers only."""
    [user] = last_stage(image).all("USER")
    number, _, group = user.partition(":")
    assert int(number) > 0
    assert int(group) > 0


@EVERY_IMAGE
def test_it_starts_a_program_and_no_shell(image: Image) -> None:
    started = [*last_stage(image).all("ENTRYPOINT"), *last_stage(image).all("CMD")]
    assert started
    for text in started:
        assert json.loads(text)[0] not in ("sh", "bash", "/bin/sh", "/bin/bash")


@EVERY_IMAGE
def test_it_says_what_it_is(image: Image) -> None:
    [labels] = last_stage(image).all("LABEL")
    assert f'org.opencontainers.image.title="video2mp3 {image.name}"' in labels
    assert "org.opencontainers.image.description=" in labels


@EVERY_IMAGE
def test_its_tag_depends_on_all_that_it_copies(image: Image) -> None:
    for stage in stages(ROOT / image.dockerfile):
        for text in stage.all("COPY"):
            if "--from=" in text:
                continue
            *sources, _target = [word for word in text.split() if not word.startswith("--")]
            for source in sources:
                path = (ROOT / image.context / source).resolve()
                assert any(path.is_relative_to(ROOT / known) for known in image.inputs), text


@EVERY_IMAGE
def test_debian_packages_are_installed_without_recommendations_and_lists(image: Image) -> None:
    for stage in stages(ROOT / image.dockerfile):
        for text in stage.all("RUN"):
            assert text.count("apt-get install") == text.count("--no-install-recommends")
        kept = [
            text for text in stage.all("RUN") if "apt-get update" in text and "rm -rf /var/lib/apt/lists" not in text
        ]
        # A stage that only hands out files may keep its lists.
        assert not kept or stage is not last_stage(image)


@EVERY_IMAGE
def test_python_packages_are_locked_by_their_hashes(image: Image) -> None:
    installs = [
        part
        for stage in stages(ROOT / image.dockerfile)
        for text in stage.all("RUN")
        for part in text.split("&&")
        if re.search(r"\bpip\b.*\binstall\b", part) and "apt-get" not in part
    ]
    for install in installs:
        assert "--require-hashes" in install or "--no-index" in install
        assert "--no-deps" in install


@EVERY_IMAGE
def test_the_image_has_no_tools_to_install_more(image: Image) -> None:
    for text in last_stage(image).all("RUN"):
        assert not re.search(r"python3-(pip|venv|hatchling|dev)|build-essential|\bgcc\b", text)


@EVERY_SERVICE
def test_what_a_service_starts_exists(image: Image) -> None:
    folder = (ROOT / image.dockerfile).parent
    scripts = tomllib.loads((folder / "pyproject.toml").read_text())["project"].get("scripts", {})
    program, *words = command(image)
    own = re.findall(r"\bvideo2mp3_[a-z0-9_.]+", " ".join(words))
    if program in scripts:
        own.append(scripts[program].partition(":")[0])
    elif program == "python3":
        own = [f"{module}.__main__" for module in own]
    else:
        assert program in THIRD_PARTY_PROGRAMS
    assert own
    for module in own:
        assert find_spec(module), module


def test_the_build_context_has_the_services_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert "*" in lines
    assert allowed == {name for image in SERVICES for name in image.inputs if not name.startswith(".")}
