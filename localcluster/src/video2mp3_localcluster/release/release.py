"""Makes a release in a folder of `dist/`: images, chart, lists of contents, provenance, checksums.

Everything is made anew beside the folder and takes its place at the end: a run can be repeated, also one that was
cut off.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import yaml

from video2mp3_localcluster.debian.architectures import EMULATOR_PACKAGE, emulate, emulator, host_architecture
from video2mp3_localcluster.images.archives import archive_path
from video2mp3_localcluster.images.build import TOOLS_STEP, build_steps, image_store, tools_step
from video2mp3_localcluster.images.catalogue import SERVICES, Image
from video2mp3_localcluster.images.references import image_tags, runtime_name
from video2mp3_localcluster.programs.binaries import Artefact, compiled
from video2mp3_localcluster.release.changelog import entries
from video2mp3_localcluster.release.chart import NAME, Facts, stage, write_layout
from video2mp3_localcluster.release.checkout import Commit, make_cut, notes
from video2mp3_localcluster.release.checksums import SUMS, digest, digests, sums
from video2mp3_localcluster.release.contents import contents
from video2mp3_localcluster.release.layouts import Indexed, join, pack
from video2mp3_localcluster.release.locks import pins
from video2mp3_localcluster.release.provenance import Origin, Run, build_provenance
from video2mp3_localcluster.release.sbom import Subject, build_sbom
from video2mp3_localcluster.release.third_party import lock_of
from video2mp3_localcluster.steps.layout import content_key
from video2mp3_localcluster.steps.packages import unpack_packages
from video2mp3_localcluster.steps.step_log import StepLog
from video2mp3_localcluster.steps.steps import Step, run_steps

IMAGES: Final = "images"
SBOMS: Final = "sbom"
CHARTS: Final = "charts"
"""The part of the path in a registry that keeps the chart apart from the images."""
PROVENANCE: Final = "provenance.intoto.json"
_HELM_STEP: Final = "helm"
_CHART_STEP: Final = "chart"


@dataclass(frozen=True)
class Plan:
    """What is to be released, and what of it only its maker knows."""

    root: Path
    version: str
    architectures: tuple[str, ...]
    registry: str = ""
    source: str = ""
    builder: str = "urn:video2mp3:unattested-machine"
    """By default one that nobody vouches for."""

    @property
    def folder(self) -> Path:
        """Where the release is put."""
        return self.root / "dist" / self.version

    @property
    def partial(self) -> Path:
        """Where it is while it is being made."""
        return self.folder.with_name(f"{self.version}.partial")

    @property
    def parameters(self) -> dict[str, object]:
        """What the statement of provenance says was asked for."""
        return {"version": self.version, "architectures": list(self.architectures), "registry": self.registry}


@dataclass
class Made:
    """What the steps tell each other."""

    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    indexed: dict[str, Indexed] = field(default_factory=dict)
    chart: str = ""
    """The digest of the chart in a registry: `sha256:…`."""


def make_release(plan: Plan) -> Path:
    """Make the release, its progress shown; answer its folder. Raises StepFailed, which says what to do."""
    commits: list[Commit] = []
    run_steps([Step("changelog and versions", lambda log: commits.append(make_cut(log, plan.root, plan.version)))])
    for architecture in plan.architectures:
        _build(foreign(architecture))
    shutil.rmtree(plan.partial, ignore_errors=True)
    plan.partial.mkdir(parents=True)
    run_steps(release_steps(plan, commits[0]))
    shutil.rmtree(plan.folder, ignore_errors=True)
    plan.partial.rename(plan.folder)
    return plan.folder


def foreign(architecture: str) -> str:
    """The processor, if it is another than this machine's; otherwise nothing."""
    return "" if architecture == host_architecture() else architecture


def _build(architecture: str) -> None:
    steps = build_steps(SERVICES, architecture)
    if architecture and TOOLS_STEP in [step.name for step in steps]:
        run_steps(_emulation(architecture))
    run_steps(steps)


def _emulation(architecture: str) -> list[Step]:
    key = content_key(EMULATOR_PACKAGE)
    package = Artefact("qemu", key, lambda log, folder: unpack_packages(log, [EMULATOR_PACKAGE], folder))

    def start(log: StepLog) -> None:
        emulate(log, architecture, emulator(architecture, package.folder))

    return [Step("QEMU", package.make), Step(f"emulator of {architecture}", start, needs=("QEMU",))]


def release_steps(plan: Plan, commit: Commit) -> list[Step]:
    """The steps that write the files, after the images were built; one image follows the other: each fills the disk."""
    made = Made()
    steps = [tools_step(), Step(_HELM_STEP, compiled("helm").make)]
    before = TOOLS_STEP
    for image, tag in image_tags(SERVICES).items():
        name = f"release {image.name}"
        steps.append(Step(name, partial(_write_image, plan, commit, made, image, tag), (before,)))
        before = name
    steps.append(Step(_CHART_STEP, partial(_write_chart, plan, commit, made), (before, _HELM_STEP)))
    steps.append(Step("provenance and checksums", partial(_write_statements, plan, commit, made), (_CHART_STEP,)))
    return steps


def _write_image(plan: Plan, commit: Commit, made: Made, image: Image, tag: str, log: StepLog) -> None:
    indexed = _write_archive(plan, commit, image, tag, log)
    made.indexed[image.name] = indexed
    lock = pins(lock_of(plan.root, image.dockerfile))
    folder = plan.partial / SBOMS
    folder.mkdir(exist_ok=True)
    for architecture, manifest in indexed.manifests.items():
        found = contents(archive_path(image, tag, foreign(architecture)))
        subject = Subject(image.name, plan.version, architecture, manifest, commit.when)
        document = json.dumps(build_sbom(subject, found, lock), indent=2)
        (folder / f"{image.name}-{plan.version}-{architecture}.cdx.json").write_text(document + "\n")
    log.note(f"{indexed.digest[:19]}… for {', '.join(indexed.manifests)}")


def _write_archive(plan: Plan, commit: Commit, image: Image, tag: str, log: StepLog) -> Indexed:
    work = plan.partial / "work"
    layouts: dict[str, Path] = {}
    for architecture in plan.architectures:
        layouts[architecture] = work / architecture
        layouts[architecture].parent.mkdir(parents=True, exist_ok=True)
        store, archive = image_store(foreign(architecture)), archive_path(image, tag, foreign(architecture))
        store.write_layout(log, runtime_name(image, tag), archive, layouts[architecture])
    joined = work / "joined"
    indexed = join(layouts, joined, annotations(plan, commit, image), plan.version)
    target = plan.partial / IMAGES / f"{image.name}-{plan.version}.oci.tar"
    target.parent.mkdir(exist_ok=True)
    pack(joined, target, int(commit.when.timestamp()))
    shutil.rmtree(work)
    return indexed


def annotations(plan: Plan, commit: Commit, image: Image) -> Mapping[str, str]:
    """What an image's index says of itself, by the OCI's names."""
    name = "org.opencontainers.image."
    said = {
        f"{name}title": f"video2mp3 {image.name}",
        f"{name}version": plan.version,
        f"{name}revision": commit.digest,
        f"{name}created": commit.when.isoformat().replace("+00:00", "Z"),
        f"{name}licenses": "Apache-2.0",
    }
    return said | ({f"{name}source": plan.source} if plan.source else {})


def _write_chart(plan: Plan, commit: Commit, made: Made, log: StepLog) -> None:
    facts = Facts(
        plan.version,
        {name: indexed.digest for name, indexed in made.indexed.items()},
        plan.architectures,
        plan.registry,
        plan.source,
        entries(notes(plan.root, plan.version)),
    )
    work = plan.partial / "work"
    chart = stage(plan.root, work, facts, commit.when)
    helm = compiled("helm").folder / "helm"
    log.command([helm, "package", chart, "--destination", plan.partial])
    metadata = yaml.safe_load((chart / "Chart.yaml").read_text())
    package = plan.partial / f"{NAME}-{plan.version}.tgz"
    made.chart = write_layout(package, metadata, commit.when, work / "layout")
    pack(work / "layout", package.with_suffix(".oci.tar"), int(commit.when.timestamp()))
    shutil.rmtree(work)
    (plan.partial / "NOTES.md").write_text(notes(plan.root, plan.version) + "\n")
    for name in ("LICENSE", "THIRD_PARTY.md"):
        shutil.copy2(plan.root / name, plan.partial / name)


def _write_statements(plan: Plan, commit: Commit, made: Made, log: StepLog) -> None:
    files = digests(plan.partial)
    pushed = {name: indexed.digest for name, indexed in made.indexed.items()} | {f"{CHARTS}/{NAME}": made.chart}
    for name, digest_there in pushed.items():
        files[f"{plan.registry or NAME}/{name}"] = digest_there.removeprefix("sha256:")
    locks = {lock_of(plan.root, image.dockerfile) for image in SERVICES}
    hashed = {str(lock.relative_to(plan.root)): digest(lock) for lock in locks}
    origin = Origin(commit.digest, plan.source, hashed, plan.builder)
    run = Run(plan.parameters, made.started, datetime.now(UTC))
    statement = json.dumps(build_provenance(files, origin, run), indent=2)
    (plan.partial / PROVENANCE).write_text(statement + "\n")
    (plan.partial / SUMS).write_text(sums(digests(plan.partial)))
    log.note(f"{len(digests(plan.partial))} files")
