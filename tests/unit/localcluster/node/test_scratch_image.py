"""Images made without any tool."""

import hashlib
import io
import json
import tarfile
from pathlib import Path

from video2mp3_localcluster.node.scratch_image import write_scratch_image


def test_an_image_holds_the_program_and_its_digests_fit(tmp_path: Path) -> None:
    program = tmp_path / "pause"
    program.write_bytes(b"\x7fELF")
    archive = tmp_path / "image.tar"
    write_scratch_image(archive, "localhost/pause:1", program, "aarch64")
    with tarfile.open(archive) as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar}
    (manifest,) = json.loads(files["manifest.json"])
    config = json.loads(files[manifest["Config"]])
    layer = files[manifest["Layers"][0]]
    assert manifest["RepoTags"] == ["localhost/pause:1"]
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    assert config["architecture"] == "arm64"
    assert config["config"]["Entrypoint"] == ["/pause"]
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        assert [(member.name, member.mode) for member in tar] == [("pause", 0o755)]


def test_the_same_program_gives_the_same_bytes(tmp_path: Path) -> None:
    program = tmp_path / "pause"
    program.write_bytes(b"\x7fELF")
    for name in ("a", "b"):
        write_scratch_image(tmp_path / name, "p:1", program, "x86_64")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
