"""Which steps build and load images, and in which order."""

import os
from pathlib import Path

import pytest

from video2mp3_localcluster.images.archives import archive_path, archived_tags, mark_used, remove_old_archives
from video2mp3_localcluster.images.build import BASE_STEP, TOOLS_STEP, build_steps
from video2mp3_localcluster.images.catalogue import EARLIER, IMAGES, SERVICES
from video2mp3_localcluster.images.load import load_steps
from video2mp3_localcluster.images.references import chart_values, image_references, image_tags, runtime_name
from video2mp3_localcluster.steps.layout import NodeFiles
from video2mp3_localcluster.steps.steps import Step, StepLog

GATEWAY, AUTH, OPERATOR = SERVICES[:3]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def needs(steps: list[Step]) -> dict[str, tuple[str, ...]]:
    return {step.name: step.needs for step in steps}


def test_the_first_image_makes_the_shared_layers_and_the_others_follow_in_two_lanes() -> None:
    names = [f"image {image.name}" for image in IMAGES[:5]]
    assert needs(build_steps(IMAGES[:5])) == {
        TOOLS_STEP: (),
        BASE_STEP: (TOOLS_STEP,),
        names[0]: (BASE_STEP,),
        names[1]: (names[0],),
        names[2]: (names[0],),
        names[3]: (names[1],),
        names[4]: (names[2],),
    }


def test_nothing_is_installed_or_made_when_every_image_is_there() -> None:
    for image, tag in image_tags((GATEWAY, AUTH)).items():
        archive_path(image, tag).touch()
    assert needs(build_steps((GATEWAY, AUTH))) == {"image gateway": (), "image auth": ()}


def test_only_the_missing_image_waits_for_the_base() -> None:
    archive_path(GATEWAY, image_tags((GATEWAY,))[GATEWAY]).touch()
    found = needs(build_steps((GATEWAY, AUTH)))
    assert found["image gateway"] == ()
    assert found["image auth"] == (BASE_STEP,)


def test_images_are_loaded_one_after_the_other_each_after_it_was_built() -> None:
    assert needs(load_steps(NodeFiles(), (GATEWAY, AUTH), needs=("node",))) == {
        "load gateway": ("node", "image gateway"),
        "load auth": ("load gateway", "image auth"),
    }


def test_archives_that_were_not_used_for_longest_are_removed() -> None:
    for age, tag in enumerate(("new", "second", "third", "fourth", "fifth")):
        archive_path(GATEWAY, tag).touch()
        os.utime(archive_path(GATEWAY, tag), (1000 - age, 1000 - age))
    archive_path(AUTH, "old").touch()
    mark_used(archive_path(GATEWAY, "fifth"))
    remove_old_archives(GATEWAY, "new")
    assert set(archived_tags(GATEWAY)) == {"new", "fifth", "second", "third"}
    assert archived_tags(AUTH) == ["old"]


def test_the_chart_gets_the_names_that_the_runtime_knows() -> None:
    values = chart_values()["images"]
    tags = image_tags()
    assert set(values) == {image.name for image in IMAGES} - {"mailsink"}
    for image in IMAGES:
        if image.name in values:
            reference = f"{values[image.name]['repository']}:{values[image.name]['tag']}"
            assert image_references()[image.name] == reference
            assert runtime_name(image, tags[image]) == f"docker.io/{reference}"


def test_the_earlier_release_has_images_of_its_own_and_the_same_servers() -> None:
    now, then = chart_values()["images"], chart_values(earlier=True)["images"]
    assert now.keys() == then.keys()
    assert {name for name in now if now[name] != then[name]} == {image.name for image in SERVICES}


def test_the_earlier_releases_images_are_built_from_what_lay_there_then(tmp_path: Path) -> None:
    log = StepLog(tmp_path / "log")
    for image in EARLIER:
        assert image.sources
        image.sources.make(log)
        assert (image.sources.folder / image.dockerfile).is_file()
        assert not set(image.inputs)
    log.close()
