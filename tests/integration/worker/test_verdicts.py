"""Whatever a file says of itself, it ends as one that says nothing: real ffmpeg, told lies in every place there is."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.integration.worker.hostile import element, ffmpeg, matroska
from tests.unit.worker.processes.test_failures import PHRASES
from video2mp3_contracts.api.output import Output
from video2mp3_contracts.jobs.exit_codes import ExitCode
from video2mp3_worker.limits import bounds
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.ports.errors import WorkerError
from video2mp3_worker.probe import ffprobe_commands
from video2mp3_worker.probe.reading import Reading
from video2mp3_worker.processes import child
from video2mp3_worker.processes.child import Confinement, Ended
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Converter

LIES: Final = ("\n" + "\n".join(PHRASES) + "\n", *PHRASES)
"""All at once, each on a line of its own; and each alone."""

NOTHING: Final = "Nothing to say"
_TONE = ("-f", "lavfi", "-i", "sine=duration=2:sample_rate=16000")
_CONTAINERS: Final = {
    "mp4": ("-c:a", "aac"),
    "mov": ("-c:a", "pcm_s16le"),
    "mkv": ("-c:a", "flac"),
    "ogg": ("-c:a", "libvorbis"),
    "avi": ("-c:a", "mp2"),
    "wmv": ("-c:a", "wmav2"),
    "flac": (),
    "mp3": ("-id3v2_version", "4"),
    "wav": (),
    "ts": ("-c:a", "mp2", "-metadata", "service_name=SHORT", "-metadata", "service_provider=SHORT"),
}
"""Encoding of each. A broadcast's names have no room for all the lies."""


def ending(content: bytes, folder: Path) -> tuple[ExitCode, str]:
    """How a file ends, in the worker's own words."""
    source = folder / "source"
    source.write_bytes(content)
    try:
        Converter(Stop()).convert(LocalSource.whole(source), folder / "output.mp3", Output())
    except WorkerError as error:
        return error.exit_code, error.message
    return ExitCode.DONE, ""


def broken(content: bytes) -> bytes:
    """With holes in the sound, of which decoders complain."""
    changed = bytearray(content)
    for start in range(len(content) // 2, len(content) - 200, 1000):
        changed[start : start + 100] = bytes(100)
    return bytes(changed)


def tagged(container: str, lie: str) -> Callable[[Path], bytes]:
    """Sound in a container, with the lie in all metadata that this can carry."""
    options = [word.replace("SHORT", f"\n{lie[-24:]}") for word in _CONTAINERS[container]]
    names = ("title", "artist", "comment", "genre", "encoder", "copyright")
    said = [word for name in names for word in ("-metadata", f"{name}={lie}")]
    of_stream = [word for name in ("title", "handler_name") for word in ("-metadata:s:a:0", f"{name}={lie}")]
    return ffmpeg(container, *_TONE, *options, *said, *of_stream)


@pytest.mark.parametrize("container", _CONTAINERS)
def test_tags_steer_nothing(container: str, tmp_path: Path) -> None:
    honest, lying = (tagged(container, said)(tmp_path) for said in (NOTHING, LIES[0]))

    assert ending(lying, tmp_path) == ending(honest, tmp_path) == (ExitCode.DONE, "")
    assert ending(broken(lying), tmp_path)[0] in (ExitCode.DONE, ExitCode.BAD_MEDIA)
    assert ending(lying[: len(lying) * 2 // 3], tmp_path) == ending(honest[: len(honest) * 2 // 3], tmp_path)


def _a_strange_matroska(lie: bytes) -> bytes:
    """A lie as the names of its codec, its track, its language, its chapter and its attachment."""
    audio = element("e1", element("b5", struct.pack(">d", 8000.0)) + element("9f", b"\1"))
    named = element("536e", lie) + element("22b59c", lie) + element("258688", lie)
    unknown = element("ae", element("d7", b"\2") + element("83", b"\2") + element("86", lie) + audio + named)
    bits = element("6264", b"\x10")
    sound = element("e1", element("b5", struct.pack(">d", 8000.0)) + element("9f", b"\1") + bits)
    known = element("ae", element("d7", b"\1") + element("83", b"\2") + element("86", b"A_PCM/INT/LIT") + sound + named)
    cluster = element("1f43b675", element("e7", b"\0") + element("a3", b"\x81\0\0\x80" + bytes(16_000)))
    attached = element("61a7", element("466e", lie) + element("4660", lie) + element("465c", b"x"))
    display = element("80", element("85", lie) + element("437c", lie))
    chapter = element("b6", element("91", b"\0") + display)
    more = element("1043a770", element("45b9", chapter)) + element("1941a469", attached)
    return matroska(known, unknown, clusters=more + cluster)


def _a_matroska_of_tomorrow(lie: bytes) -> bytes:
    """Of a version that nobody knows: it is refused."""
    return element("1a45dfa3", element("42f7", b"\x63") + element("4282", lie)) + bytes(1000)


@pytest.mark.parametrize("make", [_a_strange_matroska, _a_matroska_of_tomorrow])
@pytest.mark.parametrize("lie", LIES, ids=range(len(LIES)))
def test_names_steer_nothing(make: Callable[[bytes], bytes], lie: str, tmp_path: Path) -> None:
    assert ending(make(lie.encode()), tmp_path) == ending(make(NOTHING.encode()), tmp_path)


def test_a_forged_line_reaches_people_and_nothing_else(tmp_path: Path) -> None:
    """A quotation has its line breaks as they are: here, those in a file's name."""
    forged = PHRASES[2].replace("/", "")
    source = tmp_path / f"a\n{forged}\nb"
    source.write_bytes(b"no media")

    ended = probed(LocalSource.whole(source))

    assert forged in ended.complaint.splitlines()
    assert forged not in ended.messages
    assert ended.messages[-1].endswith(": Invalid data found when processing input")


def probed(source: LocalSource) -> Ended:
    confinement = Confinement(reads=(source.path,), data_bytes=bounds.DATA_BYTES)
    return child.run(ffprobe_commands.probe(source, Reading()), confinement, output=lambda _: None, watch=lambda: None)
