"""The built images as archives in the user's cache, one per image, named by its tag."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from video2mp3_localcluster.images.catalogue import Image
from video2mp3_localcluster.steps.layout import cache_dir

_MEGABYTE = 1_000_000

OTHERS_KEPT: Final = 3
"""Archives of an image beside the one that is wanted; each has 140 to 350 MB."""


def images_folder() -> Path:
    """Where everything about images is kept: the store, the archives, the values file."""
    folder = cache_dir() / "images"
    folder.mkdir(exist_ok=True)
    return folder


def archive_path(image: Image, tag: str, foreign: str = "") -> Path:
    """Return where the archive of an image with a tag is, or will be; `foreign` is another processor than ours."""
    folder = images_folder() / named("archives", foreign)
    folder.mkdir(exist_ok=True)
    return folder / f"{image.name}-{tag}.tar"


def named(what: str, foreign: str) -> str:
    """Return the name of what there is once for each kind of processor."""
    return f"{what}-{foreign}" if foreign else what


@contextmanager
def build_lock(name: str) -> Iterator[None]:
    """Held while an image is built, so that two commands at the same time do not both build it."""
    with (images_folder() / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def remove_old_archives(image: Image, tag: str, foreign: str = "") -> None:
    """Remove an image's archives but this one and the few that were used last: other checkouts share the cache."""
    kept = archive_path(image, tag, foreign)
    others = [archive for archive in _archives(image, foreign) if archive != kept]
    for archive in sorted(others, key=_last_used, reverse=True)[OTHERS_KEPT:]:
        archive.unlink(missing_ok=True)


def archived_tags(image: Image, foreign: str = "") -> list[str]:
    """Return the tags of the archives that there are of an image."""
    return [archive.stem.removeprefix(f"{image.name}-") for archive in _archives(image, foreign)]


def mark_used(archive: Path) -> None:
    """Note that an archive is in use now."""
    archive.touch()


def _archives(image: Image, foreign: str) -> Iterator[Path]:
    return archive_path(image, "", foreign).parent.glob(f"{image.name}-*.tar")


def _last_used(archive: Path) -> float:
    """Seconds since the epoch; 0 for one that another process has just removed."""
    return archive.stat().st_mtime if archive.exists() else 0.0


def size_remark(archive: Path) -> str:
    """Return an image's size as shown to people; the archive holds the layers uncompressed, as they lie on a node."""
    return f"{archive.stat().st_size / _MEGABYTE:.0f} MB"
