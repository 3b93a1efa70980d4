"""FLV as live recorders leave it: what its header says was true at some time, or never."""

from collections.abc import Iterator
from pathlib import Path

from tests.integration.worker.corpus.making import film, number_at, put, tone, written

_SOUND = ("-c:v", "flv", "-c:a", "libmp3lame")
_HEAD_BYTES = 13
_CLAIM = b"\0\x08duration\0"
"""The name of the length in onMetaData; a double follows."""

LONG_HOURS = 7


def _tags(content: bytes | bytearray) -> Iterator[tuple[int, int, int]]:
    """Where each tag begins and ends, and its time in milliseconds."""
    start = _HEAD_BYTES
    while start + 11 <= len(content):
        end = start + 11 + int.from_bytes(content[start + 1 : start + 4], "big") + 4
        yield start, end, int.from_bytes(content[start + 4 : start + 7], "big") | content[start + 7] << 24
        start = end


def _set_time(content: bytearray, start: int, milliseconds: int) -> None:
    content[start + 4 : start + 8] = (milliseconds & 0xFFFFFF).to_bytes(3, "big") + bytes([milliseconds >> 24])


def _claiming(path: Path, seconds: float) -> None:
    content = written(path, "flv", *film(4), *tone(4, rate=44_100), *_SOUND)
    put(content, content.index(_CLAIM) + len(_CLAIM), ">d", seconds)
    path.write_bytes(content)


def flv_bad_metadata_duration(path: Path) -> None:
    """Four seconds that claim a length of years."""
    _claiming(path, 360_000_000.0)


def flv_short_metadata_duration(path: Path) -> None:
    """Four seconds that claim one, as when a recorder crashed."""
    _claiming(path, 1.0)


def flv_long_short_metadata(path: Path) -> None:
    """Hours of noise that claim the length of their first minute."""
    noise = ("-f", "lavfi", "-i", "anoisesrc=duration=60:sample_rate=44100:amplitude=0.3:seed=3")
    minute = written(path, "flv", *noise, "-ac", "2", "-c:a", "libmp3lame", "-b:a", "128k")
    (_, head_end, _), *rest = _tags(minute)
    tags = [(start - head_end, time) for start, _, time in rest]
    body, step = minute[head_end:], rest[-1][2] + 26
    with path.open("wb") as file:
        file.write(minute[:head_end])
        for number in range(LONG_HOURS * 60):
            again = bytearray(body)
            for start, time in tags:
                _set_time(again, start, time + number * step)
            file.write(again)


def flv_jump(path: Path) -> None:
    """A live recording whose clock begins at nothing, and after half a second goes on with the stream's: 5 hours."""
    live = ("-flvflags", "no_duration_filesize")
    content = written(path, "flv", *film(4), *tone(4, rate=44_100), *_SOUND, *live)
    for start, _, time in list(_tags(content)):
        if time > 500:
            _set_time(content, start, time + 5 * 3_600_000)
    path.write_bytes(content)


def flv_audio_late(path: Path) -> None:
    """A live recording whose microphone was switched on after 20 seconds."""
    written(path, "flv", *film(24), *tone(4, rate=44_100, late=20), *_SOUND)
    assert number_at(path.read_bytes(), 4, "B") & 4, "its header says that there is sound"
