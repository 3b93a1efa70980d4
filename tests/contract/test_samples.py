"""The commands on the pages work as they stand: whoever copies one need not have chosen a namespace before."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/*.md", "docs/adr/*.md", "examples/**/*.md", "charts/*/README.md", "*/README.md")
    for page in ROOT.glob(pattern)
)

NAMED = re.compile(r"(^|\s)(-n|--namespace|-A|--all-namespaces)([ =]|$)")
CLUSTER_WIDE = re.compile(
    r"kubectl (get --raw|api-resources|explain|create namespace|config|"
    r"(get|delete|label) (namespaces?|crds?|clusterroles?|nodes?|conversionclass(es)?)\b)"
)
WITH_NAMESPACES = ("secrets.yaml", "conversions.json")
"""Files that operations.md has `kubectl get` write, with each object's namespace."""

FROM_A_FILE = re.compile(r"kubectl apply (--server-side )?(--force-conflicts )?(-f|--filename) (\S+)")


def commands(page: Path) -> Iterator[str]:
    """Every kubectl command in the page's blocks, and those in its sentences that have an object's name."""
    text = page.read_text().replace("\\\n", " ")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    for line in "\n".join(blocks).splitlines():
        if found := re.search(r"kubectl .*", line):
            yield found[0]
    sentences = re.sub(r"^```\w*\n.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    yield from re.findall(r"`(kubectl [^`]*(?:/|NAME|--selector|--field-selector)[^`]*)`", sentences)


def says_where(command: str) -> bool:
    """Whether the command works wherever the current context points."""
    if NAMED.search(command) or CLUSTER_WIDE.match(command):
        return True
    found = FROM_A_FILE.match(command)
    return bool(found and found[4] in (*WITH_NAMESPACES, "crds/"))


SAMPLES = [(str(page.relative_to(ROOT)), command) for page in PAGES for command in commands(page)]


def test_there_are_samples() -> None:
    assert len({page for page, _ in SAMPLES}) > 4


@pytest.mark.parametrize(("page", "command"), SAMPLES)
def test_a_sample_says_in_which_namespace(page: str, command: str) -> None:
    assert says_where(command), f"{page}: {command}"
