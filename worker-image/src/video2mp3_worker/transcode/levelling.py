"""⑥ How loud audio is (EBU R128), and what is to be done so that it becomes as loud as it is wanted. Pure.

One gain for all of it reaches the wanted loudness, unless peaks would go over TRUE_PEAK_LIMIT: then it is as much as
they allow. Or a limiter holds those peaks down. What that costs of the loudness nobody can reckon, so it is tried and
heard.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from video2mp3_contracts.api.output import Encoding
from video2mp3_contracts.api.output import Loudness as Wanted

TRUE_PEAK_LIMIT: Final = -1.0
"""dBTP, as EBU R128 asks for."""

_SILENCE: Final = -70.0
"""LUFS: the absolute gate of ITU-R BS.1770; what is under it has no loudness."""

_PRECISION: Final = 0.05
"""dB: ffmpeg says peaks and loudness in tenths."""

_CLOSE: Final = 0.1
"""LU off what is wanted: with a limiter, it is not tried again then."""

_TOLERABLE: Final = 0.2
"""LU off what is wanted: more is told."""

_LINEAR: Final = -50.0
"""LUFS. Of what is fainter the absolute gate may leave out some: a gain then changes the loudness by more or less than
itself."""

_TRIES: Final = 10
"""With a limiter, or with what is very faint. Each decodes and hears all of the audio; two are the rule."""

_LEAST_SLOPE: Final = 0.2
"""LU that a further dB of gain surely brings: less is taken for chance."""

_LAME_SCALES: Final = {192: 0.97, 224: 0.98, 256: 1.0, 320: 1.0}
"""By constant bit rate in kbit/s, what LAME 3.100 multiplies all samples with, against clipping. Where the bit rate is
variable it multiplies with nothing. Source: presets.c, `abr_switch_map`."""

_LAME_SCALE_OF_LOW_RATES: Final = 0.95

_SUMMARY: Final = "Summary:"
_INTEGRATED: Final = re.compile(r"^ +I: +(-?[\d.]+|-inf|-?nan) LUFS$", re.MULTILINE)
_PEAK: Final = re.compile(r"^ +Peak: +(-?[\d.]+|-inf|-?nan) dBFS$", re.MULTILINE)


@dataclass(frozen=True)
class Loudness:
    """What was heard. `integrated` in LUFS, `true_peak` in dBTP."""

    integrated: float
    true_peak: float

    @property
    def is_any(self) -> bool:
        """Whether there is a loudness: silence has none, nor has audio of less than 0.4 s."""
        return self.integrated > _SILENCE and math.isfinite(self.true_peak)

    def louder(self, gain: float) -> "Loudness":
        """The loudness after a gain in dB."""
        return Loudness(self.integrated + gain, self.true_peak + gain)


@dataclass(frozen=True)
class Levelling:
    """What is done to the samples."""

    gain: float = 0.0
    """dB."""

    ceiling: float | None = None
    """dBFS, under which a limiter holds the samples; None for no limiter."""


@dataclass(frozen=True)
class Level:
    """What is done to audio, and how loud it is then."""

    levelling: Levelling
    reached: Loudness
    notes: tuple[str, ...] = ()
    """What was wanted and is not reached, in sentences."""


def encoder_gain(encoding: Encoding) -> float:
    """What the encoder itself does to the level, in dB."""
    if encoding.cbr is None:
        return 0.0
    return 20 * math.log10(_LAME_SCALES.get(encoding.cbr, _LAME_SCALE_OF_LOW_RATES))


def read_summary(said: str) -> Loudness | None:
    """What ffmpeg's filter `ebur128` says at its end; None where it says nothing."""
    summary = said[said.rfind(_SUMMARY) :] if _SUMMARY in said else ""
    integrated, peaks = _INTEGRATED.search(summary), _PEAK.findall(summary)
    if integrated is None or not peaks:
        return None
    return Loudness(float(integrated[1]), max(map(float, peaks)))


def settled(wanted: Wanted, heard: Loudness, listen: Callable[[Levelling], Loudness]) -> Level:
    """What makes audio as loud as `wanted`; `listen` says how loud it is after something else is done to it."""
    target = wanted.integrated_lufs
    if target is None or not heard.is_any:
        return Level(Levelling(), heard, () if target is None else (_without_loudness(target),))
    allowed = TRUE_PEAK_LIMIT - heard.true_peak - _PRECISION
    plain = _gained(target, heard, allowed, listen)
    missing = target - plain.reached.integrated
    if wanted.mode == "limit" and missing > _CLOSE:
        return _limited(target, heard, listen) or _missed(plain, target, "a limiter comes no closer")
    return _missed(plain, target, "its peaks allow no more; output.loudness.mode: limit holds them down")


def _gained(target: float, heard: Loudness, allowed: float, listen: Callable[[Levelling], Loudness]) -> Level:
    """What one gain makes of audio, of at most `allowed` dB."""
    gain = round(min(target - heard.integrated, allowed), 3)
    reached = heard.louder(gain)
    for _ in range(_TRIES):
        if min(heard.integrated, reached.integrated, target) > _LINEAR:
            break
        reached = listen(Levelling(gain))
        better = round(min(gain + target - reached.integrated, allowed), 3)
        if not reached.is_any or abs(better - gain) <= _CLOSE:
            break
        gain = better
    return Level(Levelling(gain), reached)


def _limited(target: float, heard: Loudness, listen: Callable[[Levelling], Loudness]) -> Level | None:
    """The closest to a loudness that a limiter comes, with peaks under the limit; None where they never are."""
    gain, ceiling, slope, best = target - heard.integrated, TRUE_PEAK_LIMIT - _PRECISION, 1.0, None
    before: tuple[float, float] | None = None
    for _ in range(_TRIES):
        levelling = Levelling(round(gain, 3), round(ceiling, 3))
        found = listen(levelling)
        over = found.true_peak + _PRECISION - TRUE_PEAK_LIMIT
        missing = target - found.integrated
        if over <= 0 and (best is None or abs(missing) < abs(target - best.reached.integrated)):
            best = Level(levelling, found)
        if over <= 0 and abs(missing) <= _CLOSE:
            break
        if before is not None and gain != before[0]:
            slope = min(max((found.integrated - before[1]) / (gain - before[0]), _LEAST_SLOPE), 1.0)
        before = gain, found.integrated
        gain, ceiling = gain + missing / slope, ceiling - (over + _PRECISION if over > 0 else 0.0)
    return best and _missed(best, target, "a limiter comes no closer")


def _missed(level: Level, target: float, why: str) -> Level:
    """With a note, where less is reached than is wanted."""
    reached = level.reached.integrated
    if abs(target - reached) <= _TOLERABLE:
        return level
    note = f"The loudness of {target:g} LUFS is not reached: the sound has {reached:.1f} LUFS, since {why}."
    return Level(level.levelling, level.reached, (note,))


def _without_loudness(target: float) -> str:
    return (
        f"The loudness of {target:g} LUFS is not reached: the sound is silent, fainter than -70 LUFS or shorter than"
        " 0.4 s, and so has none;"
        " it was left as it is."
    )
