"""docs/formats.md: its tables say what was measured. Run as a program, it measures again and prints the page anew.

python -m tests.integration.worker.formats_page [--keep FILE]
"""

import argparse
import itertools
import pickle
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from tests.generated_parts import renewed
from tests.integration.worker.catalogue import FORMATS, LAYOUTS, Format
from tests.integration.worker.hostile import HOSTILE
from tests.integration.worker.listening import Heard
from tests.integration.worker.measurements import Found, Measurements, Weights
from video2mp3_worker.probe.whitelists import AUDIO_CODECS
from video2mp3_worker.probe.whitelists import FORMATS as DEMUXERS

PAGE: Final = Path(__file__).parents[3] / "docs" / "formats.md"
_WEIGHTS: Final = {1.0: "", 0.71: "0.71 ", 0.5: "0.5 "}
"""Of a speaker, beside the loudest one: 1, the square root of a half, a half. What is less is not heard."""

_NEAR: Final = 0.03


def containers(formats: Iterable[Format]) -> list[tuple[str, ...]]:
    """A row for each container, with the codecs in it."""
    grouped = itertools.groupby(sorted(formats, key=lambda one: one.container), lambda one: one.container)
    rows = [("container", "sound")]
    rows += [(container, ", ".join(sorted(one.codec for one in inside))) for container, inside in grouped]
    return rows


def rates(heard: Mapping[int, Heard]) -> list[tuple[str, ...]]:
    """A row for each rate of an mp3, with the rates of sources that become it."""
    rows: list[tuple[str, ...]] = [("source", "mp3")]
    for rate, inside in itertools.groupby(heard, lambda source: heard[source].rate):
        rows.append((", ".join(f"{source:,}" for source in inside) + " Hz", f"{rate:,} Hz"))
    return rows


def downmix(weights: Mapping[str, Weights]) -> list[tuple[str, ...]]:
    """A row for each layout: what is in the channels of the mp3."""
    rows: list[tuple[str, ...]] = [("channels", "layout", "left, or the only one", "right")]
    for layout, found in weights.items():
        mixed = [" + ".join(filter(None, (_weight(*one) for one in channel.items()))) for channel in found]
        rows.append((str(len(LAYOUTS[layout])), layout, mixed[0], mixed[1] if mixed[1:] else ""))
    return rows


def _weight(speaker: str, level: float) -> str:
    if level < _NEAR:
        return ""
    known = next((text for weight, text in _WEIGHTS.items() if abs(level - weight) < _NEAR), None)
    return f"{level:.2f} {speaker}" if known is None else f"{known}{speaker}"


def refused(measurements: Measurements) -> list[tuple[str, ...]]:
    """A row for each sentence by which files are refused, with the kinds of files."""
    kinds: dict[tuple[str, str, str], list[str]] = {}
    for hostile in HOSTILE:
        error = measurements.refusal(hostile)
        kinds.setdefault((str(error.reason), str(int(error.exit_code)), error.message), []).append(hostile.what)
    return [("reason", "code", "what is said", "of"), *((*said, ", ".join(found)) for said, found in kinds.items())]


def accepted() -> list[tuple[str, ...]]:
    """What the whitelists name."""
    return [("accepted", "ffmpeg's names"), ("formats", ", ".join(DEMUXERS)), ("decoders", ", ".join(AUDIO_CODECS))]


def page_with(page: str, tables: Mapping[str, list[tuple[str, ...]]]) -> str:
    """The page with each of its tables renewed. Raises ValueError when it has no place for one."""
    return renewed(page, {name: _table(*lines) for name, lines in tables.items()})


def _table(head: tuple[str, ...], *rows: tuple[str, ...]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def measured(found: Found, refusals: list[tuple[str, ...]]) -> dict[str, list[tuple[str, ...]]]:
    """All tables of the page."""
    return {
        "containers": containers(FORMATS),
        "rates": rates(found.rates),
        "downmix": downmix(found.weights),
        "accepted": accepted(),
        "refused": refusals,
    }


def main() -> None:
    """Measure, and print the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.integration.worker.formats_page", description=__doc__)
    parser.add_argument("--keep", metavar="FILE", type=Path, help="where what was heard is kept, pickled")
    keep = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as folder:
        measurements = Measurements(Path(folder))
        found = measurements.found()
        if keep:
            keep.write_bytes(pickle.dumps(found, protocol=4))
        sys.stdout.write(page_with(PAGE.read_text(), measured(found, refused(measurements))))


if __name__ == "__main__":
    main()
