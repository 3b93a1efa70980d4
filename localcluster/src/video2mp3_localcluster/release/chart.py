"""The chart of a release: the checkout's, with its images by digest and with what Artifact Hub shows of it."""

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import yaml

from video2mp3_localcluster.release.changelog import Entry
from video2mp3_localcluster.release.layouts import Blob, write_artifact
from video2mp3_localcluster.steps.step_log import StepFailed

NAME: Final = "video2mp3"
_DEFAULT_REGISTRY: Final = "video2mp3"
_CONFIG: Final = "application/vnd.cncf.helm.config.v1+json"
_CONTENT: Final = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
"""What Helm calls the two parts of a chart in a registry."""
_MOST_CHANGES: Final = 40
"""More than anybody reads on a package's page; Helm keeps all of the chart in a Secret of each installation."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """What a release's chart says of the release."""

    version: str
    images: Mapping[str, str]
    """Digests (`sha256:…`) by the names that the chart's values have for the images."""
    architectures: Sequence[str]
    registry: str
    """Where the images will be; empty where whoever installs says it."""
    source: str
    """The repository's address; empty where nobody has said it."""
    changes: Sequence[Entry]


def values_by_digest(values: str, facts: Facts) -> str:
    """The text of values.yaml with digests, and the registry if known. Raises StepFailed where they have no place."""
    for name, digest in facts.images.items():
        place = rf'(^  {re.escape(name)}:\n(?:    .*\n)*?    digest: )""$'
        values, found = re.subn(place, rf'\1"{digest}"', values, count=1, flags=re.MULTILINE)
        if not found:
            raise StepFailed(f"values.yaml has no empty images.{name}.digest")
    if facts.registry:
        values, found = re.subn(
            r"^  registry: .*$", f"  registry: {facts.registry}", values, count=1, flags=re.MULTILINE
        )
        if not found:
            raise StepFailed("values.yaml has no images.registry")
    return values


def annotations(facts: Facts, crds: Sequence[Document], example: Document) -> dict[str, str]:
    """What Artifact Hub reads of Chart.yaml, each as the text that it wants."""
    registry = facts.registry or _DEFAULT_REGISTRY
    images = [
        {
            "name": name,
            "image": f"{registry}/{name}:{facts.version}@{digest}",
            "platforms": [f"linux/{architecture}" for architecture in facts.architectures],
        }
        for name, digest in facts.images.items()
    ]
    changes = [{"kind": entry.kind, "description": entry.text} for entry in facts.changes[:_MOST_CHANGES]]
    links = [{"name": "source", "url": facts.source}] if facts.source else []
    found: dict[str, Any] = {
        "artifacthub.io/images": images,
        "artifacthub.io/changes": changes,
        "artifacthub.io/crds": [_crd(crd) for crd in crds],
        "artifacthub.io/crdsExamples": [example],
        "artifacthub.io/links": links,
    }
    flags = {
        "artifacthub.io/operator": "true",
        "artifacthub.io/prerelease": str("-" in facts.version).lower(),
        "artifacthub.io/containsSecurityUpdates": str(any(e.kind == "security" for e in facts.changes)).lower(),
    }
    return {key: yaml.safe_dump(value, sort_keys=False, width=1000) for key, value in found.items() if value} | flags


def _crd(crd: Document) -> Document:
    spec = crd["spec"]
    version = next(version for version in spec["versions"] if version["storage"])
    return {
        "kind": spec["names"]["kind"],
        "version": version["name"],
        "name": crd["metadata"]["name"],
        "displayName": spec["names"]["kind"],
        "description": version["schema"]["openAPIV3Schema"]["description"],
    }


def stage(root: Path, folder: Path, facts: Facts, when: datetime) -> Path:
    """Copy the checkout's chart into a folder, as the release's, with its licence; all is of the commit's time."""
    chart = folder / NAME
    shutil.copytree(root / "charts" / NAME, chart)
    shutil.copy2(root / "LICENSE", chart / "LICENSE")
    values = chart / "values.yaml"
    values.write_text(values_by_digest(values.read_text(), facts))
    metadata: Document = yaml.safe_load((chart / "Chart.yaml").read_text())
    crds = [yaml.safe_load(path.read_text()) for path in sorted((root / "crds").glob("*.yaml"))]
    example = yaml.safe_load((root / "examples" / "conversion.yaml").read_text())
    metadata["annotations"] = metadata.get("annotations", {}) | annotations(facts, crds, example)
    if facts.source:
        metadata |= {"home": facts.source, "sources": [facts.source]}
    (chart / "Chart.yaml").write_text(yaml.safe_dump(metadata, sort_keys=False, width=1000, allow_unicode=True))
    for path in [chart, *chart.rglob("*")]:
        os.utime(path, (when.timestamp(), when.timestamp()))
    return chart


def write_layout(package: Path, metadata: Document, when: datetime, target: Path) -> str:
    """Write a packaged chart as Helm stores it in a registry, as an OCI image layout; answer its digest."""
    name = "org.opencontainers.image."
    said = {
        f"{name}title": str(metadata["name"]),
        f"{name}version": str(metadata["version"]),
        f"{name}description": str(metadata["description"]),
        f"{name}created": when.isoformat().replace("+00:00", "Z"),
    }
    config = Blob(_CONFIG, json.dumps(metadata).encode())
    return write_artifact(target, config, Blob(_CONTENT, package.read_bytes()), said, str(metadata["version"]))
