"""Pauses that are longer than what ffmpeg fills in one piece, to the sample; and those that are too long altogether."""

import subprocess
from pathlib import Path

import pytest

from tests.integration.worker.samples import ffmpeg
from video2mp3_contracts.api.output import Encoding, Output
from video2mp3_contracts.jobs.worker import WorkerLimits
from video2mp3_worker.limits.bounds import budget
from video2mp3_worker.limits.stop import Stop
from video2mp3_worker.source.partial_download import LocalSource
from video2mp3_worker.transcode import commands
from video2mp3_worker.transcode.convert import Converter

RATE = 48_000


def spoken(path: Path, *pauses: float, shape: str = "0.25|0.25") -> LocalSource:
    """Half a second of a steady level before and after each pause."""
    begins = "+".join(f"gte(T,{0.5 * (number + 1)})*{pause}/TB" for number, pause in enumerate(pauses))
    level = f"aevalsrc={shape}:sample_rate={RATE}:duration={0.5 * (len(pauses) + 1)}"
    apart = f"asetnsamples=960,asetpts='PTS+{begins}'"
    ffmpeg("-f", "lavfi", "-i", level, "-af", apart, "-c:a", "pcm_s16le", "-f", "matroska", path)
    return LocalSource.whole(path)


@pytest.mark.parametrize("pause", [175.0, 190.009, 191.14, 192.505, 193.9, 195.236, 196.6, 199.332])
def test_a_pause_of_any_length_is_silent_to_the_sample(pause: float, tmp_path: Path) -> None:
    sound = heard(spoken(tmp_path / "source", pause))

    first, last = 4 * 2 * RATE // 2, 4 * 2 * (RATE // 2 + round(pause * RATE))
    assert len(sound) == last + first
    assert all(sound[3:first:4])
    assert not any(sound[first:last])
    assert all(sound[last + 3 :: 4])


def test_the_sound_between_pauses_is_where_it_belongs_to_the_sample(tmp_path: Path) -> None:
    """At a rate whose samples are no whole number of microseconds, in which ffmpeg interleaves."""
    noise = ("-f", "lavfi", "-i", "anoisesrc=sample_rate=44100:duration=6:amplitude=0.4:seed=5", "-c:a", "aac")
    ffmpeg(*noise, "-f", "mp4", tmp_path / "whole")
    later = r"setts=ts='TS+gte(N\,60)*44100+gte(N\,120)*529200'"
    ffmpeg("-i", tmp_path / "whole", "-c", "copy", "-bsf:a", later, "-f", "mp4", tmp_path / "apart")

    whole, apart = (heard(LocalSource.whole(tmp_path / name)) for name in ("whole", "apart"))

    # The first packet, of 1,024 samples as all, is the encoder's delay, which the edit list cuts.
    first, second = 4 * 59 * 1024, 4 * 119 * 1024
    wanted = whole[:first] + bytes(4 * 44_100) + whole[first:second] + bytes(4 * 529_200) + whole[second:]
    assert apart.startswith(wanted)


def heard(source: LocalSource) -> bytes:
    """The samples that are encoded."""
    _, plan = Converter(Stop()).plan(source, Output())
    command = commands.decode(source, plan, budget(WorkerLimits(), 200, source.size))
    return subprocess.run(command, check=True, capture_output=True).stdout


def test_many_channels_take_no_more_memory_than_is_allowed(tmp_path: Path) -> None:
    source = spoken(tmp_path / "source", 60.0, shape="|".join(["0.1"] * 8))

    mp3 = Converter(Stop()).convert(source, tmp_path / "output.mp3", Output(encoding=Encoding(vbr=9)))

    assert mp3.duration_seconds == pytest.approx(61.0)
    assert mp3.notes == ()


def test_pauses_that_are_too_long_for_so_small_a_file_are_left_out(tmp_path: Path) -> None:
    source = spoken(tmp_path / "source", 3000.0, 6000.0, shape="0.25")

    mp3 = Converter(Stop()).convert(source, tmp_path / "output.mp3", Output(encoding=Encoding(vbr=9)))

    assert mp3.duration_seconds == pytest.approx(3001.5)
    assert mp3.notes == ("Long pauses are left out: 1, of 100.0 minutes in all.",)
