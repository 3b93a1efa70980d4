"""THIRD_PARTY.md lists what the locks hold, and every distribution names our licence."""

import tomllib
from pathlib import Path

import pytest

from video2mp3_localcluster.images.catalogue import SERVICES
from video2mp3_localcluster.release.locks import pins
from video2mp3_localcluster.release.third_party import PAGE, lock_of, renewed
from video2mp3_localcluster.steps.layout import repository_root

ROOT = repository_root()


def test_the_table_is_up_to_date() -> None:
    page = (ROOT / PAGE).read_text()
    assert renewed(page, ROOT) == page, "make generate"
    locked = {name for image in SERVICES for name in pins(lock_of(ROOT, image.dockerfile))}
    assert {name for name in locked if f"\n| {name} | " not in page} == set()


def test_every_package_names_its_licence() -> None:
    assert "see the package" not in (ROOT / PAGE).read_text()


@pytest.mark.parametrize("project", sorted(ROOT.glob("*/pyproject.toml")), ids=lambda path: path.parent.name)
def test_every_distribution_is_under_our_licence(project: Path) -> None:
    assert tomllib.loads(project.read_text())["project"]["license"] == "Apache-2.0"
