"""The command lines, whole: what stands in them is all that ffmpeg is told."""

import itertools
from pathlib import Path

import pytest

from tests.unit.worker.builders import a_track
from video2mp3_contracts.conversion import Encoding
from video2mp3_worker import commands, whitelists
from video2mp3_worker.limits import Budget
from video2mp3_worker.plan import Plan

SOURCE, MP3 = Path("/scratch/source"), Path("/scratch/out: put.mp3")
BUDGET = Budget(wall_seconds=100, cpu_seconds=100, output_bytes=1_000_000, media_seconds=3600)


def a_plan(**changes: object) -> Plan:
    return Plan(**({"track": a_track(1), "encoding": Encoding(vbr=2), "sample_rate": 44100, "channels": 2} | changes))  # type: ignore[arg-type]


def pairs(command: list[str]) -> list[tuple[str, str]]:
    return list(itertools.pairwise(command))


def test_the_whole_conversion() -> None:
    formats, codecs = ",".join(whitelists.FORMATS), ",".join(whitelists.AUDIO_CODECS)

    command = commands.convert(SOURCE, MP3, a_plan(), BUDGET)

    assert sorted(command) == sorted(
        [
            *("ffmpeg", "-protocol_whitelist", "file", "-format_whitelist", formats, "-codec_whitelist", codecs),
            *("-max_streams", "64", "-probesize", "20000000", "-analyzeduration", "15000000", "-vn", "-sn", "-dn"),
            *("-i", "file:/scratch/source", "-map", "0:a:1", "-f", "mp3", "-c:a", "libmp3lame", "-q:a", "2"),
            *("-ar", "44100", "-ac", "2", "-map_metadata", "-1", "-map_chapters", "-1", "-id3v2_version", "0"),
            *("-write_id3v1", "0", "-fflags", "+bitexact", "-flags:a", "+bitexact", "-t", "3601", "-fs", "1000000"),
            *("file:/scratch/out: put.mp3", "-hide_banner", "-nostdin", "-nostats", "-loglevel", "error"),
            *("-progress", "pipe:1", "-stats_period", "0.5", "-max_alloc", "134217728", "-y"),
        ]
    )
    assert command.index("-format_whitelist") < command.index("-i") < command.index("-map")
    assert pairs(command).count(("-i", "file:/scratch/source")) == 1


def test_a_constant_bit_rate() -> None:
    command = commands.convert(SOURCE, MP3, a_plan(encoding=Encoding(cbr=192)), BUDGET)

    assert ("-b:a", "192k") in pairs(command)
    assert "-q:a" not in command


def test_a_part_is_cut_at_samples_not_at_packets() -> None:
    command = commands.convert(SOURCE, MP3, a_plan(start_seconds=1.5, end_seconds=3.0), BUDGET)

    (graph,) = [value for name, value in pairs(command) if name == "-filter_complex"]
    assert graph.startswith("[0:a:1]atrim=end=3.0:start=1.5[")
    assert "asetpts=PTS-STARTPTS" in graph
    assert "-ss" not in command


@pytest.mark.parametrize("option", ["protocol_whitelist", "format_whitelist", "codec_whitelist", "max_streams"])
def test_ffprobe_obeys_the_same_lists_as_ffmpeg(option: str) -> None:
    converting, probing = commands.convert(SOURCE, MP3, a_plan(), BUDGET), commands.probe(SOURCE)

    assert converting[converting.index(f"-{option}") + 1] == probing[probing.index(f"-{option}") + 1]


def test_nothing_that_points_elsewhere_is_a_format_here() -> None:
    pointing = {
        "hls",
        "concat",
        "sdp",
        "dash",
        "rtsp",
        "rtp",
        "image2",
        "lavfi",
        "applehttp",
        "imf",
        "webvtt",
        "tedcaptions",
    }

    assert not pointing & set(whitelists.FORMATS)
    assert whitelists.PROTOCOLS == ("file",)


def test_no_decoder_of_pictures_is_fed() -> None:
    assert not set(whitelists.NAMED_ONLY_CODECS) & set(whitelists.AUDIO_CODECS)
