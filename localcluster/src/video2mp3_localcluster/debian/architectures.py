"""Processors that images are built for: this machine's, and others by emulation.

A foreign build runs the programs of the other kind of processor by QEMU, which the kernel starts for them
(binfmt_misc). That is told to the kernel once and holds until the machine restarts; nothing is installed.
"""

import platform
from pathlib import Path
from typing import Final

from video2mp3_localcluster.steps.step_log import StepFailed, StepLog

ARCHITECTURES: Final = ("amd64", "arm64")
"""By Debian's and the images' names, which are the same for these."""

_MACHINES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
_QEMU: Final = {"amd64": "qemu-x86_64", "arm64": "qemu-aarch64"}
_MACHINE_OF_ELF: Final = {"amd64": b"\x3e\x00", "arm64": b"\xb7\x00"}
_ELF: Final = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00"
"""How a little-endian 64-bit program begins, up to the kind of machine."""
_MASK: Final = b"\xff" * 7 + b"\x00" + b"\xff" * 8 + b"\xfe\xff\xff\xff"
"""The byte of the operating system may be any, and a shared object counts as a program."""

BINFMT: Final = Path("/proc/sys/fs/binfmt_misc")
EMULATOR_PACKAGE: Final = "qemu-user-static"


def host_architecture() -> str:
    """This machine's. Raises StepFailed where no image is built for it."""
    machine = platform.machine()
    if machine not in _MACHINES:
        raise StepFailed(f"images are built for {' and '.join(ARCHITECTURES)}; this machine is {machine}")
    return _MACHINES[machine]


def emulator(architecture: str, folder: Path) -> Path:
    """QEMU's program for a processor, in the unpacked Debian package."""
    return folder / "usr" / "bin" / f"{_QEMU[architecture]}-static"


def registration(architecture: str, program: Path) -> bytes:
    r"""What the kernel is told, in its own format: `:name:M::magic:mask:interpreter:flags`, bytes as `\\xNN`.

    `F` opens the interpreter now, so that it is found from within a chroot; `O` gives it the program as an open file.
    """
    magic, mask = _escaped(_ELF + _MACHINE_OF_ELF[architecture]), _escaped(_MASK)
    return f":{_QEMU[architecture]}:M::{magic}:{mask}:{program}:OF".encode()


def _escaped(text: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text)


def emulated(architecture: str, binfmt: Path = BINFMT) -> bool:
    """Whether the kernel starts an emulator for programs of a processor, also from within a chroot."""
    entry = binfmt / _QEMU[architecture]
    if not entry.exists():
        return False
    lines = entry.read_text().splitlines()
    return "enabled" in lines and any(line.startswith("flags:") and "F" in line for line in lines)


def emulate(log: StepLog, architecture: str, program: Path, binfmt: Path = BINFMT) -> None:
    """Have the kernel start an emulator for a foreign processor, unless it does. Raises StepFailed where it cannot."""
    if not (binfmt / "register").exists():
        log.command(["mount", "-t", "binfmt_misc", "binfmt_misc", binfmt])
    if emulated(architecture, binfmt):
        log.note("emulated already")
        return
    try:
        (binfmt / "register").write_bytes(registration(architecture, program))
    except OSError as error:
        raise StepFailed(
            f"the kernel takes no emulator for {architecture} ({error}); build those images on such a machine, "
            "or leave them out by ARCHITECTURES"
        ) from error
    log.note(f"by {program.name}")
