"""The tag of an image: a hash over everything it is made from."""

from collections.abc import Iterable
from pathlib import Path

from video2mp3_localcluster.images.catalogue import Image
from video2mp3_localcluster.steps.layout import content_key

_NOT_BUILT_FROM = ("__pycache__", ".egg-info")
"""Folders that tools leave beside the source; `.dockerignore` keeps them out of the build as well."""


def image_tag(image: Image, repository: Path, base_key: str) -> str:
    """Return the tag that the image's inputs and its base image call for."""
    folders = [folder.key for folder in (image.tree, image.sources) if folder]
    parts: list[str | Path] = [base_key, image.dockerfile, *folders]
    for file in _input_files(repository / path for path in image.inputs):
        parts += [str(file.relative_to(repository)), oct(file.stat().st_mode & 0o777), file]
    return content_key(*parts)


def _input_files(paths: Iterable[Path]) -> Iterable[Path]:
    for path in paths:
        files = [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())
        yield from (file for file in files if not _left_by_tools(file))


def _left_by_tools(file: Path) -> bool:
    return any(part.endswith(_NOT_BUILT_FROM) for part in file.parts)
