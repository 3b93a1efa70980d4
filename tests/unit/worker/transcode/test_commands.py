"""The command lines, whole: what stands in them is all that ffmpeg is told."""

import itertools
import re
from pathlib import Path

import pytest

from tests.unit.worker.builders import a_track
from video2mp3_contracts.api.output import Encoding
from video2mp3_worker.containers.edit_lists import Segment
from video2mp3_worker.limits.bounds import Budget
from video2mp3_worker.probe import ffprobe_commands, whitelists
from video2mp3_worker.probe.reading import Reading
from video2mp3_worker.source.partial_download import LocalSource, PartialDownload
from video2mp3_worker.transcode import commands
from video2mp3_worker.transcode.levelling import Levelling
from video2mp3_worker.transcode.plan import Plan
from video2mp3_worker.transcode.timing import Timing

SOURCE, MP3 = LocalSource(Path("/scratch/out: put"), 5_000), Path("/scratch/output.mp3")
BUDGET = Budget(wall_seconds=100, cpu_seconds=100, output_bytes=1_000_000, media_seconds=3600)


def a_plan(**changes: object) -> Plan:
    return Plan(**({"track": a_track(1), "encoding": Encoding(vbr=2), "sample_rate": 44100, "channels": 2} | changes))  # type: ignore[arg-type]


def pairs(command: list[str]) -> list[tuple[str, str]]:
    return list(itertools.pairwise(command))


def test_the_whole_decoding() -> None:
    formats, codecs = ",".join(whitelists.FORMATS), ",".join(whitelists.AUDIO_CODECS)

    command = commands.decode(SOURCE, a_plan(), BUDGET)

    (graph,) = [value for name, value in pairs(command) if name == "-filter_complex"]
    assert graph == (
        "[0:a:1]aresample=44100[s0];[s0]aformat=channel_layouts=stereo:sample_fmts=fltp:sample_rates=44100[s1];"
        "[s1]volume=0.25:precision=float[s2]"
    )
    assert sorted(command) == sorted(
        [
            *("ffmpeg", "-protocol_whitelist", "file", "-format_whitelist", formats, "-codec_whitelist", codecs),
            *("-max_streams", "64", "-probesize", "20000000", "-analyzeduration", "15000000", "-vn", "-sn", "-dn"),
            *("-i", "file:/scratch/out: put", "-filter_complex", graph, "-map", "[s2]", "-f", "s32le"),
            *("-flush_packets", "0", "-t", "3601", "pipe:1"),
            *("-hide_banner", "-nostdin", "-nostats", "-loglevel", "error", "-max_alloc", "134217728"),
        ]
    )
    assert command.index("-format_whitelist") < command.index("-i") < command.index("-map")
    assert pairs(command).count(("-i", "file:/scratch/out: put")) == 1


def test_with_an_index_ffmpeg_looks_no_further_into_the_media_than_it_has_to() -> None:
    assert ("-probesize", "5000000") in pairs(commands.decode(SOURCE, a_plan(is_indexed=True), BUDGET))
    assert ("-probesize", "20000000") in pairs(commands.decode(SOURCE, a_plan(), BUDGET))


def test_speex_is_not_left_to_the_decoder_that_doubles_it() -> None:
    command = commands.decode(SOURCE, a_plan(track=a_track(1, codec="speex")), BUDGET)

    assert ("-c:a", "libspeex") in pairs(command)
    assert command.index("-c:a") < command.index("-i")
    assert set(whitelists.CHOSEN_DECODERS.values()) <= set(whitelists.AUDIO_CODECS)


def graph_of(command: list[str]) -> str:
    (graph,) = [value for name, value in pairs(command) if name == "-filter_complex"]
    return re.sub(r"\[[\w:]+\]", "", graph)


@pytest.mark.parametrize(
    ("is_integer", "mixed"), [(True, "aresample=44100:rematrix_maxval=1;"), (False, "aresample=44100;")]
)
def test_channels_are_mixed_as_ffmpeg_mixes_them_for_lame(is_integer: bool, mixed: str) -> None:
    plan = a_plan(track=a_track(channels=6, is_integer=is_integer), channels=1)

    graph = graph_of(commands.decode(SOURCE, plan, BUDGET))

    assert graph.startswith(mixed + "aformat=channel_layouts=mono:")


def test_who_listens_is_given_samples_and_nothing_else() -> None:
    plan = a_plan(timing=Timing(lead_seconds=3.25))

    command = commands.listen(plan, Levelling())

    assert ("-i", "pipe:0") in pairs(command)
    assert not [word for word in command if str(SOURCE.path) in word]
    assert {("-protocol_whitelist", "pipe"), ("-format_whitelist", "s32le"), ("-f", "s32le"), ("-ac", "2")} < set(
        pairs(command)
    )
    assert graph_of(command) == (
        "volume=64.0:precision=double;adelay=55125S:all=1;ebur128=framelog=verbose:peak=sample+true"
    )


def test_the_limiter_that_is_heard_is_the_one_that_is_encoded() -> None:
    levelling = Levelling(gain=20.0, ceiling=-20.0)

    heard, encoded = (graph_of(call(a_plan(), levelling)) for call in (commands.listen, commands.limit))

    limiter = "volume=64.0:precision=double;volume=10.0:precision=double;alimiter=attack=5:latency=1:level=0:limit=0.1"
    assert heard.startswith(limiter)
    assert encoded == f"{limiter}:release=50;volume=0.25:precision=double"


def test_of_a_source_that_is_coming_ffmpeg_waits_for_more() -> None:
    coming = LocalSource(SOURCE.path, SOURCE.size, PartialDownload(lambda _go_on: None))

    for command in (commands.decode(coming, a_plan(), BUDGET), ffprobe_commands.probe(coming, Reading())):
        assert "subfile,,start,0,end,5000,,:file:/scratch/out: put" in command
        options = pairs(command)
        assert {("-protocol_whitelist", "file,subfile"), ("-follow", "1"), ("-fflags", "+ignidx")} < set(options)


@pytest.mark.parametrize(("encoding", "option"), [(Encoding(vbr=2), "level=2"), (Encoding(cbr=192), "bit_rate=192")])
def test_what_the_encoder_is_told(encoding: Encoding, option: str) -> None:
    options = commands.encoder_options(MP3, a_plan(encoding=encoding), threads=3)

    assert options == ["sample_rate=44100", "channels=2", option, "silence=0", "threads=3", "/scratch/output.mp3"]


def test_a_part_is_cut_at_samples_not_at_packets() -> None:
    command = commands.decode(SOURCE, a_plan(start_seconds=1.5, end_seconds=3.0), BUDGET)

    (graph,) = [value for name, value in pairs(command) if name == "-filter_complex"]
    assert graph.startswith("[0:a:1]atrim=end=3.0:start=1.5[")
    assert "asetpts=PTS-STARTPTS" in graph
    assert "-ss" not in command


def test_packets_with_times_are_kept_in_time_before_anything_is_cut() -> None:
    timing = Timing(lead_seconds=0.4, origin_seconds=0.25, fills_gaps=True)

    command = commands.decode(SOURCE, a_plan(start_seconds=1.5, timing=timing), BUDGET)

    (graph,) = [value for name, value in pairs(command) if name == "-filter_complex"]
    asetpts, aresample, atrim = (graph.index(name) for name in ("asetpts=expr=st", "aresample=", "atrim=start="))
    assert asetpts < aresample < atrim
    assert "atrim=start=1.75[" in graph


def test_what_was_found_out_with_a_larger_window_is_read_with_it() -> None:
    reading = Reading().further().of("mpegts")

    for command in (
        commands.decode(SOURCE, a_plan(reading=reading), BUDGET),
        ffprobe_commands.probe(SOURCE, reading),
        commands.packets(SOURCE, a_plan(reading=reading)),
    ):
        options = pairs(command)
        expected = {("-probesize", "100000000"), ("-analyzeduration", "3600000000"), ("-merge_pmt_versions", "1")}
        assert expected < set(options)


def test_pauses_that_ffmpeg_would_get_wrong_are_made_of_segments() -> None:
    segments = (Segment(0.0, 1.0, 2.0), Segment(2.5, 3.0))
    timing = Timing(lead_seconds=0.4, origin_seconds=0.1, fills_gaps=True)

    command = commands.decode(SOURCE, a_plan(track=a_track(1, segments=segments), timing=timing), BUDGET)

    (graph,) = [value for name, value in pairs(command) if name == "-filter_complex"]
    assert graph.startswith("[0:a:1]asplit=2[")
    assert "atrim=end=1.0:start=0.0[" in graph
    assert "apad=pad_dur=2.0[" in graph
    assert "atrim=end=3.0:start=2.5[" in graph
    assert "asetpts=PTS+0.500000000/TB[" in graph
    assert "min_comp" not in graph
    assert ("-ignore_editlist", "1") in pairs(command)


def test_of_a_sound_field_the_first_channel_is_heard() -> None:
    command = commands.decode(SOURCE, a_plan(track=a_track(channels=4, is_ambisonic=True), channels=1), BUDGET)

    (graph,) = [value for name, value in pairs(command) if name == "-filter_complex"]
    assert graph.startswith("[0:a:0]channelmap=channel_layout=mono:map=0[")


def test_silence_comes_from_the_encoder_in_samples_of_the_mp3() -> None:
    plan = a_plan(start_seconds=0.1, timing=Timing(lead_seconds=0.5), sample_rate=48000)

    assert "silence=19200" in commands.encoder_options(MP3, plan, threads=1)


@pytest.mark.parametrize("option", ["protocol_whitelist", "format_whitelist", "codec_whitelist", "max_streams"])
def test_ffprobe_obeys_the_same_lists_as_ffmpeg(option: str) -> None:
    converting, probing = commands.decode(SOURCE, a_plan(), BUDGET), ffprobe_commands.probe(SOURCE, Reading())

    assert converting[converting.index(f"-{option}") + 1] == probing[probing.index(f"-{option}") + 1]


TAKEN_AS_IT_IS = {
    "frames": commands.extract(SOURCE, a_plan()),
    "packets": commands.packets(SOURCE, a_plan()),
    "cover": commands.attached_picture(SOURCE, 3),
}


@pytest.mark.parametrize("option", ["protocol_whitelist", "format_whitelist", "max_streams", "max_alloc"])
@pytest.mark.parametrize("what", TAKEN_AS_IT_IS)
def test_what_is_taken_as_it_is_obeys_them_too(what: str, option: str) -> None:
    converting, taking = commands.decode(SOURCE, a_plan(), BUDGET), TAKEN_AS_IT_IS[what]

    assert converting[converting.index(f"-{option}") + 1] == taking[taking.index(f"-{option}") + 1]


@pytest.mark.parametrize(("what", "stream"), [("frames", "0:a:1"), ("cover", "0:3")])
def test_what_is_taken_as_it_is_is_not_decoded(what: str, stream: str) -> None:
    command = TAKEN_AS_IT_IS[what]

    assert ("-map", stream) in pairs(command)
    assert ("-c", "copy") in pairs(command)
    assert ("-codec_whitelist", ",".join(whitelists.AUDIO_CODECS)) in pairs(command)
    assert "-filter_complex" not in command


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
