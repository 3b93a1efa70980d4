"""The command line explains itself and its failures."""

import contextlib

import pytest

from video2mp3_localcluster.app import cli
from video2mp3_localcluster.demo import demo
from video2mp3_localcluster.node import cluster
from video2mp3_localcluster.steps.step_log import StepFailed


@pytest.mark.parametrize("command", ["up", "down", "status", "load", "kubeconfig", "build", "images", "push"])
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([command, "--help"])
    assert end.value.code == 0
    assert f"localcluster {command}" in capsys.readouterr().out


def test_a_failure_is_one_sentence_and_an_exit_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise StepFailed("no disk space")

    monkeypatch.setattr(cluster, "build", fail)
    assert cli.main(["build"]) == cli.FAILED
    assert capsys.readouterr().err == "no disk space\n"


@pytest.mark.parametrize(("words", "nodes"), [([], 1), (["--nodes", "1"], 1), (["--nodes", "2"], 2)])
def test_one_node_is_the_default(words: list[str], nodes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(cli, "machine_lock", contextlib.nullcontext)
    monkeypatch.setattr(cluster, "up", lambda _files, nodes: asked.append(nodes))
    monkeypatch.setattr(cluster, "ingress_url", lambda _files: "")
    assert cli.main(["up", *words]) == 0
    assert asked == [nodes]


@pytest.mark.parametrize(("words", "nodes"), [([], 1), (["--nodes", "2"], 2)])
def test_what_the_tests_need_is_one_node_unless_they_say_so(
    words: list[str], nodes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(demo, "machine_lock", contextlib.nullcontext)
    monkeypatch.setattr(demo, "run_steps", lambda _steps: None)
    monkeypatch.setattr(demo, "load_steps", lambda _files, _images: [])
    monkeypatch.setattr(demo, "test_steps", lambda images: list(images) and [])
    monkeypatch.setattr(cluster, "start", lambda _files, nodes: asked.append(nodes))
    assert cli.main(["prepare", *words]) == 0
    assert asked == [nodes]
