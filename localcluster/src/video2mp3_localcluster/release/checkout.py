"""The checkout that a release is made from: its commit, and the cut that makes it a release's."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from video2mp3_localcluster.release.changelog import ChangelogError, cut, section, versions
from video2mp3_localcluster.release.versions import VersionError, check_follows, current, order, with_version
from video2mp3_localcluster.steps.step_log import StepFailed, StepLog

CHANGELOG: Final = "CHANGELOG.md"
CRDS: Final = "crds"
RELEASED_CRDS: Final = "crds/released"


@dataclass(frozen=True)
class Commit:
    """What is released."""

    digest: str
    """Git's, hexadecimal."""
    when: datetime


def make_cut(log: StepLog, root: Path, version: str) -> Commit:
    """Make the checkout a release's, unless it is, and commit that; answer the commit. Nothing is pushed or tagged.

    Raises StepFailed where it cannot be one: files that are not committed, a version that does not follow, nothing new.
    """
    try:
        order(version)
        _check_clean(log, root)
        if is_cut(root, version):
            log.note("made already")
        else:
            _cut(log, root, version)
    except (VersionError, ChangelogError) as error:
        raise StepFailed(str(error)) from error
    return head(log, root)


def is_cut(root: Path, version: str) -> bool:
    """Whether the checkout is that of a release: the changelog has its section, and the chart its version."""
    return version in versions((root / CHANGELOG).read_text()) and current(root) == version


def head(log: StepLog, root: Path) -> Commit:
    """The commit that is checked out."""
    digest, seconds = log.output(["git", "show", "--no-patch", "--format=%H %ct", "HEAD"], cwd=root).split()
    return Commit(digest, datetime.fromtimestamp(int(seconds), UTC))


def _check_clean(log: StepLog, root: Path) -> None:
    changed = log.output(["git", "status", "--porcelain"], cwd=root).splitlines()
    if changed:
        raise StepFailed(f"commit or remove what is not committed first: {', '.join(line[3:] for line in changed[:5])}")


def _cut(log: StepLog, root: Path, version: str) -> None:
    if f"v{version}" in log.output(["git", "tag", "--points-at", "HEAD"], cwd=root).split():
        raise StepFailed(
            f"v{version} is the tag of a commit that is not the release's: make the release before the tag"
        )
    changelog = root / CHANGELOG
    text = changelog.read_text()
    check_follows(version, versions(text))
    date = datetime.now(UTC).date().isoformat()
    changed = {changelog: cut(text, version, date), **with_version(root, version)}
    changed |= {root / RELEASED_CRDS / version / crd.name: crd.read_text() for crd in (root / CRDS).glob("*.yaml")}
    for path, content in changed.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    names = [str(path.relative_to(root)) for path in changed]
    log.command(["git", "add", "--", *names], cwd=root)
    log.command(["git", "commit", "--message", f"Release {version}", "--", *names], cwd=root)
    log.note(f"committed: {len(names)} files")


def notes(root: Path, version: str) -> str:
    """What the changelog says of a release."""
    return section((root / CHANGELOG).read_text(), version)
