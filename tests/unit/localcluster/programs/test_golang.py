"""Which Go compiles the cluster, and what versions it has."""

import pytest

from video2mp3_localcluster.programs.binaries import go_programs, kubernetes_version
from video2mp3_localcluster.programs.golang import is_new_enough, required_version, sources


@pytest.mark.parametrize(
    ("version", "needed", "expected"),
    [
        ("go1.26.8", "1.26.0", True),
        ("go1.26", "1.26.0", False),
        ("go1.27rc1", "1.26.0", True),
        ("go1.9.7", "1.26.0", False),
        ("go1.26.0\n", "1.26.0", True),
        ("devel", "1.26.0", False),
        ("", "1.26.0", False),
    ],
)
def test_an_old_go_is_not_used(version: str, needed: str, expected: bool) -> None:
    assert is_new_enough(version, needed) is expected


def test_programs_report_the_versions_that_the_modules_require() -> None:
    flags = go_programs()["kubernetes"].linker_flags()
    assert f"version.gitVersion={kubernetes_version()}" in flags
    assert "version.gitMajor=1" in flags
    helm = go_programs()["helm"].linker_flags()
    assert f"version.version={required_version('addons', 'helm.sh/helm/v4')}" in helm


def test_an_unknown_requirement_is_an_error() -> None:
    with pytest.raises(ValueError, match="does not require"):
        required_version("addons", "example.org/nothing")


def test_every_program_of_ours_has_its_source() -> None:
    for program in go_programs().values():
        if program.package.startswith("."):
            assert (sources() / program.module / program.package / "main.go").exists()
