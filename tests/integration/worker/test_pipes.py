"""What programs write into a pipe, where they cannot come back and say how long it became: converted whole."""

import subprocess
from pathlib import Path

import pytest

from video2mp3_contracts.api.output import Output
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode.convert import Converter

_OPTIONS = {
    "wav": (), "rf64": ("-f", "wav", "-rf64", "always"), "caf": (), "au": (), "avi": ("-c:a", "pcm_s16le"), "flac": (),
    "wv": (), "tta": (), "matroska": ("-c:a", "flac"), "webm": ("-c:a", "libopus"), "flv": ("-c:a", "aac"),
    "asf": ("-c:a", "wmav2"), "ogg": ("-c:a", "libvorbis"), "mpegts": ("-c:a", "mp2"), "voc": ("-c:a", "pcm_s16le"),
    "mp4": ("-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"),
}  # fmt: skip
"""ffmpeg's, by the container. It cannot read the AIFF and Wave64 that it writes into a pipe."""


@pytest.mark.parametrize("container", _OPTIONS)
def test_what_ffmpeg_writes_into_a_pipe_is_whole(tmp_path: Path, container: str) -> None:
    tone = ("-f", "lavfi", "-i", "sine=frequency=440:duration=3:sample_rate=48000")
    command = ["ffmpeg", "-nostdin", "-v", "error", *tone, "-f", container, *_OPTIONS[container], "pipe:1"]
    source = tmp_path / "source"
    source.write_bytes(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)

    mp3 = Converter(Stop()).convert(LocalSource.whole(source), tmp_path / "output.mp3", Output())

    assert mp3.duration_seconds == pytest.approx(3, abs=0.1)
    assert mp3.notes == ()
