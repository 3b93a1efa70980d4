"""Sounds of an mp4 end where they ended before they were encoded, to the sample."""

import subprocess
from pathlib import Path

import pytest
from mutagen.mp4 import MP4, MP4FreeForm

from tests.integration.worker.samples import ffmpeg
from video2mp3_contracts.api.output import Output
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Converter

RATE, DELAY, FRAME = 44_100, 1024, 1024


def encoded(path: Path, samples: int, *options: str) -> Path:
    level = f"aevalsrc=0.25:sample_rate={RATE},atrim=end_sample={samples}"
    ffmpeg("-f", "lavfi", "-i", level, "-c:a", "aac", *options, path)
    return path


def samples_of_mp3(source: Path) -> int:
    mp3 = Converter(Stop()).convert(LocalSource.whole(source), source.with_name("output.mp3"), Output())
    command = ["ffmpeg", "-v", "error", "-i", str(mp3.file), "-f", "s16le", "pipe:1"]
    return len(subprocess.run(command, check=True, capture_output=True).stdout) // 2


@pytest.mark.parametrize("samples", [132_300, 132_317, 132_343, 132_361, 132_375, 133_119, 133_121])
def test_an_edit_list_in_milliseconds_cuts_no_samples_off(samples: int, tmp_path: Path) -> None:
    assert samples_of_mp3(encoded(tmp_path / "source.m4a", samples)) == samples


def test_the_number_of_samples_that_apples_encoders_write_counts(tmp_path: Path) -> None:
    samples = 132_375
    source = encoded(tmp_path / "source.m4a", samples, "-use_editlist", "0", "-avoid_negative_ts", "make_zero")
    padding = -(samples + DELAY) % FRAME
    file = MP4(source)
    text = f" 00000000 {DELAY:08X} {padding:08X} {samples:016X}" + 8 * " 00000000"
    file["----:com.apple.iTunes:iTunSMPB"] = MP4FreeForm(text.encode())
    file.save()

    assert samples_of_mp3(source) == samples
