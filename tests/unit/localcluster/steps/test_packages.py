"""Debian packages: only what is missing, and package lists only when needed."""

from pathlib import Path

import pytest

from video2mp3_localcluster.steps.packages import install_packages
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog


class Apt(StepLog):
    """A package manager that knows some packages and has some installed; old lists make the first download fail."""

    def __init__(self, path: Path, installed: set[str], known: set[str], *, lists_are_old: bool = False) -> None:
        super().__init__(path)
        self.installed = installed
        self.known = known
        self.lists_are_old = lists_are_old
        self.calls: list[str] = []

    def output(self, arguments, **_options) -> str:
        if arguments[0] == "apt-cache":
            return "".join(f" {name} | 1.0 | archive\n" for name in arguments[2:] if name in self.known)
        name = arguments[2].split("' ")[1].split(" ")[0]
        return "installed" if name in self.installed else ""

    def command(self, arguments, **_options) -> None:
        self.calls.append(arguments[1])
        if arguments[1] == "update":
            self.lists_are_old = False
        elif self.lists_are_old:
            raise StepFailed("404 not found")


@pytest.mark.parametrize(
    ("installed", "known", "lists_are_old", "calls"),
    [
        ({"iptables"}, set(), False, []),
        (set(), {"iptables"}, False, ["install"]),
        (set(), set(), False, ["update", "install"]),
        (set(), {"iptables"}, True, ["install", "update", "install"]),
    ],
)
def test_no_more_is_done_than_needed(
    installed, known, lists_are_old, calls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    apt = Apt(tmp_path / "log", installed, known, lists_are_old=lists_are_old)
    install_packages(apt, ["iptables"])
    apt.close()
    assert apt.calls == calls
