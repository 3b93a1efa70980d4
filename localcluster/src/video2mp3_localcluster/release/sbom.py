"""What is in an image as a document: CycloneDX 1.6, for the scanners that read it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote
from uuid import NAMESPACE_URL, uuid5

from video2mp3_localcluster.release.contents import Contents, DebianPackage, PythonPackage
from video2mp3_localcluster.release.locks import Pin

OURS: Final = "video2mp3-"
"""What the names of our own distributions begin with."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Subject:
    """The image that a document is about."""

    name: str
    version: str
    architecture: str
    digest: str
    """Of its manifest: `sha256:…`."""
    when: datetime

    @property
    def purl(self) -> str:
        """Its package URL."""
        return f"pkg:oci/{self.name}@{quote(self.digest, safe='')}?arch={self.architecture}&tag={self.version}"


def build_sbom(subject: Subject, contents: Contents, lock: Mapping[str, Pin]) -> Document:
    """The document of one image; `lock` has the files that pip was allowed to install, by their hashes."""
    components = [*_debian(contents), *(_python(package, lock.get(package.name)) for package in contents.python)]
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": uuid5(NAMESPACE_URL, subject.purl).urn,
        "version": 1,
        "metadata": {
            "timestamp": subject.when.isoformat(),
            "lifecycles": [{"phase": "post-build"}],
            "component": {
                "type": "container",
                "bom-ref": subject.purl,
                "name": f"video2mp3/{subject.name}",
                "version": subject.version,
                "purl": subject.purl,
                "hashes": [{"alg": "SHA-256", "content": subject.digest.removeprefix("sha256:")}],
                "licenses": [{"expression": "Apache-2.0"}],
            },
        },
        "components": components,
        "dependencies": [{"ref": subject.purl, "dependsOn": [component["bom-ref"] for component in components]}],
    }


def _debian(contents: Contents) -> Iterator[Document]:
    suite = contents.suite
    if suite:
        name = suite.get("ID", "debian")
        version = suite.get("VERSION_ID", "")
        yield {
            "type": "operating-system",
            "bom-ref": f"os:{name}",
            "name": name,
            "version": version,
            "description": suite.get("PRETTY_NAME", name),
        }
    for package in contents.debian:
        yield _debian_package(package, f"debian-{suite.get('VERSION_ID', '')}".rstrip("-"))


def _debian_package(package: DebianPackage, distribution: str) -> Document:
    version = f"@{quote(package.version, safe='')}" if package.version else ""
    qualifiers = [
        *([f"arch={package.architecture}"] if package.architecture else []),
        f"distro={distribution}",
        *([f"upstream={package.source}"] if package.source else []),
    ]
    purl = f"pkg:deb/debian/{quote(package.name, safe='')}{version}?{'&'.join(qualifiers)}"
    component = {"type": "library", "bom-ref": purl, "name": package.name, "purl": purl}
    if package.version:
        return component | {"version": package.version}
    known_by = "its files were copied in; their copyright file names the package, and no version is known"
    return component | {"description": known_by}


def _python(package: PythonPackage, pin: Pin | None) -> Document:
    purl = f"pkg:pypi/{package.name}@{package.version}"
    component: Document = {
        "type": "library",
        "bom-ref": purl,
        "name": package.name,
        "version": package.version,
        "purl": purl,
    }
    if package.name.startswith(OURS):
        component["licenses"] = [{"expression": "Apache-2.0"}]
    elif package.licence:
        component["licenses"] = [{"expression": package.licence}]
    if pin and pin.version == package.version:
        component["externalReferences"] = [
            {"type": "distribution", "url": purl, "hashes": [{"alg": "SHA-256", "content": digest}]}
            for digest in pin.hashes
        ]
    return component
