"""What the kernel is told of a foreign processor's programs."""

from pathlib import Path

import pytest

from video2mp3_localcluster.debian.architectures import emulate, emulated, registration
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog


def test_the_kernel_is_told_in_its_own_words() -> None:
    """As qemu-aarch64.conf of Debian's qemu-user-static has it."""
    magic = r"\x7f\x45\x4c\x46\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    mask = r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
    told = registration("arm64", Path("/q/qemu-aarch64-static")).decode()
    assert told == f":qemu-aarch64:M::{magic}:{mask}:/q/qemu-aarch64-static:OF"


@pytest.mark.parametrize(
    ("entry", "works"),
    [("enabled\nflags: OF\n", True), ("disabled\nflags: F\n", False), ("enabled\nflags: OC\n", False), (None, False)],
)
def test_only_an_emulator_that_is_found_from_a_chroot_will_do(tmp_path: Path, entry: str | None, works: bool) -> None:
    if entry:
        (tmp_path / "qemu-aarch64").write_text(entry)
    assert emulated("arm64", tmp_path) is works


def test_a_kernel_that_takes_none_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "register").mkdir()
    log = StepLog(tmp_path / "log")
    with pytest.raises(StepFailed, match="leave them out by ARCHITECTURES"):
        emulate(log, "arm64", tmp_path / "qemu", tmp_path)
    log.close()


def test_it_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "register").touch()
    log = StepLog(tmp_path / "log")
    emulate(log, "arm64", tmp_path / "qemu-aarch64-static", tmp_path)
    assert (tmp_path / "register").read_bytes() == registration("arm64", tmp_path / "qemu-aarch64-static")
    (tmp_path / "register").write_bytes(b"")
    (tmp_path / "qemu-aarch64").write_text("enabled\nflags: F\n")
    emulate(log, "arm64", tmp_path / "qemu-aarch64-static", tmp_path)
    assert (tmp_path / "register").read_bytes() == b""
    log.close()
