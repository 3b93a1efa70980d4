"""The command lines of builds."""

from pathlib import Path

from video2mp3_localcluster.debian.buildah import Buildah
from video2mp3_localcluster.debian.mirrors import BUILD_ARGUMENTS
from video2mp3_localcluster.steps.layout import content_key


def test_a_build_runs_in_a_chroot_from_the_private_store_with_the_mirrors_mounted() -> None:
    command = Buildah(Path("/cache")).build_command(
        "localhost/thing:1",
        Path("/repository/thing/Dockerfile"),
        Path("/repository"),
        {"BASE_IMAGE": "localhost/base:1", **BUILD_ARGUMENTS},
    )
    assert command == [
        "unshare",
        "--mount",
        "buildah",
        "--root=/cache/store",
        f"--runroot=/run/video2mp3-images/{content_key('/cache')}",
        "build",
        "--isolation=chroot",
        "--layers",
        "--pull=never",
        "--format=docker",
        "--volume=/cache/mount:/mnt:ro",
        "--tag=localhost/thing:1",
        "--file=/repository/thing/Dockerfile",
        "--build-arg=BASE_IMAGE=localhost/base:1",
        "--build-arg=APT_CONFIG=/mnt/apt.conf",
        "--build-arg=PIP_CONFIG_FILE=/mnt/pip.conf",
        "/repository",
    ]


def test_a_tree_is_a_second_context_of_a_build() -> None:
    command = Buildah(Path("/cache")).build_command(
        "localhost/thing:1", Path("/thing/Dockerfile"), Path("/thing"), {}, {"thing": Path("/artefacts/thing-1")}
    )
    assert command[-2:] == ["--build-context=thing=/artefacts/thing-1", "/thing"]


def test_a_stage_of_a_dockerfile_is_an_image_as_well() -> None:
    command = Buildah(Path("/cache")).build_command(
        "localhost/builder:1", Path("/image/Dockerfile"), Path("/image"), {}, target="builder"
    )
    assert command[-2:] == ["--target=builder", "/image"]
