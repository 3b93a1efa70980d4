"""Images and the chart as OCI image layouts, each one file; an image's has an index over the processors that it is for.

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
MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_LAYOUT: Final = '{"imageLayoutVersion": "1.0.0"}'

Document = dict[str, Any]


@dataclass(frozen=True)
class Blob:
    """Content, and what it is."""

    media_type: str
    content: bytes


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
    index = json.dumps(build_index(manifests, annotations), indent=2).encode()
    _write_entry(target, _stored(blobs, Blob(INDEX, index)), name)
    return Indexed(sha256(index), {architecture: str(each["digest"]) for architecture, each in manifests.items()})


def write_artifact(target: Path, config: Blob, layer: Blob, annotations: Mapping[str, str], name: str) -> str:
    """Write a layout of something that is no image, as Helm stores a chart; answer its manifest's digest."""
    blobs = target / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    manifest = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": _stored(blobs, config),
            "layers": [_stored(blobs, layer)],
            "annotations": dict(annotations),
        },
        indent=2,
    ).encode()
    _write_entry(target, _stored(blobs, Blob(MANIFEST, manifest)), name)
    return sha256(manifest)


def _write_entry(target: Path, descriptor: Document, name: str) -> None:
    """Make a descriptor the one entry of a layout."""
    entry = descriptor | {"annotations": {"org.opencontainers.image.ref.name": name}}
    (target / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}))
    (target / "oci-layout").write_text(_LAYOUT)


def _stored(blobs: Path, blob: Blob) -> Document:
    """Write a blob; answer its descriptor."""
    digest = sha256(blob.content)
    (blobs / digest.removeprefix("sha256:")).write_bytes(blob.content)
    return {"mediaType": blob.media_type, "digest": digest, "size": len(blob.content)}


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
