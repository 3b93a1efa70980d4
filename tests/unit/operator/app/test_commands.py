"""What the administrator's dry run says of each thing."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders import NOW, OWNER, an_entry
from video2mp3_operator.app.commands import finding_line, parser
from video2mp3_operator.gc.collector import Finding
from video2mp3_operator.gc.rules import Verdict
from video2mp3_operator.objects.stored import StoredFile

WEEK = timedelta(days=7)
MARKED = StoredFile("a", OWNER, unwanted_since=NOW)
ENTRY = an_entry().with_result().entry


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        (Finding("upload", "a", Verdict.MARK, StoredFile("a", OWNER)), f"upload a is marked next {OWNER}"),
        (Finding("upload", "a", Verdict.REMOVE, MARKED), f"upload a goes next {OWNER}"),
        (
            Finding("upload", "a", Verdict.REMOVE, MARKED, held=True),
            f"upload a waits until somebody has looked {OWNER}",
        ),
        (
            Finding("upload", "a", Verdict.LEAVE, MARKED),
            f"upload a goes after {NOW + WEEK:%Y-%m-%dT%H:%M:%SZ} {OWNER}",
        ),
        (
            Finding("entry", ENTRY.uid, Verdict.KEEP, ENTRY),
            f"entry {ENTRY.uid} is kept for its owner {ENTRY.namespace}/{ENTRY.name} of {ENTRY.owner}",
        ),
        (Finding("chunks of mp3s", "a", Verdict.MARK, StoredFile("a")), "chunks of mp3s a is marked next"),
        (Finding("upload", "a", Verdict.LEAVE, StoredFile("a", OWNER)), ""),
        (Finding("upload", "a", Verdict.UNMARK, MARKED), ""),
        (Finding("entry", ENTRY.uid, Verdict.HAND_OVER, ENTRY), ""),
    ],
)
def test_a_line_says_what_becomes_of_a_thing(finding: Finding, line: str) -> None:
    assert finding_line(finding, WEEK) == line


PAGES = [Path(__file__).parents[4] / "docs" / name for name in ("operations.md", "runbooks.md")]


def test_the_commands_that_the_guide_names_exist() -> None:
    text = "".join(page.read_text() for page in PAGES)
    named = re.findall(r"(?:^|`|-- video2mp3-)operator ((?:dump|load|sweep|claim)[^`<>#\n]*)", text, re.MULTILINE)
    assert {each.split()[0] for each in named} == {"dump", "load", "sweep", "claim"}
    for each in named:
        assert parser().parse_args(each.split())


@pytest.mark.parametrize("arguments", [[], ["sweep"], ["sweep", "--dry-run", "--confirm"], ["dump", "x"], ["remove"]])
def test_what_is_no_command_is_refused(arguments: list[str], capsys: Any) -> None:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(arguments)
    assert "usage: video2mp3-operator" in capsys.readouterr().err
