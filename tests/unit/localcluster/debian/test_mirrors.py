"""The machine's ways to the package registries, as files for builds."""

from pathlib import Path

import pytest

from video2mp3_localcluster.debian.mirrors import (
    Mirrors,
    archive_addresses,
    host_mirrors,
    host_suite,
    pip_settings,
    write_mount,
)
from video2mp3_localcluster.steps.steps import StepFailed, StepLog

TARGETS = """\
bookworm http://mirror.example.org/debian/
bookworm-updates http://mirror.example.org/debian/
bookworm-security http://mirror.example.org/security/
stable http://other.example.org/
"""
MIRRORS = Mirrors(
    archive="http://mirror.example.org/debian/",
    security="http://mirror.example.org/security/",
    apt_settings=('Acquire::http::Proxy "http://proxy.example.org:3128";',),
    pip_settings={"index-url": "https://user:secret@pypi.example.org/simple"},
)


def test_the_archives_of_the_machines_own_suite_are_used() -> None:
    addresses = archive_addresses(TARGETS, "bookworm")
    assert addresses == ("http://mirror.example.org/debian/", "http://mirror.example.org/security/")


class AptAndPip(StepLog):
    """Programs of a machine whose apt has no package lists until it fetches them."""

    updated = False

    def output(self, arguments, **_options) -> str:
        if "indextargets" in arguments:
            suite = host_suite()
            return TARGETS.replace("bookworm", suite) if self.updated else ""
        return 'Acquire::Retries "3";\nAPT::Architecture "amd64";\n' if "dump" in arguments else ""

    def command(self, arguments, **_options) -> None:
        self.updated = self.updated or arguments == ["apt-get", "update"]


def test_package_lists_are_fetched_where_apt_cannot_tell_its_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    log = AptAndPip(tmp_path / "log")
    mirrors = host_mirrors(log)
    log.close()
    assert mirrors.archive == "http://mirror.example.org/debian/"
    assert mirrors.apt_settings == ('Acquire::Retries "3";',)


def test_missing_sources_are_named() -> None:
    with pytest.raises(StepFailed, match="do not name trixie and trixie-security"):
        archive_addresses(TARGETS, "trixie")


def test_only_what_a_build_needs_is_taken_from_pip_and_later_lines_win() -> None:
    listing = """\
global.index-url='https://one.example.org/simple'
global.cert='/etc/ssl/ca.crt'
install.no-binary=':all:'
:env:.index-url='https://two.example.org/simple?a=b'
:env:.find-links='/opt/wheels'
"""
    assert pip_settings(listing) == {"index-url": "https://two.example.org/simple?a=b"}


def test_the_mount_leads_apt_and_pip_to_the_mirrors(tmp_path: Path) -> None:
    write_mount(MIRRORS, "trixie", tmp_path)
    sources = (tmp_path / "sources.list").read_text().splitlines()
    assert [line.split()[2:] for line in sources] == [
        ["http://mirror.example.org/debian/", "trixie", "main"],
        ["http://mirror.example.org/debian/", "trixie-updates", "main"],
        ["http://mirror.example.org/security/", "trixie-security", "main"],
        ["http://mirror.example.org/debian/", "trixie", "main"],
    ]
    assert [line.split()[0] for line in sources] == ["deb"] * 3 + ["deb-src"]
    apt = (tmp_path / "apt.conf").read_text()
    assert 'Acquire::http::Proxy "http://proxy.example.org:3128";' in apt
    assert 'Dir::Etc::SourceList "/mnt/sources.list";' in apt
    assert "index-url = https://user:secret@pypi.example.org/simple" in (tmp_path / "pip.conf").read_text()


def test_a_password_in_pips_address_stays_with_root(tmp_path: Path) -> None:
    write_mount(MIRRORS, "trixie", tmp_path)
    write_mount(MIRRORS, "trixie", tmp_path)
    assert (tmp_path / "pip.conf").stat().st_mode & 0o777 == 0o600
    # apt reads its files as a user of its own.
    assert (tmp_path / "apt.conf").stat().st_mode & 0o004
