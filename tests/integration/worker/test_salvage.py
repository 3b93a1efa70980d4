"""Damaged files and halves of files: what is there of them, what is said, and what is refused all the same."""

import random
from pathlib import Path

import pytest

from tests.integration.worker.hostile import half, of
from tests.integration.worker.samples import ffmpeg
from video2mp3_contracts.api.output import Encoding, Output, Trim
from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Converter, Mp3
from video2mp3_worker.transcode.encode import CUT_SHORT

_NEEDS_ITS_END = {"mp4, aac", "mov, pcm_s16le", "3gp, aac", "m4a, alac"}
"""Its index stands behind the sound."""


def converted(content: bytes, folder: Path, *, allow_truncated: bool, output: Output | None = None) -> Mp3:
    source = folder / "source"
    source.write_bytes(content)
    converter = Converter(Stop(), allow_truncated=allow_truncated)
    return converter.convert(LocalSource.whole(source), folder / "output.mp3", output or Output())


@pytest.mark.parametrize(
    "name",
    ["matroska, opus", "webm, vorbis", "avi, mp3", "asf/wmv, wma v2", "wav, pcm_s16le", "aiff, pcm_s16be",
     "w64, pcm_s16le", "caf, pcm_s16be", "au, pcm_s16be", "flac, flac", "wavpack, wavpack", "tta, tta",
     "mp4 in fragments, aac"],
)  # fmt: skip
def test_half_of_a_file_becomes_half_of_its_sound(tmp_path: Path, name: str) -> None:
    mp3 = converted(half(name).make(tmp_path), tmp_path, allow_truncated=True)

    assert 0.4 < mp3.duration_seconds < 2.2
    assert [note for note in mp3.notes if "mp3 already" not in note] == [CUT_SHORT]


@pytest.mark.parametrize(
    "output",
    [Output(encoding=Encoding(cbr=128)), Output(channels="mono"), Output(trim=Trim(start=1))],
    ids=["copied", "encoded", "in part"],
)
def test_an_mp3_without_its_end_is_told_of_once_however_it_is_converted(tmp_path: Path, output: Output) -> None:
    whole = tmp_path / "whole.mp3"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=10", "-ac", "2", "-b:a", "128k", whole)
    content = whole.read_bytes()

    of_half = converted(content[: len(content) // 2], tmp_path, allow_truncated=False, output=output)
    of_all = converted(content, tmp_path, allow_truncated=False, output=output)

    assert (of_half.notes, of_all.notes) == ((CUT_SHORT,), ())


@pytest.mark.parametrize("name", sorted(_NEEDS_ITS_END))
def test_without_its_index_nothing_of_a_file_can_be_read(tmp_path: Path, name: str) -> None:
    with pytest.raises(Refused, match="nothing of it can be converted") as refused:
        converted(half(name).make(tmp_path), tmp_path, allow_truncated=True)

    assert refused.value.reason is Reason.TRUNCATED


@pytest.mark.parametrize("allow_truncated", [False, True])
@pytest.mark.parametrize("name", ["adts, aac", "m4a, aac", "ac3, ac3", "ogg, opus"])
def test_damage_is_told_though_ffmpeg_ends_well(tmp_path: Path, name: str, *, allow_truncated: bool) -> None:
    content, chance = bytearray(of(name)(tmp_path)), random.Random(3)
    middle = len(content) // 2
    for _ in range(60):
        content[middle + chance.randrange(600)] = chance.randrange(256)

    mp3 = converted(bytes(content), tmp_path, allow_truncated=allow_truncated)

    assert mp3.duration_seconds > 0.5
    assert [note for note in mp3.notes if "damaged" in note]
