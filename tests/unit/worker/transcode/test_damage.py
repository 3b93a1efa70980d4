"""What ffmpeg complained of, counted: lines of ffmpeg 5 and 7 as they were written for damaged files."""

import pytest

from video2mp3_worker.transcode.damage import Damage

OF_FFMPEG_5 = """\
[aac @ 0x55a3de640380] Number of bands (58) exceeds limit (42).
Error while decoding stream #0:0: Invalid data found when processing input
[aac @ 0x55a3de640380] invalid band type
Error while decoding stream #0:0: Error number -50531338 occurred
    Last message repeated 2 times
"""
OF_FFMPEG_7 = """\
[aac @ 0x555581fdd080] Number of bands (58) exceeds limit (42).
[aist#0:0/aac @ 0x555581fc2e00] [dec:aac @ 0x555581fc5ec0] Error submitting packet to decoder: Invalid data found
    Last message repeated 3 times
"""


def notes_on(said: str, piece: int = 7) -> tuple[str, ...]:
    damage = Damage()
    for start in range(0, len(said), piece):
        damage.feed(said[start : start + piece].encode())
    return damage.notes()


@pytest.mark.parametrize("said", [OF_FFMPEG_5, OF_FFMPEG_7])
@pytest.mark.parametrize("piece", [1, 7, 10_000])
def test_what_no_decoder_could_read_is_counted(said: str, piece: int) -> None:
    assert notes_on(said, piece) == ("The sound is damaged: 4 pieces of it could not be read.",)


@pytest.mark.parametrize(
    ("said", "places"),
    [
        ("[ogg @ 0x5555579b42c0] CRC mismatch!\n    Last message repeated 10 times\n", "11 places"),
        ("[matroska,webm @ 0x55] Element at 0xc9e4 ending at 0x8fe714 exceeds its master\n", "1 place"),
        ("[in#0/wv @ 0x555] Error during demuxing: Invalid data found when processing input\n", "1 place"),
    ],
)
def test_what_hid_sound_from_the_decoder_is_counted(said: str, places: str) -> None:
    assert notes_on(said) == (f"The file is damaged in {places}: some of the sound may be missing.",)


@pytest.mark.parametrize(
    "said",
    [
        "",
        "[mpeg4 @ 0x55] Codec (mpeg4) not on whitelist 'aac'\n    Last message repeated 1 times\n",
        "[flv @ 0x55] Codec (flv) not on whitelist 'aac'\n",
        "[s32le @ 0x55] Application provided invalid, non monotonically increasing dts to muxer in stream 0: 1 >= 0\n",
        "a title that says [aac @ 0x55] Error while decoding stream #0:0: nothing\n",
        "    Last message repeated 5 times\n",
    ],
)
def test_what_is_no_damage_is_not_told(said: str) -> None:
    assert notes_on(said) == ()


def test_pauses_that_were_not_filled_are_told() -> None:
    damage = Damage()
    damage.feed(b"3600.000500\n600.000000\n    Last message repeated 1 times\nnot 60.000000\n1.5\n")

    assert damage.left_out == [3600.0005, 600.0, 600.0]
    assert damage.notes() == ("Long pauses are left out: 3, of 80.0 minutes in all.",)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (OF_FFMPEG_5.partition("[aac @ 0x55a3de640380] invalid")[0], False),
        ("[matroska,webm @ 0x55] Element at 0xc9e4 ending at 0x8fe714 exceeds its master\n", False),
        (OF_FFMPEG_5, True),
        ("600.000000\n", True),
    ],
    ids=["the piece that is cut", "the reader", "several pieces", "a pause"],
)
def test_beside_the_note_on_a_missing_end_is_said_what_that_does_not_explain(said: str, told: bool) -> None:
    damage = Damage()
    damage.feed(said.encode())

    assert damage.notes()
    assert bool(damage.notes(beside_a_cut=True)) is told


def test_a_line_without_an_end_takes_no_memory() -> None:
    damage = Damage()
    for _ in range(1000):
        damage.feed(b"x" * 10_000)

    assert len(damage._rest) < 10_000
