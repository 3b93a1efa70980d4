"""The times of packets: in a row, with pauses, with holes."""

import pytest

from video2mp3_worker.encoder.frame_copy import NotCopyableError
from video2mp3_worker.transcode.packets import PacketLines

FRAME = 1152 / 44_100


def a_line(time: float | str, duration: float | str = FRAME, flags: str = "K_", more: str = "") -> bytes:
    return f"pts_time={time}|duration_time={duration}|flags={flags}{more}\n".encode()


def fed(*lines: bytes, has_times: bool = True) -> PacketLines:
    packets = PacketLines(FRAME, has_times=has_times)
    for line in lines:
        packets.feed(line)
    return packets


def in_a_row(count: int, start: float = 0.0, digits: int = 6) -> list[bytes]:
    return [a_line(round(start + number * FRAME, digits), round(FRAME, digits)) for number in range(count)]


@pytest.mark.parametrize(
    "lines",
    [
        in_a_row(5000),
        in_a_row(5000, start=1.4, digits=3),
        in_a_row(5000, start=-0.025),
        [a_line("N/A", "N/A")] * 10,
        [a_line(0, 10 * FRAME), a_line(10 * FRAME, 10 * FRAME), a_line(20 * FRAME)],
        [*in_a_row(100), *in_a_row(100)],
        [a_line(0), a_line(0.09)],
        [],
        [b"\n", b"what is this\n"],
    ],
    ids=["exact", "milliseconds", "early", "unknown", "many in one", "back", "inaccurate", "none", "other lines"],
)
def test_frames_that_follow_each_other(lines: list[bytes]) -> None:
    fed(*lines)


@pytest.mark.parametrize(
    "lines",
    [
        [a_line(0), a_line(0.2)],
        [*in_a_row(100), a_line(100 * FRAME + 0.11)],
        [a_line(number * (FRAME + 0.01)) for number in range(20)],
        [*in_a_row(100), *in_a_row(100), a_line(200 * FRAME)],
        [a_line(0), a_line(FRAME, flags="KD_")],
    ],
    ids=["a pause", "a late pause", "many small ones", "a pause after going back", "left out"],
)
def test_frames_that_do_not(lines: list[bytes]) -> None:
    with pytest.raises(NotCopyableError):
        fed(*lines)


def test_where_times_are_guessed_there_is_no_pause() -> None:
    fed(a_line(0), a_line(0.2), a_line(9, 2), has_times=False).refuse_pauses(3 * FRAME)
    with pytest.raises(NotCopyableError):
        fed(a_line(0, flags="KD_"), has_times=False)


def test_a_pause_that_is_counted_to_the_frame_before_it_is_one() -> None:
    packets = fed(a_line(0), a_line(FRAME, 2 + FRAME), a_line(2 + 2 * FRAME))

    packets.refuse_pauses(packets.seconds)
    with pytest.raises(NotCopyableError):
        packets.refuse_pauses(3 * FRAME)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("|side_data|skip_samples=1105|discard_padding=0\n", 1105),
        ("|side_data|\n", 0),
        ("|side_data|skip_samples=x\n", 0),
        ("", 0),
    ],
)
def test_what_is_skipped_at_the_beginning(more: str, expected: int | None) -> None:
    assert fed(a_line(0, more=more), a_line(FRAME, more="|side_data|skip_samples=7")).skipped == expected


def test_what_is_discarded_at_the_end() -> None:
    discarded = "|side_data|skip_samples=0|discard_padding=527\n"

    assert fed(a_line(0), a_line(FRAME, more=discarded)).discarded == 527
    assert fed(a_line(0, more=discarded), a_line(FRAME)).discarded == 0
