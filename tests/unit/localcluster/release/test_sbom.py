"""What an image has, as a document that the makers of CycloneDX read as well."""

import json
from datetime import UTC, datetime

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from video2mp3_localcluster.images.catalogue import SERVICES
from video2mp3_localcluster.release.contents import Contents, DebianPackage, PythonPackage
from video2mp3_localcluster.release.locks import Pin, pins
from video2mp3_localcluster.release.sbom import Document, Subject, build_sbom
from video2mp3_localcluster.release.third_party import lock_of
from video2mp3_localcluster.steps.layout import repository_root

DIGEST = f"sha256:{'d' * 64}"
WORKER = Subject("worker", "1.2.3", "arm64", DIGEST, datetime(2026, 3, 4, tzinfo=UTC))
SUITE = {"ID": "debian", "VERSION_ID": "13", "PRETTY_NAME": "Debian GNU/Linux 13 (trixie)"}


def complaint(document: Document) -> object:
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(document))


def component(document: Document, name: str) -> Document:
    [found] = [each for each in document["components"] if each["name"] == name]
    return found  # type: ignore[no-any-return]


def test_a_document_names_what_scanners_look_for() -> None:
    has = Contents(
        (DebianPackage("libc6", "2.41-12+deb13u1", "arm64", "glibc"), DebianPackage("ffmpeg")),
        (PythonPackage("pymongo", "4.20.0", "Apache-2.0"), PythonPackage("video2mp3-worker", "1.2.3", "")),
        SUITE,
    )
    document = build_sbom(WORKER, has, {"pymongo": Pin("pymongo", "4.20.0", ("a" * 64, "b" * 64))})
    assert complaint(document) is None
    assert document["metadata"]["component"]["purl"] == (
        f"pkg:oci/worker@{DIGEST.replace(':', '%3A')}?arch=arm64&tag=1.2.3"
    )
    assert component(document, "libc6")["purl"] == (
        "pkg:deb/debian/libc6@2.41-12%2Bdeb13u1?arch=arm64&distro=debian-13&upstream=glibc"
    )
    assert component(document, "ffmpeg")["purl"] == "pkg:deb/debian/ffmpeg?distro=debian-13"
    assert "version" not in component(document, "ffmpeg")
    files = component(document, "pymongo")["externalReferences"]
    assert [file["hashes"][0]["content"] for file in files] == ["a" * 64, "b" * 64]
    assert component(document, "video2mp3-worker")["licenses"] == [{"expression": "Apache-2.0"}]


def test_hashes_of_another_version_are_not_claimed() -> None:
    has = Contents((), (PythonPackage("pymongo", "4.19.0", ""),), {})
    document = build_sbom(WORKER, has, {"pymongo": Pin("pymongo", "4.20.0", ("a" * 64,))})
    assert complaint(document) is None
    assert "externalReferences" not in component(document, "pymongo")


@pytest.mark.parametrize("image", SERVICES, ids=lambda image: image.name)
def test_every_lock_makes_a_document(image: object) -> None:
    [service] = [each for each in SERVICES if each is image]
    lock = pins(lock_of(repository_root(), service.dockerfile))
    has = Contents((), tuple(PythonPackage(pin.name, pin.version, "MIT") for pin in lock.values()), {})
    document = build_sbom(WORKER, has, lock)
    assert complaint(document) is None
    assert all(each["externalReferences"] for each in document["components"])


def test_a_document_that_is_none_is_found() -> None:
    document = build_sbom(WORKER, Contents((), (), {}), {})
    assert complaint(document | {"components": [{"type": "library"}]}) is not None
