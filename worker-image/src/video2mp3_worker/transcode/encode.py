"""⑥ From a source on the disk to an mp3 on the disk: ffmpeg decodes, the encoder encodes on every core there is."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.encoder.pieces import WHOLE, Span
from video2mp3_worker.limits import bounds, cores
from video2mp3_worker.limits.bounds import LONGEST_PAUSE_SECONDS, Budget
from video2mp3_worker.limits.watch import Watch
from video2mp3_worker.ports.errors import Refused, cut_short
from video2mp3_worker.processes import child
from video2mp3_worker.processes.child import Confinement, Ended
from video2mp3_worker.processes.failures import explain_failure, is_partial, refuse_failed_encoder, refuse_if_killed
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode import commands, parallelism
from video2mp3_worker.transcode.damage import Damage
from video2mp3_worker.transcode.levelling import Level, Levelling
from video2mp3_worker.transcode.loudness import between, decoding, level, refuse_failed_filter
from video2mp3_worker.transcode.plan import Plan
from video2mp3_worker.transcode.progress import ProgressLines

BROKEN_OFF = "The sound could not be read to its end: what comes before that is the mp3."
CUT_SHORT = "The file ends before its media does: what is there is the mp3."


@dataclass(frozen=True)
class Encoded:
    """An mp3, or a part of one, that was written."""

    seconds: float
    """How long it plays; of a part, where in the whole audio it ends."""

    notes: tuple[str, ...] = ()
    """What is wrong with the source's end, in sentences."""

    damage: Damage = field(default_factory=Damage)
    """What is wrong with it before that."""

    level: Level | None = None
    """How loud it is; None where nobody asked, or did not listen."""


def encode(
    source: LocalSource,
    destination: Path,
    plan: Plan,
    budget: Budget,
    watch: Watch,
    report: Callable[[float], None],
    span: Span | None = None,
) -> Encoded:
    """Write the mp3, without tags. `report` is told how far it is, in seconds.

    Where a loudness is wanted, the audio is listened to first. Of a span, only that part of the audio is written (see
    `encoder.parts`).

    Raises Refused for what the media is to blame for, TryAgain for the rest.
    """
    # A part is the same whatever it measures, where that is only to be written down.
    listens = plan.loudness is not None and (span is None or plan.loudness.mode != "measureOnly")
    heard = level(source, plan, budget, watch, report) if listens else None
    lines, damage = ProgressLines(), Damage()
    # Silence in a pause takes no bytes.
    most = bounds.plausible_seconds(source.size) + (LONGEST_PAUSE_SECONDS if plan.timing.fills_gaps else 0)
    decoded, *filters, encoded = child.run_into_encoder(
        _before_it(source, plan, budget, heard, parallelism.end_seconds(plan, span or WHOLE)),
        commands.encoder_options(destination, plan, cores.available(), span),
        _encoding(destination, budget),
        output=lines.feed,
        complained=damage.feed,
        watch=_look(lines, watch, report, most),
    )
    # The encoder first: when it goes, ffmpeg complains of a broken pipe.
    refuse_failed_encoder(encoded)
    for each in filters:
        refuse_failed_filter(each)
    refuse_if_killed(decoded)
    _refuse_implausible(lines.seconds, most)
    broken = _broken(decoded, plan, lines.seconds)
    _refuse_too_long(lines.seconds + sum(damage.left_out), budget)
    _refuse_nothing(decoded.complaint, lines.seconds, plan)
    if span is None or span.end is None:
        _refuse_nothing_but_silence(lines.seconds, plan)
    return Encoded(lines.seconds, tuple(broken), damage, heard)


def _before_it(
    source: LocalSource, plan: Plan, budget: Budget, heard: Level | None, end_seconds: float | None
) -> list[tuple[list[str], Confinement]]:
    """What stands before the encoder: what decodes, and what holds down peaks, where that is to be."""
    wanted = Levelling() if heard is None else heard.levelling
    if wanted.ceiling is None:
        return [(commands.decode(source, plan, budget, wanted.gain, end_seconds), decoding(source, budget))]
    spare = commands.decode(source, plan, budget, 0.0, end_seconds, commands.SPARE_HEADROOM)
    return [(spare, decoding(source, budget)), (commands.limit(plan, wanted), between(budget))]


def join(
    parts: Iterable[bytes],
    destination: Path,
    plan: Plan,
    budget: Budget,
    watch: Watch,
    report: Callable[[float], None],
) -> float:
    """Write the mp3 that the parts of whole audio make, given in order; otherwise as `encode`."""
    lines = ProgressLines()
    ended = child.run_joiner(
        parts,
        commands.joiner_options(destination, plan),
        _encoding(destination, budget),
        output=lines.feed,
        watch=_look(lines, watch, report),
    )
    refuse_failed_encoder(ended)
    return lines.seconds


def _encoding(destination: Path, budget: Budget) -> Confinement:
    destination.touch()
    return Confinement(
        reads=(),
        writes=(destination,),
        cpu_seconds=budget.cpu_seconds,
        data_bytes=bounds.DATA_BYTES,
        file_bytes=budget.output_bytes,
    )


def _look(
    lines: ProgressLines, watch: Watch, report: Callable[[float], None], most: float = math.inf
) -> Callable[[], None]:
    def look() -> None:
        watch.moved_to(lines.seconds)
        watch.check()
        _refuse_implausible(lines.seconds, most)
        report(lines.seconds)

    return look


def _broken(decoded: Ended, plan: Plan, seconds: float) -> list[str]:
    """What is to be said of audio that was not read to its end; raises where that is not to be converted."""
    may_be_broken = plan.allow_truncated and seconds > 0
    if decoded.status != 0:
        if not may_be_broken:
            raise explain_failure(decoded)
        return [BROKEN_OFF]
    if is_partial(decoded):
        if not may_be_broken:
            raise cut_short(decoded.complaint)
        return [CUT_SHORT]
    return []


def _refuse_implausible(seconds: float, most: float) -> None:
    if seconds > most:
        raise Refused(
            Reason.LIMIT_EXCEEDED,
            f"More than {most / 3600:.1f} hours of sound come out of this file, which is too small to hold as much.",
        )


def _refuse_nothing(complaint: str, seconds: float, plan: Plan) -> None:
    if seconds <= 0 and plan.start_seconds > 0:
        sentence = f"output.trim.start ({plan.start_seconds:g} s) is after the end of the sound."
        raise Refused(Reason.BAD_REQUEST, sentence, detail=complaint)
    if seconds <= 0:
        raise Refused(Reason.NO_AUDIO, "The file has an audio track, but there is no sound in it.", detail=complaint)


def _refuse_too_long(seconds: float, budget: Budget) -> None:
    if seconds > budget.media_seconds:
        raise Refused(
            Reason.TOO_LONG, f"The sound plays for more than {budget.media_seconds / 3600:g} hours, which is the limit."
        )


def _refuse_nothing_but_silence(seconds: float, plan: Plan) -> None:
    """The silence before audio that never comes."""
    if round(seconds * plan.sample_rate) <= round(plan.silence_seconds * plan.sample_rate):
        raise Refused(Reason.NO_AUDIO, "The file has an audio track, but there is no sound in it.")
