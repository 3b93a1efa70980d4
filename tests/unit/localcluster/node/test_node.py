"""A pid file proves nothing: the process has to be a node's."""

from pathlib import Path

import pytest

from video2mp3_localcluster.node import node
from video2mp3_localcluster.steps.layout import NodeFiles

FILES = NodeFiles(Path("/state"), Path("/run"))
HOLDER = ["unshare", "--pid", "--", "python", "-I", "/state/supervisor.py", "/state/node.json"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (HOLDER, True),
        (["/usr/bin/unshare", *HOLDER[1:]], True),
        (node.launch_command(FILES), True),
        (["vi", "/state/supervisor.py", "/state/node.json"], False),
        (["unshare", "--pid", "--", "python", "/elsewhere/supervisor.py", "/elsewhere/node.json"], False),
        (["sleep", "60"], False),
        ([], False),
    ],
)
def test_only_a_nodes_command_line_counts(words: list[str], expected: bool, tmp_path: Path) -> None:
    (tmp_path / "42").mkdir()
    (tmp_path / "42" / "cmdline").write_text("\0".join(words))
    assert node.is_node(FILES, 42, tmp_path) is expected


@pytest.mark.parametrize("content", [None, "", "not a number", "4194304"])
def test_a_stale_pid_file_is_no_node(content: str | None, tmp_path: Path) -> None:
    files = NodeFiles(tmp_path / "state", tmp_path)
    if content is not None:
        files.pid.write_text(content)
    assert node.find(files, tmp_path / "proc") is None


def test_the_pid_is_recorded_before_anything_starts() -> None:
    script = node.launch_command(FILES)[2]
    assert script.index('> "$1"') < script.index("exec")


def test_the_second_node_starts_inside_the_first_and_is_told_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(node, "find", lambda _files: 42)
    words = node.launch_command(FILES.second)
    assert words[:4] == ["nsenter", "--net=/proc/42/ns/net", "--pid=/proc/42/ns/pid_for_children", "--"]
    (tmp_path / "43").mkdir()
    (tmp_path / "43" / "cmdline").write_text("\0".join(words[words.index("unshare") :]))
    assert node.is_node(FILES.second, 43, tmp_path)
    assert not node.is_node(FILES, 43, tmp_path)


def test_an_interrupted_removal_is_finished_by_the_next(tmp_path: Path) -> None:
    files = NodeFiles(tmp_path / "state", tmp_path / "run")
    for folder in ("state.removed/half", "state/etcd", "run"):
        (tmp_path / folder).mkdir(parents=True)
    node.remove_files(files)
    assert list(tmp_path.iterdir()) == []
