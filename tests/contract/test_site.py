"""The site of the pages: MkDocs builds it strictly, and it has all that it shows."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "docs" / "mkdocs" / ".venv" / "bin"
SECONDS = 600
pytestmark = pytest.mark.timeout(SECONDS)


@pytest.fixture(scope="module")
def site() -> Path:
    """As `make docs` builds it; the first run on a machine fetches its tools."""
    done = subprocess.run(["make", "docs"], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return ROOT / "site"


def test_it_has_every_page_and_finds_words_in_it(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text())
    found = {entry["location"].partition("#")[0] for entry in index["docs"]}
    assert found >= {"", "docs/api/", "docs/operations/", "charts/video2mp3/", "docs/adr/0003-a-ledger-outlives-pods/"}
    assert found >= {f"docs/{page.stem}/" for page in (ROOT / "docs").glob("*.md")}
    assert "examples/conversion.yaml/" not in found
    assert (site / "examples" / "conversion.yaml" / "index.html").exists()


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    loaded = re.compile(
        r"<(?:script|img|iframe)[^>]*\ssrc=\"?([^\"\s>]+)|<link[^>]*rel=\"?(?:stylesheet|preconnect)[^>]*>"
    )
    pages = list(site.rglob("*.html"))
    assert len(pages) > 50
    foreign = {match[0] for page in pages for match in loaded.finditer(page.read_text()) if "//" in match[0]}
    assert foreign == set()
    assert "javascripts/mermaid.min.js" in (site / "index.html").read_text()
    assert (site / "javascripts" / "mermaid.min.js").stat().st_size > 1_000_000


def test_the_front_page_has_its_picture(site: Path) -> None:
    assert '<pre class="mermaid"><code>flowchart LR' in (site / "index.html").read_text()


@pytest.mark.parametrize("link", ["docs/nowhere.md", "docs/api.md#nowhere", "#nowhere"])
def test_a_link_that_leads_nowhere_is_found(site: Path, tmp_path: Path, link: str) -> None:
    subprocess.run(
        [TOOLS / "python", ROOT / "docs/mkdocs/stage.py", tmp_path, tmp_path / "site"], check=True, timeout=60
    )
    with (tmp_path / "pages" / "README.md").open("a") as page:
        page.write(f"\n[A link]({link})\n")
    command = [TOOLS / "mkdocs", "build", "--strict", "--config-file", tmp_path / "mkdocs.yml"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 1
    assert "nowhere" in done.stderr
    assert site.exists()
