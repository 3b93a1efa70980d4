"""The termination message."""

import json
from pathlib import Path

import pytest

from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.jobs.exit_codes import ExitCode
from video2mp3_contracts.jobs.worker import TERMINATION_MESSAGE_LIMIT, TerminationMessage
from video2mp3_worker.app.termination_message import crashed, last_words, leave


@pytest.mark.parametrize("character", ["x", "\x01", "ü", "🐞"])
def test_it_always_fits_and_keeps_the_sentence(character: str) -> None:
    words = last_words(ExitCode.BAD_MEDIA, Reason.NOT_MEDIA, "A sentence.", character * 5_000 + "the end")

    assert len(words) <= TERMINATION_MESSAGE_LIMIT
    message = TerminationMessage.model_validate_json(words)
    assert (message.exit_code, message.reason, message.message) == (65, "NotMedia", "A sentence.")
    assert message.detail.endswith("the end")


def test_a_crash_is_told_without_the_values_in_it() -> None:
    assert json.loads(crashed(KeyError)) == {
        "exitCode": 1,
        "reason": "WorkerCrashed",
        "message": "The worker ended in a way it should not (KeyError).",
        "detail": "",
    }


def test_without_kubernetes_there_is_no_place_for_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leave(b"{}", tmp_path / "nowhere" / "log")

    assert "no termination message" in capsys.readouterr().err


@pytest.mark.parametrize("landlock", [True, False, None])
def test_they_say_what_the_kernel_has(landlock: bool | None) -> None:
    words = last_words(ExitCode.DONE, Reason.SUCCEEDED, "Done.", landlock=landlock)

    assert TerminationMessage.model_validate_json(words).landlock is landlock
