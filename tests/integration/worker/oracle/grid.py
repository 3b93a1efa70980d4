"""Which cases there are, and a choice among them in which any two properties that can meet do meet."""

from dataclasses import astuple, dataclass
from itertools import combinations, product
from random import Random

from tests.integration.worker.oracle.encoding import quality_of
from tests.integration.worker.oracle.sounds import KINDS
from video2mp3_contracts.api.output import SAMPLE_RATES
from video2mp3_worker.encoder.frames import Layout
from video2mp3_worker.encoder.lame import Quality

PEAKS_DB = (0, -15, -30, -45, -60, -75)
_MOST_OF_MPEG25 = 64
_CANDIDATES = 40
Pair = tuple[int, object, int, object]


@dataclass(frozen=True)
class Case:
    """One sound at one setting."""

    setting: str
    """As in V0 to V9, or kbit/s as in b128."""

    rate: int
    kind: str
    peak_db: int
    channels: int

    def __str__(self) -> str:
        return f"{self.kind}{self.peak_db}-{self.setting}-{self.rate}-{'mono' if self.channels == 1 else 'stereo'}"

    @property
    def layout(self) -> Layout:
        """Of the mp3."""
        return Layout(self.rate, self.channels)

    @property
    def quality(self) -> Quality:
        """For our encoder."""
        return quality_of(self.setting)

    @property
    def options(self) -> tuple[str, str]:
        """The same for ffmpeg."""
        return ("-q:a", self.setting[1:]) if self.setting[0] == "V" else ("-b:a", f"{self.setting[1:]}k")


def settings_at(rate: int) -> list[str]:
    """Every V-level, and every constant bit rate that mp3 has at a sample rate."""
    rates = [each for each in Layout(rate, 1).bit_rates if each and (rate > 12_000 or each <= _MOST_OF_MPEG25)]
    return [f"V{level}" for level in range(10)] + [f"b{each}" for each in rates]


def whole() -> list[Case]:
    """The full grid: some 14,000 cases."""
    return [
        Case(setting, rate, kind, peak, channels)
        for rate in SAMPLE_RATES
        for setting in settings_at(rate)
        for kind, peak, channels in product(KINDS, PEAKS_DB, (1, 2))
    ]


def covering() -> list[Case]:
    """Some 200 cases: each setting at each sample rate once, and the other properties so that all pairs occur."""
    chance, seen, chosen = Random(1), set[Pair](), list[Case]()
    for rate in SAMPLE_RATES:
        for setting in settings_at(rate):
            others = [
                Case(setting, rate, chance.choice([*KINDS]), chance.choice(PEAKS_DB), chance.choice((1, 2)))
                for _ in range(_CANDIDATES)
            ]
            best = max(others, key=lambda case: len(pairs(case) - seen))
            seen |= pairs(best)
            chosen.append(best)
    missing = [case for case in whole() if pairs(case) - seen]
    for case in missing:
        if pairs(case) - seen:
            seen |= pairs(case)
            chosen.append(case)
    return chosen


def pairs(case: Case) -> set[Pair]:
    """Which two properties meet in a case."""
    return {(one, first, two, second) for (one, first), (two, second) in combinations(enumerate(astuple(case)), 2)}
