"""What holds for every Dockerfile here, ours and the stand-ins'."""

import json
import re
import tomllib
from importlib.util import find_spec
from itertools import takewhile

import pytest

from tests.unit.localcluster.images.dockerfiles import Stage, instructions, stages
from video2mp3_localcluster.images.catalogue import IMAGES, SERVICES, SHARED_FOLDER, Image
from video2mp3_localcluster.images.shared import TARGETS
from video2mp3_localcluster.steps.layout import repository_root

ROOT = repository_root()
SHARED = ROOT / SHARED_FOLDER
ON_PYTHON = [image for image in IMAGES if image.on_python]
EVERY_IMAGE = pytest.mark.parametrize("image", IMAGES, ids=lambda image: image.name)
EVERY_SERVICE = pytest.mark.parametrize("image", SERVICES, ids=lambda image: image.name)
EVERY_DOCKERFILE = pytest.mark.parametrize(
    "dockerfile", [f"{SHARED_FOLDER}/Dockerfile", *(image.dockerfile for image in IMAGES)]
)
THIRD_PARTY_PROGRAMS = {"gunicorn", "kopf"}

STARTS = {
    "BASE_IMAGE": "debian:trixie-slim",
    "BUILDER_IMAGE": "localhost/video2mp3/builder",
    "RUNTIME_IMAGE": "localhost/video2mp3/runtime",
}
"""What Dockerfiles start from, where the build says nothing else."""


def last_stage(image: Image) -> Stage:
    return stages(ROOT / image.dockerfile)[-1]


def shared_stages() -> dict[str, Stage]:
    return {stage.name: stage for stage in stages(SHARED / "Dockerfile")}


def users(image: Image) -> list[str]:
    """The users that an image has had, the last of which it keeps."""
    stage = last_stage(image)
    inherited = shared_stages()["runtime"].all("USER") if stage.base == "${RUNTIME_IMAGE}" else []
    return [*inherited, *stage.all("USER")]


def command(image: Image) -> list[str]:
    [text] = last_stage(image).all("CMD")
    words: list[str] = json.loads(text)
    return words


@EVERY_DOCKERFILE
def test_every_stage_starts_from_the_one_base(dockerfile: str) -> None:
    before = takewhile(lambda each: each.name == "ARG", instructions(ROOT / dockerfile))
    starts = dict(each.text.split("=") for each in before)
    assert starts.items() <= STARTS.items()
    names: set[str] = set()
    for stage in stages(ROOT / dockerfile):
        assert stage.base in {f"${{{name}}}" for name in starts} | names
        names.add(stage.name)


@pytest.mark.parametrize("image", ON_PYTHON, ids=lambda image: image.name)
def test_every_python_image_starts_from_the_shared_ones(image: Image) -> None:
    first, *_, last = stages(ROOT / image.dockerfile)
    assert (first.base, last.base) == ("${BUILDER_IMAGE}", "${RUNTIME_IMAGE}")
    assert any(SHARED.is_relative_to(ROOT / known) for known in image.inputs)


def test_no_other_image_starts_from_the_shared_ones() -> None:
    others = [image for image in IMAGES if not image.on_python]
    assert {stage.base for image in others for stage in stages(ROOT / image.dockerfile)} == {"${BASE_IMAGE}"}


def test_the_shared_images_are_stages_and_named_so_where_nothing_is_said() -> None:
    assert TARGETS.keys() == STARTS.keys() - {"BASE_IMAGE"}
    assert set(TARGETS.values()) <= shared_stages().keys()
    for argument, target in TARGETS.items():
        assert STARTS[argument] == f"localhost/video2mp3/{target}"


def test_a_shared_image_that_was_not_built_is_asked_of_no_registry() -> None:
    """A name without a host is one of Docker Hub, where anybody may own it."""
    assert all(STARTS[argument].startswith("localhost/") for argument in TARGETS)


@EVERY_IMAGE
def test_it_runs_as_a_numbered_user_without_privileges(image: Image) -> None:
    """Kubernetes can check `runAsNonRoot` for numbers only."""
    number, _, group = users(image)[-1].partition(":")
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


@EVERY_DOCKERFILE
def test_debian_packages_are_installed_without_recommendations_and_lists(dockerfile: str) -> None:
    for stage in stages(ROOT / dockerfile):
        for text in stage.all("RUN"):
            assert text.count("apt-get install") == text.count("--no-install-recommends")
        kept = [
            text for text in stage.all("RUN") if "apt-get update" in text and "rm -rf /var/lib/apt/lists" not in text
        ]
        # A stage that only hands out files may keep its lists.
        assert not kept or stage.name in {"ffmpeg", "lame"}


def test_python_packages_are_locked_by_their_hashes() -> None:
    scripts = [
        (SHARED / name).read_text().replace("\\\n", " ") for name in ("install-requirements", "install-packages")
    ]
    installs = [
        line for text in scripts for line in text.splitlines() if line.startswith("pip ") and " install " in line
    ]
    assert len(installs) == 2
    for install in installs:
        assert "--require-hashes" in install or "--no-index" in install
        assert "--no-deps" in install


@EVERY_DOCKERFILE
def test_python_packages_are_installed_by_the_shared_scripts_alone(dockerfile: str) -> None:
    texts = [text for stage in stages(ROOT / dockerfile) for text in stage.all("RUN")]
    assert not [text for text in texts if re.search(r"(?<!\S)pip3?\s", text)]


@EVERY_IMAGE
def test_the_image_has_no_tools_to_install_more(image: Image) -> None:
    shared = shared_stages()
    for stage in (shared["python"], shared["runtime"], last_stage(image)):
        for text in stage.all("RUN"):
            assert not re.search(r"python3-(pip|venv|hatchling|dev)|build-essential|\bgcc\b", text)
    assert shared["runtime"].base == "python"


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
