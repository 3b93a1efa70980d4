import hashlib
import json
import tarfile
from pathlib import Path

from video2mp3_localcluster.release.layouts import INDEX, join, pack, sha256


def layout(folder: Path, content: bytes) -> str:
    """A layout as buildah writes it, of one manifest."""
    digest = sha256(content)
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    (blobs / digest.removeprefix("sha256:")).write_bytes(content)
    (blobs / hashlib.sha256(b"shared").hexdigest()).write_bytes(b"shared")
    entry = {"mediaType": "m", "digest": digest, "size": len(content), "annotations": {"a": "b"}}
    (folder / "index.json").write_text(json.dumps({"manifests": [entry]}))
    return digest


def test_an_index_leads_to_each_processors_manifest(tmp_path: Path) -> None:
    arm, amd = layout(tmp_path / "arm64", b"arm"), layout(tmp_path / "amd64", b"amd!")
    folders = {"arm64": tmp_path / "arm64", "amd64": tmp_path / "amd64"}
    indexed = join(folders, tmp_path / "all", {"said": "so"}, "1.2.3")
    assert indexed.manifests == {"arm64": arm, "amd64": amd}
    blobs = tmp_path / "all" / "blobs" / "sha256"
    index = (blobs / indexed.digest.removeprefix("sha256:")).read_bytes()
    assert sha256(index) == indexed.digest
    assert json.loads(index) == {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            {"mediaType": "m", "digest": amd, "size": 4, "platform": {"architecture": "amd64", "os": "linux"}},
            {"mediaType": "m", "digest": arm, "size": 3, "platform": {"architecture": "arm64", "os": "linux"}},
        ],
        "annotations": {"said": "so"},
    }
    [entry] = json.loads((tmp_path / "all" / "index.json").read_text())["manifests"]
    assert (entry["digest"], entry["size"]) == (indexed.digest, len(index))
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "1.2.3"}
    assert {blob.name for blob in blobs.iterdir()} == {
        hashlib.sha256(blob.read_bytes()).hexdigest() for blob in blobs.iterdir()
    }


def test_the_same_layout_is_the_same_file(tmp_path: Path) -> None:
    for name in ("one", "two"):
        layout(tmp_path / name, b"content")
        pack(tmp_path / name, tmp_path / f"{name}.tar", 1_700_000_000)
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
    with tarfile.open(tmp_path / "one.tar") as archive:
        assert {member.mtime for member in archive} == {1_700_000_000}
        assert "index.json" in archive.getnames()
