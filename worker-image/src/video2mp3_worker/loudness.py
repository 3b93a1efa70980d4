"""⑥ Loudness (EBU R128): measured over all of the sound, then one gain for all of it. Nothing is compressed.

The gain reaches the wanted loudness, unless peaks would go over TRUE_PEAK_LIMIT: then it is as much as they allow.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from video2mp3_contracts.reasons import Reason
from video2mp3_worker import child, commands, limits
from video2mp3_worker.child import Confinement
from video2mp3_worker.errors import Refused
from video2mp3_worker.failures import explain_failure, refuse_if_killed
from video2mp3_worker.limits import Budget
from video2mp3_worker.local_source import LocalSource
from video2mp3_worker.plan import Plan
from video2mp3_worker.progress import ProgressLines
from video2mp3_worker.watch import Watch

TRUE_PEAK_LIMIT: Final = -1.0
"""dBTP, as EBU R128 asks for."""

_SILENCE: Final = -70.0
"""LUFS: the absolute gate of ITU-R BS.1770; what is under it has no loudness."""

_SUMMARY: Final = re.compile(r"I:\s+(-?[\d.]+|-inf|nan) LUFS.*?Peak:\s+(-?[\d.]+|-inf|nan) dBFS", re.DOTALL)


@dataclass(frozen=True)
class Loudness:
    """What was measured. `integrated` in LUFS, `true_peak` in dBTP."""

    integrated: float
    true_peak: float

    def gain(self, wanted: float) -> float:
        """The gain in dB towards a loudness in LUFS; none for silence."""
        if not self.integrated > _SILENCE or not math.isfinite(self.true_peak):
            return 0.0
        return min(wanted - self.integrated, TRUE_PEAK_LIMIT - self.true_peak)


def measure(source: LocalSource, plan: Plan, budget: Budget, watch: Watch, report: Callable[[float], None]) -> Loudness:
    """Listen to the whole of what will be encoded; `report` is told that nothing is done yet. Raises as `encode`."""
    lines = ProgressLines()

    def look() -> None:
        watch.moved_to(lines.seconds)
        watch.check()
        report(0.0)

    confinement = Confinement(reads=(source.path,), cpu_seconds=budget.cpu_seconds, data_bytes=limits.DATA_BYTES)
    listen: Callable[[bytes], None] = lines.feed
    ended = child.run(commands.measure(source, plan, budget), confinement, output=listen, watch=look)
    refuse_if_killed(ended)
    if ended.status != 0:
        raise explain_failure(ended)
    return parse(ended.complaint)


def parse(summary: str) -> Loudness:
    """Read what ffmpeg's filter `ebur128` says at its end. Raises Refused where it heard nothing."""
    found = _SUMMARY.findall(summary)
    if not found:
        raise Refused(Reason.NO_AUDIO, "The file has an audio track, but there is no sound in it.", detail=summary)
    integrated, true_peak = found[-1]
    return Loudness(float(integrated), float(true_peak))
