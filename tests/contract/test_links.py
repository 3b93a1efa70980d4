"""Every link from one page of the repository to another, or within one, leads somewhere."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LISTED = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
PAGES = [ROOT / name for name in LISTED.split()]


def anchors(page: Path) -> set[str]:
    """As code hosts make them of headings: lower case, spaces as hyphens, nothing else but letters and digits."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(page: Path) -> list[str]:
    """Targets in the repository."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    for target in links(page):
        name, _, anchor = target.partition("#")
        other = (page.parent / name).resolve() if name else page
        assert other.exists(), target
        assert not anchor or anchor in anchors(other), target


def files(page: Path) -> list[str]:
    """Files of the sources as pages name them, without what stands between a service's folder and its package."""
    found = [line for line in page.read_text().splitlines() if "\u2026/" in line]
    return [file for line in found for file in _files_of(line)]


def _files_of(line: str) -> Iterator[str]:
    """A file whose folder is not said is in that of the one before."""
    folder = ""
    for named, file, alone in re.findall(r"`([\w-]+)/\u2026/([\w/]+\.py)`|`([a-z_]+/[\w/]+\.py)`", line):
        folder = named or folder
        if folder and not alone.startswith(("tests/", "docs/")):
            yield f"{folder}/src/*/{file or alone}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_are_named_are_there(page: Path) -> None:
    assert [file for file in files(page) if not list(ROOT.glob(file))] == []


def test_the_check_finds_files() -> None:
    assert "operator/src/*/reconciler/decide.py" in files(ROOT / "CONTRIBUTING.md")
    assert len(files(ROOT / "docs" / "architecture.md")) > 30


def test_the_check_finds_links() -> None:
    assert sum(len(links(page)) for page in PAGES) > 50
