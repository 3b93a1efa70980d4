"""⑥ From a source on the disk to an mp3 on the disk, by ffmpeg."""

from collections.abc import Callable
from pathlib import Path

from video2mp3_contracts.reasons import Reason
from video2mp3_worker import child, commands, limits
from video2mp3_worker.child import Confinement
from video2mp3_worker.errors import Refused
from video2mp3_worker.failures import explain_failure, is_partial, refuse_if_killed
from video2mp3_worker.limits import Budget
from video2mp3_worker.plan import Plan
from video2mp3_worker.progress import ProgressLines
from video2mp3_worker.watch import Watch


def encode(
    source: Path, destination: Path, plan: Plan, budget: Budget, watch: Watch, report: Callable[[float], None]
) -> float:
    """Write the mp3, without tags; answer how many seconds it plays. `report` is told how far it is, in seconds.

    Raises Refused for what the media is to blame for, TryAgain for the rest.
    """
    destination.touch()
    lines = ProgressLines()

    def look() -> None:
        watch.moved_to(lines.seconds)
        watch.check()
        report(lines.seconds)

    confinement = Confinement(
        reads=(source,),
        writes=(destination,),
        cpu_seconds=budget.cpu_seconds,
        data_bytes=limits.DATA_BYTES,
        file_bytes=budget.output_bytes,
    )
    ended = child.run(commands.convert(source, destination, plan, budget), confinement, output=lines.feed, watch=look)
    refuse_if_killed(ended)
    if ended.status != 0:
        raise explain_failure(ended)
    _refuse_incomplete(ended.complaint, lines.seconds, destination, budget)
    return lines.seconds


def _refuse_incomplete(complaint: str, seconds: float, destination: Path, budget: Budget) -> None:
    if is_partial(complaint):
        raise Refused(
            Reason.TRUNCATED,
            "The file ends before its media does; the upload was probably cut short.",
            detail=complaint,
        )
    if seconds > budget.media_seconds:
        raise Refused(
            Reason.TOO_LONG, f"The sound plays for more than {budget.media_seconds / 3600:g} hours, which is the limit."
        )
    # ffmpeg stops before the packet that would not fit.
    if destination.stat().st_size > budget.output_bytes - 4_096:
        raise Refused(Reason.LIMIT_EXCEEDED, f"The mp3 would have more than {budget.output_bytes} bytes, the limit.")
    if seconds <= 0:
        raise Refused(Reason.NO_AUDIO, "The file has an audio track, but there is no sound in it.", detail=complaint)
