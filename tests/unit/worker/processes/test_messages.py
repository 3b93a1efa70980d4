"""A message ends where a piece that was written ends, and what a file says within one stays within it."""

from hypothesis import given
from hypothesis import strategies as st

from video2mp3_worker.processes.messages import PIECE_BYTES, Messages

FORGED = "[mov @ 0x1] stream 0, offset 0x1: partial file"


def taken(*pieces: bytes) -> tuple[str, ...]:
    messages = Messages()
    for piece in pieces:
        messages.feed(piece)
    return messages.all()


def test_a_message_comes_in_pieces() -> None:
    assert taken(b"[mov @ 0x5] ", b"moov atom not found\n", b"Conversion failed!\n") == (
        "[mov @ 0x5] moov atom not found",
        "Conversion failed!",
    )


def test_what_is_not_ended_counts_too() -> None:
    assert taken(b"one\n", b"Segmentation") == ("one", "Segmentation")


@given(st.text(), st.text())
def test_nothing_that_is_quoted_becomes_a_message(before: str, after: str) -> None:
    quoted = f"{before}\n{FORGED}\n{after}"
    messages = taken(b"[matroska @ 0x5] ", f"unknown document '{quoted}'\n".encode(), b"Conversion failed!\n")

    assert FORGED not in messages
    assert messages[-1] == "Conversion failed!"


@given(st.integers(0, 3), st.sampled_from([-1, 0, 1]))
def test_nor_does_what_is_too_long_to_be_written_at_once(times: int, more: int) -> None:
    """The kernel cuts it, and a cut may be wherever the file wants."""
    text = b"x" * (times * PIECE_BYTES + more + PIECE_BYTES - 1) + b"\n" + FORGED.encode() + b"\n"
    pieces = [text[start : start + PIECE_BYTES] for start in range(0, len(text), PIECE_BYTES)]

    assert FORGED not in taken(b"[matroska @ 0x5] ", *pieces)


def test_of_very_many_the_first_and_the_last_are_kept() -> None:
    messages = taken(*(b"%d\n" % number for number in range(100_000)))

    assert (messages[0], messages[-1]) == ("0", "99999")
    assert len(messages) < 1000


def test_a_message_without_end_takes_no_memory() -> None:
    (message,) = taken(*[b"x" * PIECE_BYTES] * 1000)

    assert len(message) <= PIECE_BYTES
