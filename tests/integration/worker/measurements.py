"""What is heard of the files of the catalogue once they are mp3s."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.integration.worker.catalogue import FORMATS, LAYOUTS, RATES, Format, of_layout, of_rate, speaker_tone
from tests.integration.worker.hostile import Hostile
from tests.integration.worker.listening import Heard, listen
from video2mp3_contracts.api.output import Encoding, Output
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Converter

Weights = tuple[dict[str, float], ...]
"""For each channel of an mp3, how strong each speaker is in it, beside the loudest one."""


@dataclass(frozen=True)
class Found:
    """What was heard of each format, of each rate in Hz, and of each layout."""

    formats: Mapping[str, Heard]
    rates: Mapping[int, Heard]
    weights: Mapping[str, Weights]


class Measurements:
    """Converts what it is asked for, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def found(self) -> Found:
        """All of the catalogue."""
        formats = {wanted.name: self._heard(wanted) for wanted in FORMATS}
        rates = {rate: self._heard(of_rate(rate)) for rate in RATES}
        return Found(formats, rates, {layout: self._weights(layout) for layout in LAYOUTS})

    def converted(self, source: Path, output: Output | None = None) -> Heard:
        """What is heard of any file when it is an mp3."""
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            mp3 = Converter(Stop()).convert(LocalSource.whole(source), Path(folder, "output.mp3"), output or Output())
            return listen(mp3.file)

    def refusal(self, hostile: Hostile) -> Refused:
        """Why a file is refused."""
        source = self._folder / "hostile"
        source.write_bytes(hostile.make(self._folder))
        try:
            self.converted(source)
        except Refused as error:
            return error
        raise AssertionError(f"{hostile.what} was converted")

    def _heard(self, wanted: Format) -> Heard:
        return self.converted(wanted.make(self._folder))

    def _weights(self, layout: str) -> Weights:
        heard = self.converted(of_layout(layout, self._folder), Output(encoding=Encoding(cbr=320)))
        found = []
        for channel in range(len(heard.channels)):
            levels = [heard.level(speaker_tone(n), 0.1, 0.9, channel) for n in range(len(LAYOUTS[layout]))]
            found.append(dict(zip(LAYOUTS[layout], (level / max(levels) for level in levels), strict=True)))
        return tuple(found)
