"""kube-score, which judges workloads by what Kubernetes' users have learnt, and why we do not follow it everywhere."""

import json
import re
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.contract.chart.manifests import COMPONENT, Manifests
from tests.made import made
from video2mp3_localcluster.programs.binaries import compiled_program
from video2mp3_localcluster.programs.golang import GoProgram

HERE = Path(__file__).parent
SECONDS = 60
_WELL = 10


@dataclass(frozen=True)
class Score:
    """What it says of a set of documents."""

    checks: int
    """How many it has made."""

    complaints: dict[str, set[str]]
    """Components by the check that they do not pass."""


@dataclass(frozen=True)
class KubeScore:
    """The program."""

    program: Path

    def version(self) -> str:
        """The version of its module."""
        found = re.search(r"zegl/kube-score (v\S+)", (HERE / "go.mod").read_text())
        assert found
        return found[1]

    def judge(self, manifests: Manifests) -> Score:
        """Make all checks that are on by default."""
        done = subprocess.run(
            [self.program, "score", "--output-format", "json", "-"],
            input=yaml.safe_dump_all(manifests.documents),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        checks, complaints = 0, defaultdict[str, set[str]](set)
        for judged in json.loads(done.stdout):
            component = judged["object_meta"].get("labels", {}).get(COMPONENT, judged["object_name"])
            made = [check for check in judged["checks"] if not check["skipped"]]
            checks += len(made)
            for check in made:
                if check["grade"] < _WELL:
                    complaints[check["check"]["id"]].add(component)
        return Score(checks, dict(complaints))


def exceptions() -> dict[str, set[str]]:
    """Components by the check that they need not pass; an empty set is all."""
    entries = yaml.safe_load((HERE / "exceptions.yaml").read_text())
    assert all(entry["why"] for entry in entries.values())
    return {check: set(entry["of"]) for check, entry in entries.items()}


def compiled_kube_score() -> KubeScore:
    """Compiled by the first run on a machine."""
    name = "kube-score"
    program = GoProgram(name, str(HERE), "github.com/zegl/kube-score/cmd/kube-score")
    return KubeScore(made(name, compiled_program(program)) / name)
