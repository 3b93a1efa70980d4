"""The images of the services on a registry, put there by the command that people type."""

import base64
import gzip
import hashlib
import json
import re
import shutil
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests.servers.process import HOST
from tests.servers.registry import RegistryServer
from video2mp3_localcluster.app import cli
from video2mp3_localcluster.images.archives import archive_path
from video2mp3_localcluster.images.build import image_store
from video2mp3_localcluster.images.catalogue import SERVICES, Image
from video2mp3_localcluster.images.push import chart_version
from video2mp3_localcluster.images.references import image_tags, runtime_name
from video2mp3_localcluster.node.scratch_image import write_scratch_image


@pytest.fixture(scope="module")
def registry() -> Iterator[RegistryServer]:
    with RegistryServer() as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def built(registry: RegistryServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Image, Path]]:
    """A cache that has an archive of every service's image, as a build leaves it, but small.

    After the registry, whose program is in the cache of the machine.
    """
    folder = tmp_path_factory.mktemp("built")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_CACHE_HOME", str(folder))
        archives = {image: archive_path(image, tag) for image, tag in image_tags(SERVICES).items()}
        for image, tag in image_tags(SERVICES).items():
            program = folder / image.name
            program.write_text(f"The program of {image.name}.")
            write_scratch_image(archives[image], runtime_name(image, tag), program, "x86_64")
        yield archives
        shutil.rmtree(image_store().run_root)


def sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def configuration(archive: Path) -> bytes:
    """Of the image in an archive: its digest is the image's id, wherever it is."""
    with tarfile.open(archive) as content:
        [manifest] = json.loads(member(content, "manifest.json"))
        return member(content, manifest["Config"])


def member(archive: tarfile.TarFile, name: str) -> bytes:
    found = archive.extractfile(name)
    assert found, name
    return found.read()


def test_every_image_is_there_as_it_was_built(
    registry: RegistryServer, built: dict[Image, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["push", f"{registry.address}/team/mp3", "--insecure"]) == 0
    said = capsys.readouterr()
    assert said.out == f"--set images.registry={registry.address}/team/mp3\n"
    told = dict(re.findall(rf"{registry.address}/(\S+):{chart_version()}@(sha256:\w+)", said.err))
    assert told.keys() == {f"team/mp3/{image.name}" for image in SERVICES}
    for image in SERVICES:
        name = f"team/mp3/{image.name}"
        manifest, header = registry.manifest(name, chart_version())
        assert told[name] == header["Docker-Content-Digest"] == sha256(manifest)
        assert_the_image(registry, name, json.loads(manifest), configuration(built[image]))


def assert_the_image(registry: RegistryServer, name: str, manifest: dict, config: bytes) -> None:  # type: ignore[type-arg]
    """What a container runtime will make of it: the same configuration and the same layers."""
    assert manifest["config"]["digest"] == sha256(config)
    assert registry.blob(name, sha256(config)) == config
    layers = [gzip.decompress(registry.blob(name, layer["digest"])) for layer in manifest["layers"]]
    assert [sha256(layer) for layer in layers] == json.loads(config)["rootfs"]["diff_ids"]


def test_a_tag_of_ones_own_is_told_to_the_chart(registry: RegistryServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["push", f"{registry.address}/tagged", "--tag", "7", "--insecure"]) == 0
    assert capsys.readouterr().out == f"--set images.registry={registry.address}/tagged --set-string images.tag=7\n"
    for image in SERVICES:
        assert registry.manifest(f"tagged/{image.name}", "7")


def test_tls_is_demanded_unless_somebody_does_without(
    registry: RegistryServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["push", f"{registry.address}/plain"]) == cli.FAILED
    told = f"push gateway: {registry.address} speaks HTTP without TLS; say INSECURE=1 (--insecure) if it is meant to\n"
    assert capsys.readouterr().err.endswith(told)


class Doorkeeper(BaseHTTPRequestHandler):
    """A registry that lets nobody in, whatever login it is shown."""

    shown: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        self.shown.add(self.headers.get("Authorization", ""))
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="registry"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


def test_the_machines_login_is_shown_and_where_it_is_refused_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server = ThreadingHTTPServer((HOST, 0), Doorkeeper)
    address = f"{HOST}:{server.server_port}"
    login = base64.b64encode(b"somebody:password").decode()
    (tmp_path / "auth.json").write_text(json.dumps({"auths": {address: {"auth": login}}}))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    threading.Thread(target=server.serve_forever).start()
    try:
        assert cli.main(["push", f"{address}/team", "--insecure"]) == cli.FAILED
    finally:
        server.shutdown()
        server.server_close()
    assert f"Basic {login}" in Doorkeeper.shown
    told = f"{address} takes no images below {address}/team from this login; `buildah login {address}` is another one\n"
    assert capsys.readouterr().err.endswith(f"push gateway: {told}")
