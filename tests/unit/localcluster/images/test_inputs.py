"""An image's tag changes exactly with what the image is made from."""

from dataclasses import replace
from pathlib import Path

import pytest

from video2mp3_localcluster.images.catalogue import Image
from video2mp3_localcluster.images.inputs import image_tag
from video2mp3_localcluster.programs.binaries import Artefact

IMAGE = Image("thing", "thing/Dockerfile", ".", (".dockerignore", "contracts", "thing"))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    for file in (".dockerignore", "contracts/a.py", "thing/Dockerfile", "thing/src/thing/b.py", "other/c.py"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(file)
    return tmp_path


@pytest.mark.parametrize("file", [".dockerignore", "contracts/a.py", "thing/Dockerfile", "thing/src/thing/b.py"])
def test_a_changed_input_is_a_new_tag(repository: Path, file: str) -> None:
    before = image_tag(IMAGE, repository, "base")
    (repository / file).write_text("changed")
    assert image_tag(IMAGE, repository, "base") != before


def test_a_new_a_renamed_and_an_executable_file_are_new_tags(repository: Path) -> None:
    tags = [image_tag(IMAGE, repository, "base")]
    (repository / "thing/new.py").write_text("")
    tags.append(image_tag(IMAGE, repository, "base"))
    (repository / "thing/new.py").rename(repository / "thing/newer.py")
    tags.append(image_tag(IMAGE, repository, "base"))
    (repository / "thing/newer.py").chmod(0o755)
    tags.append(image_tag(IMAGE, repository, "base"))
    assert len(set(tags)) == 4


def test_another_base_is_a_new_tag(repository: Path) -> None:
    assert image_tag(IMAGE, repository, "base") != image_tag(IMAGE, repository, "other")


def test_another_tree_is_a_new_tag(repository: Path) -> None:
    trees = [None, *(Artefact("thing", key, lambda _log, _folder: None) for key in ("1", "2"))]
    tags = {image_tag(replace(IMAGE, tree=tree), repository, "base") for tree in trees}
    assert len(tags) == len(trees)


def test_what_no_image_is_made_from_does_not_count(repository: Path) -> None:
    before = image_tag(IMAGE, repository, "base")
    for file in ("other/c.py", "thing/src/thing/__pycache__/b.pyc", "thing/src/thing.egg-info/PKG-INFO"):
        (repository / file).parent.mkdir(parents=True, exist_ok=True)
        (repository / file).write_text("changed")
    assert image_tag(IMAGE, repository, "base") == before


def test_the_tag_is_the_same_in_every_checkout(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "checkout"
    repository.rename(elsewhere)
    moved = image_tag(IMAGE, elsewhere, "base")
    elsewhere.rename(repository)
    assert image_tag(IMAGE, repository, "base") == moved
