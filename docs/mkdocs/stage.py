"""Lays the repository's pages out for MkDocs, as they lie in it, so that their links lead on.

python stage.py TARGET SITE

Pages link to files of the sources and to folders. A file becomes a page that shows it, a folder one that lists it; both
only where a page links there. The program that draws the pictures comes from npm, by the digest that stands here.
"""

import base64
import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
BASE: Final = Path(__file__).with_name("mkdocs.yml")
MERMAID: Final = "mermaid@11.17.2"
MERMAID_DIGEST: Final = "V6K3C8EBdEsPFZXSKMJe6ppQOENxuHARr9GvHX4hh47lAbhMRD9qf4oEK7LoaRQxULMa80/qt5gHO73aCleBBg=="
"""SHA-512, as npm writes it, of the package whose major version the theme is made for."""
MERMAID_FILE: Final = "package/dist/mermaid.min.js"

_FENCE: Final = re.compile(r"(^```.*?^```)", re.MULTILINE | re.DOTALL)
_LINK: Final = re.compile(r"\]\(([^)\s#]+)(#[^)\s]*)?\)")
_LANGUAGES: Final = {".py": "python", ".yaml": "yaml", ".yml": "yaml", ".sql": "sql", ".json": "json", ".sh": "sh"}
_TOP: Final = (
    ("Start", "README.md"),
    ("How it works", "docs/architecture.md"),
    ("The Conversion", "docs/conversion.md"),
    ("Classes", "docs/classes.md"),
    ("Sets", "docs/sets.md"),
    ("Formats", "docs/formats.md"),
    ("REST API", "docs/api.md"),
    ("GitOps", "docs/gitops.md"),
    ("The chart", "charts/video2mp3/README.md"),
    ("Operations", "docs/operations.md"),
    ("Runbooks", "docs/runbooks.md"),
    ("Releases", "docs/releasing.md"),
    ("Examples", "examples/README.md"),
    ("Speed", "benchmarks/README.md"),
    ("Contributing", "CONTRIBUTING.md"),
    ("Security", "SECURITY.md"),
    ("Changelog", "CHANGELOG.md"),
    ("Third parties", "THIRD_PARTY.md"),
)


class Stage:
    """The pages by their place; those of files and folders are made when a link to one is met."""

    def __init__(self, files: list[str]) -> None:
        self._files = set(files)
        self._folders = {str(parent) for file in files for parent in Path(file).parents}
        self.pages: dict[str, str] = {}

    def add(self, name: str) -> None:
        """Add a page of the repository, and those that it leads to."""
        if name in self.pages:
            return
        self.pages[name] = ""
        parts = _FENCE.split((ROOT / name).read_text())
        self.pages[name] = "".join(part if part.startswith("```") else self._linked(part, name) for part in parts)

    def _linked(self, text: str, page: str) -> str:
        return _LINK.sub(lambda match: f"]({self._target(match[1], page)}{match[2] or ''})", text)

    def _target(self, link: str, page: str) -> str:
        if "://" in link or link.startswith("mailto:"):
            return link
        place = (ROOT / page).parent.joinpath(link).resolve()
        name = str(place.relative_to(ROOT))
        if name in self._files:
            return f"{link}{self._file(name)}"
        if name in self._folders:
            return f"{link.rstrip('/')}/{self._folder(name)}"
        return link

    def _file(self, name: str) -> str:
        """Add a file's page; answer what is appended to its name."""
        if name.endswith(".md"):
            self.add(name)
            return ""
        text = (ROOT / name).read_text(errors="replace")
        fence = "````"
        language = _LANGUAGES.get(Path(name).suffix, "text")
        head = "---\nsearch:\n  exclude: true\n---\n"
        title = f"# {Path(name).name}\n\n`{name}`\n\n"
        self.pages[f"{name}.md"] = f"{head}{title}{fence}{language}\n{text.rstrip()}\n{fence}\n"
        return ".md"

    def _folder(self, name: str) -> str:
        """Add a folder's page; answer its name there."""
        readme = f"{name}/README.md"
        if readme in self._files:
            self.add(readme)
            return "README.md"
        index = f"{name}/index.md"
        if index not in self.pages:
            self.pages[index] = ""
            self.pages[index] = f"# {name}\n\n{self._listing(name)}\n"
        return "index.md"

    def _listing(self, name: str) -> str:
        inside = sorted({Path(file).relative_to(name).parts[0] for file in self._files if file.startswith(f"{name}/")})
        return "\n".join(f"- {self._entry(name, each)}" for each in inside)

    def _entry(self, folder: str, name: str) -> str:
        """A page is linked by its heading; what else lies in a folder is only named."""
        path = f"{folder}/{name}"
        if not name.endswith(".md"):
            return f"`{name}`"
        self.add(path)
        return f"[{(ROOT / path).read_text().partition(chr(10))[0].lstrip('# ')}]({name})"


def tracked() -> list[str]:
    """Every file of the repository, also one that is not committed yet."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60).stdout
    return [name for name in listed.splitlines() if (ROOT / name).is_file()]


def navigation(files: list[str]) -> list[dict[str, object]]:
    """What stands beside every page: the pages for people, then the decisions."""
    decisions = [name for name in files if name.startswith("docs/adr/")]
    return [*({title: name} for title, name in _TOP), {"Decisions": sorted(decisions)}]


def mermaid(target: Path) -> None:
    """Put the program that draws the pictures into a file. Raises SystemExit where it is another one."""
    if target.exists():
        return
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", "--pack-destination", folder, MERMAID]
        subprocess.run(command, check=True, timeout=300, stdout=subprocess.DEVNULL)
        [package] = Path(folder).glob("*.tgz")
        if base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode() != MERMAID_DIGEST:
            raise SystemExit(f"{MERMAID} is not the package that stage.py names")
        with tarfile.open(package) as archive:
            file = archive.extractfile(MERMAID_FILE)
            if file is None:
                raise SystemExit(f"{MERMAID} has no {MERMAID_FILE}")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(file.read())


def main(target: Path, site: Path) -> None:
    """Write pages and configuration below a folder, for a site in another."""
    files = sorted(tracked())
    stage = Stage(files)
    for _, name in _TOP:
        stage.add(name)
    for name in files:
        if name.startswith("docs/adr/"):
            stage.add(name)
    for name, text in stage.pages.items():
        page = target / "pages" / name
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text)
    kept = Path(sys.prefix) / "share" / f"{MERMAID}.js"
    mermaid(kept)
    script = target / "pages" / "javascripts" / "mermaid.min.js"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_bytes(kept.read_bytes())
    places = {"docs_dir": "pages", "site_dir": str(site.resolve()), "nav": navigation(files)}
    (target / "mkdocs.yml").write_text(BASE.read_text() + yaml.safe_dump(places, sort_keys=False))
    sys.stdout.write(f"{len(stage.pages)} pages\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
