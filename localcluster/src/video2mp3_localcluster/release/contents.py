"""What is in an image, read from its archive: Debian's packages by dpkg's own list, Python's by their metadata."""

import json
import re
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.message import Message
from email.parser import Parser
from pathlib import Path, PurePosixPath
from typing import IO, Final

from video2mp3_localcluster.release.licences import licence
from video2mp3_localcluster.release.locks import normalised

_STATUS: Final = "var/lib/dpkg/status"
_STATUS_FOLDER: Final = f"{_STATUS}.d/"
"""Where images without dpkg's list keep one file a package, as distroless ones do."""
_OF_INTEREST: Final = re.compile(
    rf"{_STATUS}|{_STATUS_FOLDER}[^/]+|usr/share/doc/[^/]+/copyright|.*\.dist-info/METADATA|etc/os-release|usr/lib/os-release"
)
_WHITEOUT: Final = ".wh."
_OPAQUE: Final = ".wh..wh..opq"


@dataclass(frozen=True, order=True)
class DebianPackage:
    """A package of Debian; of files that were copied in without dpkg's entry only the name is known."""

    name: str
    version: str = ""
    architecture: str = ""
    source: str = ""
    """The source package's name, where it is another."""


@dataclass(frozen=True, order=True)
class PythonPackage:
    """An installed Python distribution."""

    name: str
    version: str
    licence: str


@dataclass(frozen=True)
class Contents:
    """All that an image brings."""

    debian: tuple[DebianPackage, ...]
    python: tuple[PythonPackage, ...]
    suite: Mapping[str, str] = field(default_factory=dict)
    """The fields of os-release."""


def contents(archive: Path) -> Contents:
    """What is in the image of an archive, as `docker save` writes them."""
    files = _files(archive)
    listed = {package.name: package for package in _listed(files)}
    copied = _copied(files) - listed.keys()
    return Contents(
        tuple(sorted([*listed.values(), *(DebianPackage(name) for name in copied)])),
        tuple(sorted({_python(text) for name, text in files.items() if name.endswith("/METADATA")})),
        _os_release(files.get("usr/lib/os-release") or files.get("etc/os-release") or ""),
    )


def _copied(files: Mapping[str, str]) -> set[str]:
    """Packages of which files were copied in, by their copyright files; none where the image lists those as well."""
    if any(name.startswith(_STATUS_FOLDER) for name in files):
        return set()
    return {PurePosixPath(name).parent.name for name in files if name.endswith("/copyright")}


def _files(archive: Path) -> dict[str, str]:
    """The files that tell, as the topmost layer has them."""
    found: dict[str, str] = {}
    with tarfile.open(archive) as image:
        [manifest] = json.load(_opened(image, "manifest.json"))
        for layer in manifest["Layers"]:
            with tarfile.open(fileobj=_opened(image, layer)) as content:
                _apply(content, found)
    return found


def _opened(archive: tarfile.TarFile, name: str | tarfile.TarInfo) -> IO[bytes]:
    file = archive.extractfile(name)
    if file is None:
        raise ValueError(f"{name} is no file of the archive")
    return file


def _apply(layer: tarfile.TarFile, found: dict[str, str]) -> None:
    for member in layer:
        name = member.name.removeprefix("./")
        path = PurePosixPath(name)
        if path.name == _OPAQUE:
            _remove(found, str(path.parent))
        elif path.name.startswith(_WHITEOUT):
            _remove(found, str(path.with_name(path.name.removeprefix(_WHITEOUT))))
        elif member.isfile() and _OF_INTEREST.fullmatch(name):
            found[name] = _opened(layer, member).read().decode(errors="replace")


def _remove(found: dict[str, str], gone: str) -> None:
    for name in [name for name in found if name == gone or name.startswith(f"{gone}/")]:
        del found[name]


def _listed(files: Mapping[str, str]) -> Iterator[DebianPackage]:
    for name, text in files.items():
        if name == _STATUS or name.startswith(_STATUS_FOLDER):
            yield from installed(text.split("\n\n"))


def installed(paragraphs: Iterable[str]) -> Iterator[DebianPackage]:
    """The packages of dpkg's list that are installed; one without a status is as well."""
    for paragraph in paragraphs:
        fields = dict(re.findall(r"^([A-Za-z-]+): (.*)$", paragraph, re.MULTILINE))
        if "Package" in fields and fields.get("Status", "ok installed").endswith("ok installed"):
            source = fields.get("Source", "").partition(" ")[0]
            yield DebianPackage(fields["Package"], fields.get("Version", ""), fields.get("Architecture", ""), source)


def _python(text: str) -> PythonPackage:
    metadata: Message = Parser().parsestr(text, headersonly=True)
    return PythonPackage(normalised(str(metadata["Name"])), str(metadata["Version"]), licence(metadata))


def _os_release(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key: value.strip('"') for key, _, value in pairs}
