"""④ How a pod ended: a reason, a sentence, and what ffmpeg complained of. Pure.

What the kubelet says of the pod comes first, since where it ended the pod, or never began it, the worker's exit code
says nothing. Then the worker's own last words, then what its exit code stands for.
"""

from typing import Final

from pydantic import ValidationError

from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.jobs.exit_codes import PERMANENT, ExitCode
from video2mp3_contracts.jobs.worker import TerminationMessage
from video2mp3_operator.objects.pods import Pod

LONGEST_MESSAGE: Final = 512

_BY_EXIT_CODE: Final = {
    ExitCode.DONE: (Reason.SUCCEEDED, "The worker is done."),
    ExitCode.BAD_REQUEST: (Reason.BAD_REQUEST, "What was asked for cannot be done with this source."),
    ExitCode.BAD_MEDIA: (Reason.NOT_MEDIA, "The source cannot be converted."),
    ExitCode.SOURCE_MISSING: (Reason.SOURCE_NOT_FOUND, "There is no such source file."),
    ExitCode.TRY_AGAIN: (Reason.SERVICE_UNAVAILABLE, "A service that the worker needs was away."),
    ExitCode.STOPPED: (Reason.STOPPED, "The worker was asked to stop."),
}
"""What is said of an attempt that left no words of its own."""

_REASONS: Final = {str(reason): reason for reason in Reason}


def outcome_of(pod: Pod) -> tuple[str, str, str]:
    """Reason, sentence and detail."""
    if not pod.ended:
        return Reason.RUNNING, "", ""
    verdict = _kubelets(pod) if pod.exit_code not in PERMANENT else None
    return (*verdict, "") if verdict else _workers(pod)


def _kubelets(pod: Pod) -> tuple[Reason, str] | None:
    """What the kubelet says of the pod, where that is more than how its worker ended."""
    if pod.disrupted:
        return Reason.DISRUPTED, _in_words(Reason.DISRUPTED, pod)
    if pod.container_reason == "OOMKilled":
        return Reason.OUT_OF_MEMORY, Reason.OUT_OF_MEMORY.meaning
    if pod.pod_reason == "DeadlineExceeded":
        return Reason.RUN_TIMEOUT, Reason.RUN_TIMEOUT.meaning
    if pod.pod_reason == "Evicted":
        # For what its node lacks, it would be marked as a disruption: this is for a limit of its own.
        return Reason.OUT_OF_DISK, _in_words(Reason.OUT_OF_DISK, pod)
    if pod.exit_code is None and pod.started_at is None:
        return Reason.NOT_STARTED, pod.init_failure or _in_words(Reason.NOT_STARTED, pod)
    if pod.deleted_at is not None and pod.exit_code not in (ExitCode.DONE, None):
        return Reason.STOPPED, "Its pod was deleted."
    return None


def _in_words(reason: Reason, pod: Pod) -> str:
    """The kubelet's words; where it has none, what the reason means."""
    message = ": ".join(each for each in (pod.pod_reason, pod.pod_message) if each)
    return message[:LONGEST_MESSAGE] if pod.pod_message else reason.meaning


def _workers(pod: Pod) -> tuple[str, str, str]:
    said = said_by(pod)
    if said is None:
        return *generic(pod.exit_code), ""
    return (
        reason_of(said.reason, pod.exit_code),
        sentence(said.message, pod.exit_code),
        said.detail[-LONGEST_MESSAGE:],
    )


def said_by(pod: Pod) -> TerminationMessage | None:
    """What the worker left as it ended; None where it left nothing that can be read."""
    try:
        return TerminationMessage.model_validate_json(pod.termination_message)
    except ValidationError:
        return None


def reason_of(text: str, exit_code: int | None) -> Reason:
    """The reason that a worker named, if it is one of ours; else what its exit code stands for."""
    return _REASONS.get(text) or generic(exit_code)[0]


def generic(exit_code: int | None) -> tuple[Reason, str]:
    """What an exit code stands for."""
    if exit_code in list(ExitCode):
        return _BY_EXIT_CODE[ExitCode(exit_code)]
    how = "without an exit code" if exit_code is None else f"with exit code {exit_code}"
    return Reason.WORKER_CRASHED, f"The worker ended {how}."


def sentence(text: str, exit_code: int | None) -> str:
    """A worker's sentence, if it left one."""
    return text.strip()[:LONGEST_MESSAGE] or generic(exit_code)[1]
