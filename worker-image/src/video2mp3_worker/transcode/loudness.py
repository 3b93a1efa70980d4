"""⑥ Hears how loud audio is, in the very samples that the encoder is given, and finds what makes it loud as wanted.

What decodes is the command that decodes for the encoder; its samples go into another run of ffmpeg, which knows nothing
else of the source: no name, no tag and no change of format on the way has a part in what it says. See ADR 17.
"""

from collections.abc import Callable

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.limits import bounds
from video2mp3_worker.limits.bounds import Budget
from video2mp3_worker.limits.watch import Watch
from video2mp3_worker.ports.errors import Refused, TryAgain
from video2mp3_worker.processes import child
from video2mp3_worker.processes.child import Confinement, Ended
from video2mp3_worker.processes.failures import explain_failure, refuse_if_killed
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode import commands
from video2mp3_worker.transcode.levelling import Level, Levelling, Loudness, encoder_gain, read_summary, settled
from video2mp3_worker.transcode.plan import Plan
from video2mp3_worker.transcode.progress import ProgressLines


def level(
    source: LocalSource,
    plan: Plan,
    budget: Budget,
    watch: Watch,
    report: Callable[[float], None],
    *,
    is_encoded: bool = True,
) -> Level | None:
    """Find what makes the audio as loud as the plan wants it; None where it does not. Raises as `encode`.

    `report` is told that nothing is done yet.
    """
    own = encoder_gain(plan.encoding) if is_encoded else 0.0
    wanted = plan.loudness
    if wanted is None:
        return None

    def listen(levelling: Levelling) -> Loudness:
        heard = measure(source, plan, budget, watch, report, levelling)
        watch.start_over()
        return heard.louder(own)

    return settled(wanted, listen(Levelling()), listen)


def measure(
    source: LocalSource,
    plan: Plan,
    budget: Budget,
    watch: Watch,
    report: Callable[[float], None],
    levelling: Levelling,
) -> Loudness:
    """Listen to the whole of what will be encoded, after something is done to it. Raises as `encode`."""
    lines = ProgressLines()

    def look() -> None:
        watch.moved_to(lines.seconds)
        watch.check()
        report(0.0)

    decoded, heard = child.run_in_line(
        [
            (commands.decode(source, plan, budget, headroom=commands.SPARE_HEADROOM), decoding(source, budget)),
            (commands.listen(plan, levelling), between(budget)),
        ],
        output=lines.feed,
        watch=look,
    )
    refuse_failed_filter(heard)
    _refuse_failed_decoder(decoded, plan)
    found = read_summary(heard.complaint)
    if found is None:
        raise Refused(Reason.NO_AUDIO, "The file has an audio track, but there is no sound in it.")
    return found


def decoding(source: LocalSource, budget: Budget) -> Confinement:
    """Of the run of ffmpeg that reads the source."""
    return Confinement(reads=(source.path,), cpu_seconds=budget.cpu_seconds, data_bytes=bounds.DATA_BYTES)


def between(budget: Budget) -> Confinement:
    """Of a run of ffmpeg that is given samples, and reads no file at all."""
    return Confinement(reads=(), cpu_seconds=budget.cpu_seconds, data_bytes=bounds.DATA_BYTES)


def _refuse_failed_decoder(decoded: Ended, plan: Plan) -> None:
    """Raise where the source could not be decoded, and what is there of it is not enough."""
    refuse_if_killed(decoded)
    if decoded.status != 0 and not plan.allow_truncated:
        raise explain_failure(decoded)


def refuse_failed_filter(ended: Ended) -> None:
    """Raise where a run of ffmpeg failed that is given samples: the source is not to blame for that."""
    refuse_if_killed(ended)
    if ended.status != 0:
        raise TryAgain(
            Reason.WORKER_CRASHED, "The program that listens ended in a way it should not.", detail=ended.complaint
        )
