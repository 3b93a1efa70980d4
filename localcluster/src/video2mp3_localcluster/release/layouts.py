"""Images as OCI image layouts: one file an image, with an index over the processors that it is for.

A registry keeps blobs by their digest, so the index's is known before anything is pushed, and the chart names it.
"""

import hashlib
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

INDEX: Final = "application/vnd.oci.image.index.v1+json"
_LAYOUT: Final = '{"imageLayoutVersion": "1.0.0"}'

Document = dict[str, Any]


@dataclass(frozen=True)
class Indexed:
    """What a layout's one entry leads to."""

    digest: str
    """Of the index: `sha256:…`."""
    manifests: Mapping[str, str]
    """Digests by processor."""


def sha256(content: bytes) -> str:
    """A digest as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def build_index(manifests: Mapping[str, Document], annotations: Mapping[str, str]) -> Document:
    """The index over the descriptors of an image's manifests, by processor."""
    return {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            {
                "mediaType": descriptor["mediaType"],
                "digest": descriptor["digest"],
                "size": descriptor["size"],
                "platform": {"architecture": architecture, "os": "linux"},
            }
            for architecture, descriptor in sorted(manifests.items())
        ],
        "annotations": dict(annotations),
    }


def join(layouts: Mapping[str, Path], target: Path, annotations: Mapping[str, str], name: str) -> Indexed:
    """Put the one image of each layout, by processor, into a layout of all; `name` is what its entry is called."""
    manifests: dict[str, Document] = {}
    blobs = target / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for architecture, layout in layouts.items():
        [manifests[architecture]] = json.loads((layout / "index.json").read_text())["manifests"]
        for blob in (layout / "blobs" / "sha256").iterdir():
            blob.replace(blobs / blob.name)
    content = json.dumps(build_index(manifests, annotations), indent=2).encode()
    digest = sha256(content)
    (blobs / digest.removeprefix("sha256:")).write_bytes(content)
    entry = {
        "mediaType": INDEX,
        "digest": digest,
        "size": len(content),
        "annotations": {"org.opencontainers.image.ref.name": name},
    }
    (target / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}))
    (target / "oci-layout").write_text(_LAYOUT)
    return Indexed(digest, {architecture: str(each["digest"]) for architecture, each in manifests.items()})


def pack(layout: Path, archive: Path, seconds: int) -> None:
    """Write a layout as one file, the same for the same content; `seconds` since the epoch is every file's time."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = seconds
        member.mode = 0o755 if member.isdir() else 0o644
        return member

    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as file:
        for path in sorted(layout.rglob("*")):
            file.add(path, str(path.relative_to(layout)), recursive=False, filter=plain)
