"""A release as somebody makes it, puts it into a registry, and installs it from there; only the images are small."""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.chart.helm import SMALLEST
from tests.made import made
from tests.servers.registry import RegistryServer
from tests.unit.localcluster.release.test_provenance import judge
from tests.unit.localcluster.release.test_sbom import complaint
from video2mp3_localcluster.debian.architectures import ARCHITECTURES
from video2mp3_localcluster.images.archives import archive_path
from video2mp3_localcluster.images.build import image_store
from video2mp3_localcluster.images.catalogue import SERVICES
from video2mp3_localcluster.images.push import Target
from video2mp3_localcluster.images.references import image_tags, runtime_name
from video2mp3_localcluster.node.scratch_image import write_scratch_image
from video2mp3_localcluster.programs.binaries import compiled
from video2mp3_localcluster.release.publish import publish_steps
from video2mp3_localcluster.release.release import PROVENANCE, Plan, foreign, make_release
from video2mp3_localcluster.steps.layout import cache_dir, repository_root
from video2mp3_localcluster.steps.step_log import StepFailed
from video2mp3_localcluster.steps.steps import run_steps

VERSION = "77.0.0"
SOURCE = "https://code.example.com/video2mp3"
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
PEOPLE = {
    f"GIT_{role}_{field}": "somebody@example.com" for role in ("AUTHOR", "COMMITTER") for field in ("NAME", "EMAIL")
}
SECONDS = 120


@dataclass(frozen=True)
class Release:
    """What was made."""

    plan: Plan
    helm: Path

    @property
    def folder(self) -> Path:
        return self.plan.folder

    @property
    def provenance(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / PROVENANCE).read_text())
        return found

    def template(self, chart: str, *arguments: str) -> list[dict[str, Any]]:
        command = [self.helm, "template", "video2mp3", chart, "--values", "-", *arguments]
        done = subprocess.run(
            command, input=json.dumps(SMALLEST), capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        return [document for document in yaml.safe_load_all(done.stdout) if document]


def git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True, timeout=SECONDS)
    return done.stdout


def checkout(folder: Path) -> Path:
    """A repository of one commit, with the files as they are here."""
    root = repository_root()
    for name in git(root, "ls-files", "--cached", "--others", "--exclude-standard").splitlines():
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
    changelog = folder / "CHANGELOG.md"
    changelog.write_text(
        changelog.read_text().replace("## [Unreleased]\n", "## [Unreleased]\n\n### Fixed\n\n- It.\n", 1)
    )
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "All")
    return folder


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    helm = made("helm", compiled("helm"))
    folder = tmp_path_factory.mktemp("release")
    with pytest.MonkeyPatch.context() as environment:
        for name, value in PEOPLE.items():
            environment.setenv(name, value)
        environment.setenv("XDG_CACHE_HOME", str(folder))
        (cache_dir() / "artefacts").mkdir()
        compiled("helm").folder.symlink_to(helm)
        for architecture in ARCHITECTURES:
            for image, tag in image_tags(SERVICES).items():
                program = folder / image.name
                program.write_text(f"The program of {image.name} for {architecture}.")
                archive = archive_path(image, tag, foreign(architecture))
                write_scratch_image(archive, runtime_name(image, tag), program, MACHINES[architecture])
        (folder / "checkout").mkdir()
        plan = Plan(checkout(folder / "checkout"), VERSION, ARCHITECTURES, source=SOURCE)
        make_release(plan)
        yield Release(plan, helm / "helm")
        for architecture in ARCHITECTURES:
            shutil.rmtree(image_store(foreign(architecture)).run_root, ignore_errors=True)


def test_it_holds_all_that_was_promised(release: Release) -> None:
    names = {str(path.relative_to(release.folder)) for path in release.folder.rglob("*") if path.is_file()}
    assert names == {
        *(f"images/{image.name}-{VERSION}.oci.tar" for image in SERVICES),
        *(f"sbom/{image.name}-{VERSION}-{each}.cdx.json" for image in SERVICES for each in ARCHITECTURES),
        *(
            "LICENSE",
            "NOTES.md",
            "SHA256SUMS",
            "THIRD_PARTY.md",
            PROVENANCE,
            f"video2mp3-{VERSION}.tgz",
            f"video2mp3-{VERSION}.oci.tar",
        ),
    }
    assert not release.plan.partial.exists()


def test_the_checksums_hold(release: Release) -> None:
    check = ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"]
    subprocess.run(check, cwd=release.folder, check=True, timeout=SECONDS)
    assert len((release.folder / "SHA256SUMS").read_text().splitlines()) == len(SERVICES) * 3 + 6


def test_the_provenance_is_of_these_files_and_this_commit(release: Release) -> None:
    judge(release.provenance)
    told = {each["name"]: each["digest"]["sha256"] for each in release.provenance["subject"]}
    files = {name: digest for name, digest in told.items() if (release.folder / name).exists()}
    for name, digest in files.items():
        assert hashlib.sha256((release.folder / name).read_bytes()).hexdigest() == digest, name
    pushed = {f"video2mp3/{image.name}" for image in SERVICES} | {"video2mp3/charts/video2mp3"}
    assert told.keys() - files.keys() == pushed
    source = release.provenance["predicate"]["buildDefinition"]["resolvedDependencies"][0]
    assert source["digest"]["gitCommit"] == git(release.plan.root, "rev-parse", "HEAD").strip()


def test_the_commit_is_the_cut(release: Release) -> None:
    root = release.plan.root
    assert git(root, "status", "--porcelain") == ""
    assert git(root, "log", "--format=%s").splitlines() == [f"Release {VERSION}", "All"]
    definitions = {path.name: path.read_text() for path in (root / "crds").glob("*.yaml")}
    assert {path.name: path.read_text() for path in (root / "crds/released" / VERSION).iterdir()} == definitions
    assert "- It." in (release.folder / "NOTES.md").read_text()


def test_the_lists_of_contents_are_read(release: Release) -> None:
    for path in (release.folder / "sbom").iterdir():
        assert complaint(json.loads(path.read_text())) is None, path.name


def test_the_chart_names_its_images_by_digest_and_lints(release: Release) -> None:
    chart = release.folder / f"video2mp3-{VERSION}.tgz"
    digests = {each["name"]: each["digest"]["sha256"] for each in release.provenance["subject"]}
    text = json.dumps(release.template(str(chart)))
    for image in SERVICES:
        name = f"video2mp3/{image.name}"
        assert f"{name}@sha256:{digests[name]}" in text
        assert f"{name}:" not in text
    command = [release.helm, "lint", "--strict", str(chart), "--values", "-"]
    subprocess.run(command, input=json.dumps(SMALLEST).encode(), capture_output=True, check=True, timeout=SECONDS)
    show = subprocess.run([release.helm, "show", "chart", chart], capture_output=True, check=True, timeout=SECONDS)
    shown = yaml.safe_load(show.stdout)
    assert (shown["version"], shown["appVersion"], shown["home"]) == (VERSION, VERSION, SOURCE)
    assert {"kind": "fixed", "description": "It."} in yaml.safe_load(shown["annotations"]["artifacthub.io/changes"])


def test_from_a_registry_it_is_what_was_made(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = release_registry(monkeypatch)
    with registry:
        target = Target(f"{registry.address}/team", VERSION, insecure=True)
        run_steps(publish_steps(release.folder, target))
        chart = f"oci://{target.registry}/charts/video2mp3"
        rendered = json.dumps(
            release.template(chart, "--version", VERSION, "--plain-http", "--set", f"images.registry={target.registry}")
        )
        told = {each["name"]: each["digest"]["sha256"] for each in release.provenance["subject"]}
        for name in (*(image.name for image in SERVICES), "charts/video2mp3"):
            header = registry.manifest(f"team/{name}", VERSION)[1]
            assert header["Docker-Content-Digest"] == f"sha256:{told[f'video2mp3/{name}']}"
        for image in SERVICES:
            index, header = registry.manifest(f"team/{image.name}", VERSION)
            assert f"{target.registry}/{image.name}@{header['Docker-Content-Digest']}" in rendered
            for manifest in json.loads(index)["manifests"]:
                assert registry.manifest(f"team/{image.name}", manifest["digest"])[0]


def release_registry(monkeypatch: pytest.MonkeyPatch) -> RegistryServer:
    """Its program is in the cache of the machine."""
    monkeypatch.delenv("XDG_CACHE_HOME")
    server = RegistryServer()
    server.prepare()
    return server


def test_made_again_it_is_the_same_commit(release: Release) -> None:
    before = git(release.plan.root, "rev-parse", "HEAD")
    chart = (release.folder / f"video2mp3-{VERSION}.tgz").read_bytes()
    (release.folder / "left-over").touch()
    make_release(release.plan)
    assert git(release.plan.root, "rev-parse", "HEAD") == before
    assert not (release.folder / "left-over").exists()
    assert (release.folder / f"video2mp3-{VERSION}.tgz").read_bytes() == chart


def test_what_is_not_committed_is_not_released(release: Release) -> None:
    loose = release.plan.root / "loose.txt"
    loose.touch()
    try:
        with pytest.raises(StepFailed, match=r"commit or remove what is not committed first: loose\.txt"):
            make_release(release.plan)
    finally:
        loose.unlink()
    assert release.folder.exists()


def test_a_tag_on_another_commit_is_no_release(release: Release) -> None:
    git(release.plan.root, "tag", "v78.0.0")
    with pytest.raises(StepFailed, match=r"v78\.0\.0 is the tag of a commit that is not the release's"):
        make_release(replace(release.plan, version="78.0.0"))


@pytest.mark.parametrize(
    ("version", "complaint"),
    [("76.0.0", r"76\.0\.0 does not follow 77\.0\.0"), ("77.1.0", "nothing to release"), ("v1", "'v1'")],
)
def test_a_version_that_cannot_be_is_refused(release: Release, version: str, complaint: str) -> None:
    with pytest.raises(StepFailed, match=complaint):
        make_release(replace(release.plan, version=version))
    assert git(release.plan.root, "status", "--porcelain") == ""


def test_a_changed_file_is_not_published(release: Release) -> None:
    changed = release.folder / "NOTES.md"
    before = changed.read_bytes()
    changed.write_text("Other words.")
    try:
        with pytest.raises(StepFailed, match="the files are not those of SHA256SUMS"):
            run_steps(publish_steps(release.folder, Target("registry.example.com/team", VERSION))[:1])
    finally:
        changed.write_bytes(before)
