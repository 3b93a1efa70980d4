"""What frames of a constant bit rate need of the room before them, and what they leave, without packing them. Pure.

`packing.Packer` is told apart from this by what it knows: it has all frames before, and so the room that is free. Who
has only some pieces of a stream knows the least and the most that may be free, and that is often enough to tell.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from video2mp3_worker.encoder.frames import Frame, Layout


@dataclass(frozen=True)
class Passage:
    """What some frames make of the free bytes before them: `min(free + gain, most)`, if there are at least `least`.

    With an infinite `least` they never fit.
    """

    least: float
    gain: int
    most: float

    def fits(self, free: float) -> bool:
        """Whether there is room enough."""
        return math.isfinite(self.least) and free >= self.least

    def after(self, free: float) -> float:
        """How many bytes they leave free."""
        return min(free + self.gain, self.most)


def passage(frames: Sequence[Frame], layout: Layout, bit_rate: int, number: int) -> Passage:
    """The passage of frames, the first of which is frame `number` of the stream. `bit_rate` in kbit/s."""
    least, gain, most = 0, 0, math.inf
    for place, frame in enumerate(frames, start=number):
        size = layout.frame_bytes(bit_rate, layout.padding(bit_rate, place))
        left = size - layout.head_bytes - len(frame.main)
        most = min(most, layout.usable_reservoir(size)) + left
        gain += left
        least = max(least, -gain)
        if most < 0:
            return Passage(math.inf, gain, most)
    return Passage(least, gain, most)


@dataclass
class ReservoirBounds:
    """The least and the most bytes that may be free before the next piece."""

    least: float
    most: float

    def surely(self, passed: Passage) -> bool:
        """Take a piece in, if it fits whatever is free."""
        if not passed.fits(self.least):
            return False
        self.least, self.most = passed.after(self.least), passed.after(self.most)
        return True

    def perhaps(self, passed: Passage, spare: Passage) -> None:
        """Take a piece in that may not fit, and in whose place `spare` comes then, which always does."""
        least, most = [spare.after(self.least)], [spare.after(min(self.most, passed.least))]
        if passed.fits(self.most):
            least.append(passed.after(passed.least))
            most.append(passed.after(self.most))
        self.least, self.most = min(least), max(most)
