"""Workflows and templates of code hosts: judged by the hosts' schemas; they call only `make` targets that are there."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.workflows.actionlint import complaints

ROOT = Path(__file__).resolve().parents[3]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
GITLAB = ROOT / ".gitlab-ci.yml"
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[!c]*.yml"))
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
SET_UP = re.compile(r"apt-get update && apt-get install -y --no-install-recommends [a-z0-9 -]+")
"""What a bare Debian lacks before there is a Makefile."""
MAKE = re.compile(r'(?:test -z "\$REGISTRY" \|\| )?make ([a-z-]+)(?: VERSION="\$\{\w+#v\}")?')
SECONDS = 120


def judged(schema: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("check-jsonschema")
    command = [program, f"--builtin-schema=vendor.{schema}", *paths]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)


def commands() -> Iterator[tuple[str, str]]:
    """Every line that a workflow has run, with the file's name."""
    for path in WORKFLOWS:
        document = yaml.safe_load(path.read_text())
        for job in document["jobs"].values():
            yield from ((path.name, step["run"]) for step in job["steps"] if "run" in step)
    document = yaml.safe_load(GITLAB.read_text())
    jobs: list[dict[str, Any]] = [job for job in document.values() if isinstance(job, dict)]
    for job in jobs:
        yield from ((GITLAB.name, line) for line in [*job.get("before_script", []), *job.get("script", [])])


@pytest.mark.timeout(900)  # the first run on a machine compiles it
@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.name)
def test_github_reads_the_workflows(workflow: Path) -> None:
    assert complaints(workflow) == []


@pytest.mark.timeout(900)
def test_a_workflow_with_a_mistake_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text("on: psuh\njobs: {a: {runs-on: ubuntu-24.04, steps: [{run: 'make ${{ github.reff }}'}]}}\n")
    assert len(complaints(wrong)) >= 2


@pytest.mark.parametrize(
    ("schema", "paths"),
    [
        ("github-workflows", WORKFLOWS),
        ("gitlab-ci", [GITLAB]),
        ("github-issue-forms", FORMS),
        ("github-issue-config", [ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml"]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_schemas_take_them(schema: str, paths: list[Path]) -> None:
    assert paths
    done = judged(schema, *paths)
    assert done.returncode == 0, done.stdout


def test_a_form_that_is_none_is_found(tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yml"
    wrong.write_text("name: A form\ndescription: Without a body.\n")
    assert judged("github-issue-forms", wrong).returncode == 1


@pytest.mark.parametrize(("file", "line"), sorted(set(commands())))
def test_only_targets_of_make_are_called(file: str, line: str) -> None:
    if not SET_UP.fullmatch(line):
        target = MAKE.fullmatch(line)
        assert target, line
        assert target[1] in TARGETS, file


def test_both_hosts_call_the_same() -> None:
    called: dict[bool, set[str]] = {True: set(), False: set()}
    for file, line in commands():
        if match := MAKE.fullmatch(line):
            called[file == GITLAB.name].add(match[1])
    assert (
        called[True] == called[False] >= {"verify", "test-unit", "test", "docs", "test-upgrade", "release", "publish"}
    )
