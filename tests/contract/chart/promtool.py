"""Prometheus' own tool, from Debian: it reads rules as Prometheus does, and plays series to them."""

import json
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.contract.chart.manifests import Document
from tests.made import made
from video2mp3_localcluster.programs.binaries import Artefact
from video2mp3_localcluster.steps.layout import content_key
from video2mp3_localcluster.steps.packages import unpack_packages

PACKAGE = "prometheus"
SECONDS = 60


def unpacked() -> Path:
    """The program, downloaded by the first run on a machine."""
    key = content_key(platform.freedesktop_os_release().get("VERSION_CODENAME", ""), platform.machine(), PACKAGE)
    artefact = Artefact(PACKAGE, key, lambda log, folder: unpack_packages(log, [PACKAGE], folder))
    return made("promtool", artefact) / "usr/bin/promtool"


@dataclass(frozen=True)
class Promtool:
    """The rules of one PrometheusRule, and a folder to work in."""

    program: Path
    folder: Path
    rules: Document

    def check(self) -> None:
        """Read the rules, the templates in annotations included; raises AssertionError with what is wrong."""
        self._run("check", "rules", self._write("rules.json", self.rules))

    def lint(self, metrics: str) -> None:
        """Read what a service exports by Prometheus' rules for names; raises AssertionError with what is wrong."""
        self._run("check", "metrics", stdin=metrics)

    def play(self, series: dict[str, str], minutes: int, firing: dict[str, int]) -> None:
        """Give the rules these series, one value a minute, and compare which alerts fire after so many minutes.

        Values are written as promtool does: `0+1x60` begins with 0 and grows by 1 sixty times. `firing` has the number
        of alerts by their name. Raises AssertionError with both.
        """
        samples = [{"labels": f'{{alertname="{name}"}}', "value": count} for name, count in firing.items()]
        query = 'count by (alertname) (ALERTS{alertstate="firing"})'
        test = {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [{"expr": query, "eval_time": f"{minutes}m", "exp_samples": samples}],
        }
        rules = self._write("rules.json", self.rules)
        self._run("test", "rules", self._write("test.json", {"rule_files": [rules], "tests": [test]}))

    def _write(self, name: str, document: Document) -> str:
        # JSON is YAML.
        (self.folder / name).write_text(json.dumps(document))
        return name

    def _run(self, *arguments: str, stdin: str = "") -> None:
        done = subprocess.run(
            [self.program, *arguments],
            input=stdin,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
