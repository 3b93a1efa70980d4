"""What there is to hear in an mp3: levels of tones, and where sound begins and ends."""

import math
import subprocess
from array import array
from dataclasses import dataclass
from pathlib import Path

_LOUD = 0.03
_STEP_SECONDS = 0.001


@dataclass(frozen=True)
class Heard:
    """An mp3 as players play it: its rate in Hz, and the samples of each channel, 1.0 for full scale."""

    rate: int
    channels: tuple["array[float]", ...]

    @property
    def seconds(self) -> float:
        return len(self.channels[0]) / self.rate

    def level(self, frequency: float, start: float, end: float, channel: int = 0) -> float:
        """The amplitude of one frequency in a part, by Goertzel's algorithm."""
        samples = self.channels[channel][int(start * self.rate) : int(end * self.rate)]
        factor = 2 * math.cos(math.tau * frequency / self.rate)
        last = before = 0.0
        for sample in samples:
            last, before = sample + factor * last - before, last
        power = last * last + before * before - factor * last * before
        return 2 * math.sqrt(max(power, 0.0)) / max(len(samples), 1)

    def edges(self) -> list[float]:
        """The times in seconds, to a millisecond, at which the first channel becomes loud or silent, in turns."""
        step = max(round(self.rate * _STEP_SECONDS), 1)
        samples, found, loud = self.channels[0], [], False
        for start in range(0, len(samples) - step + 1, step):
            now = math.sqrt(sum(sample * sample for sample in samples[start : start + step]) / step) > _LOUD
            if now is not loud:
                found.append(start / self.rate)
                loud = now
        return found if not loud else [*found, self.seconds]


def listen(mp3: Path) -> Heard:
    """Decode an mp3, as it says of itself."""
    probe = ["ffprobe", "-v", "error", "-show_entries", "stream=sample_rate,channels", "-of", "csv=p=0", str(mp3)]
    answer = subprocess.run(probe, check=True, capture_output=True, timeout=60, text=True).stdout
    rate, count = map(int, answer.strip().split(","))
    command = ["ffmpeg", "-nostdin", "-v", "error", "-i", str(mp3), "-f", "f32le", "pipe:1"]
    samples = array("f", subprocess.run(command, check=True, capture_output=True, timeout=120).stdout)
    return Heard(rate, tuple(samples[channel::count] for channel in range(count)))
