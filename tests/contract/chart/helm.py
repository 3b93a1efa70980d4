"""Runs helm on the chart, as somebody who installs it would."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.contract.chart.manifests import Manifests

ROOT = Path(__file__).resolve().parents[3]
CHART = ROOT / "charts" / "video2mp3"
RELEASE = "video2mp3"
NAMESPACE = "mp3"
SECONDS = 180

SMALLEST: dict[str, Any] = {
    "account": {"email": "First@example.com"},
    "notifier": {"from": "video2mp3 <mp3@example.com>", "smtp": {"host": "smtp.example.com"}},
    "publicUrl": "http://localhost:8080",
}
"""The values that have no default."""

BESIDE_THE_CRD: dict[str, Any] = {
    "crds": {"install": False},
    "rbac": {"aggregateRoles": False, "readClasses": False},
    "classes": {"install": False},
}


def merged(*layers: dict[str, Any]) -> dict[str, Any]:
    """Values over values, as helm merges several files."""
    result: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            below = result.get(key)
            result[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return result


class ValuesRefused(Exception):
    """helm did not render; the text is what a person reads."""


@dataclass(frozen=True)
class Chart:
    """The chart and the helm that renders it."""

    helm: Path

    def render(
        self, values: dict[str, Any] | None = None, *arguments: str, smallest: bool = True, release: str = RELEASE
    ) -> Manifests:
        """All documents for these values over the smallest ones, the tests of `helm test` included."""
        text = self.text(merged(SMALLEST if smallest else {}, values or {}), *arguments, release=release)
        return Manifests([document for document in yaml.safe_load_all(text) if document])

    def text(self, values: dict[str, Any], *arguments: str, release: str = RELEASE) -> str:
        """What `helm template` prints."""
        command = ["template", release, str(CHART), "--namespace", NAMESPACE, "--values", "-", *arguments]
        return self._run(command, json.dumps(values))

    def notes(self, values: dict[str, Any] | None = None) -> str:
        """What helm prints after an installation."""
        command = ["install", RELEASE, str(CHART), "--namespace", NAMESPACE, "--values", "-", "--dry-run=client"]
        return self._run(command, json.dumps(merged(SMALLEST, values or {}))).partition("NOTES:\n")[2]

    def lint(self, values: dict[str, Any]) -> str:
        """What `helm lint --strict` says."""
        return self._run(["lint", "--strict", str(CHART), "--values", "-"], json.dumps(values))

    def install(self, values: dict[str, Any], *where: str) -> None:
        """Install it, or upgrade what is installed, beside a CustomResourceDefinition that is there already.

        Without hooks, which are pods, and no server of these tests runs any.
        """
        command = ["upgrade", "--install", RELEASE, str(CHART), "--no-hooks", "--values", "-", *where]
        self._run(command, json.dumps(merged(SMALLEST, BESIDE_THE_CRD, values)))

    def uninstall(self, *where: str) -> str:
        """Remove what is installed; answers what helm says."""
        return self._run(["uninstall", RELEASE, *where], "")

    def roll_back(self, *where: str) -> None:
        """Take the last upgrade back."""
        self._run(["rollback", RELEASE, "--no-hooks", *where], "")

    def _run(self, arguments: list[str], stdin: str) -> str:
        done = subprocess.run(
            [self.helm, *arguments], input=stdin, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        if done.returncode:
            raise ValuesRefused(done.stderr)
        return done.stdout
