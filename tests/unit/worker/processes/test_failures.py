"""Every verdict needs its status and a whole message; what only looks like one, or is quoted, changes nothing."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.jobs.exit_codes import ExitCode
from video2mp3_worker.ports.errors import WorkerError
from video2mp3_worker.processes import failures
from video2mp3_worker.processes.child import Ended

FILE = "file:/scratch/attempt/source"
MATROSKA, MOV = "[matroska,webm @ 0x5568437f4680] ", "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55da7b94edc0] "
TRACKS = (
    f"{MATROSKA}Number of streams exceeds max_streams parameter (64), see the documentation if you wish to increase it"
)
TRACKS_7 = f"{MATROSKA}Number of tracks exceeds max_streams (64)"
PARTIAL = f"{MOV}stream 0, offset 0x58c1: partial file"
FORMAT = "[hls @ 0x5567fe66a680] Format not on whitelist 'mov,matroska'"
DECODER = "[jpeg2000 @ 0x55b5592de100] Codec (jpeg2000) not on whitelist 'aac,libvpx-vp9,pcm_s16le'"
MEMORY = f"{FILE}: Cannot allocate memory"
LIBRARY = "/usr/bin/ffmpeg: error while loading shared libraries: libm.so.6: failed to map segment from shared object"
SENTENCES = (TRACKS, TRACKS_7, PARTIAL, FORMAT, DECODER, MEMORY, LIBRARY, "launcher: no")
PHRASES = (*SENTENCES, "encoder: [Errno 28] No space left on device", "File too large", "No space left on device")


def ended(status: int, *messages: str, is_spent: bool = False) -> Ended:
    return Ended(status, "\n".join(messages), messages, is_spent)


def code_and_reason(ended: Ended, of_encoder: bool = False) -> tuple[ExitCode, Reason] | None:
    try:
        (failures.refuse_failed_encoder if of_encoder else failures.refuse_if_killed)(ended)
    except WorkerError as error:
        return error.exit_code, error.reason
    return None


MEDIA, AGAIN = ExitCode.BAD_MEDIA, ExitCode.TRY_AGAIN


@pytest.mark.parametrize(
    ("how", "verdict"),
    [
        (ended(0, MEMORY, PARTIAL, "launcher: no"), None),
        (ended(1, "Conversion failed!"), None),
        (ended(255), None),
        (ended(1, MEMORY), (MEDIA, Reason.LIMIT_EXCEEDED)),
        (ended(1, "file:/a b: c\nd.mp4: Cannot allocate memory"), (MEDIA, Reason.LIMIT_EXCEEDED)),
        (ended(1, f"subfile,,start,0,end,744,,:{MEMORY}"), (MEDIA, Reason.LIMIT_EXCEEDED)),
        (ended(244, "Error opening input files: Cannot allocate memory"), (MEDIA, Reason.LIMIT_EXCEEDED)),
        (
            ended(1, "Failed to inject frame into filter network: Cannot allocate memory", "Conversion failed!"),
            (MEDIA, Reason.LIMIT_EXCEEDED),
        ),
        (ended(1, f"{MOV}title 'x: Cannot allocate memory'", f"{FILE}: Invalid data found"), None),
        (ended(1, f"{MOV}title 'x': Cannot allocate memory", f"{FILE}: Invalid data found"), None),
        (ended(1, MEMORY, *["something else"] * 3), None),
        (ended(-signal.SIGXCPU), (MEDIA, Reason.LIMIT_EXCEEDED)),
        (ended(255, is_spent=True), (MEDIA, Reason.LIMIT_EXCEEDED)),
        (ended(123, is_spent=True), (MEDIA, Reason.LIMIT_EXCEEDED)),
        (ended(-signal.SIGKILL, is_spent=True), (MEDIA, Reason.LIMIT_EXCEEDED)),
        (ended(0, is_spent=True), None),
        (ended(-signal.SIGKILL), (AGAIN, Reason.OUT_OF_MEMORY)),
        (ended(-signal.SIGTERM), (AGAIN, Reason.OUT_OF_MEMORY)),
        (ended(-signal.SIGSEGV), (MEDIA, Reason.NOT_MEDIA)),
        (ended(-signal.SIGSYS), (MEDIA, Reason.NOT_MEDIA)),
        (ended(126, "launcher: the worker is gone"), (AGAIN, Reason.WORKER_CRASHED)),
        (ended(127, LIBRARY), (AGAIN, Reason.WORKER_CRASHED)),
        (ended(126, "x launcher: no"), None),
        (ended(1, "launcher: no", LIBRARY), None),
        (ended(127, "launcher: no"), None),
        (ended(1, "No space left on device"), None),
        (ended(1, f"{FILE}: No space left on device"), None),
        (ended(1, f"{FILE}: File too large"), None),
    ],
    ids=lambda value: f"{value.status} {value.messages[-1:]}" if isinstance(value, Ended) else "",
)
def test_how_a_reader_ends(how: Ended, verdict: tuple[ExitCode, Reason] | None) -> None:
    assert code_and_reason(how) == verdict


@pytest.mark.parametrize(
    ("how", "verdict"),
    [
        (ended(0, "encoder: [Errno 28] No space left on device"), None),
        (ended(1, "encoder: [Errno 28] No space left on device"), (AGAIN, Reason.SERVICE_UNAVAILABLE)),
        (ended(1, "encoder: [Errno 122] Disk quota exceeded"), (AGAIN, Reason.SERVICE_UNAVAILABLE)),
        (ended(1, "encoder: [Errno 27] File too large"), (MEDIA, Reason.LIMIT_EXCEEDED)),
        (ended(1, "encoder: MemoryError"), (MEDIA, Reason.LIMIT_EXCEEDED)),
        (ended(1, "encoder: LAME could not encode (-3)"), (MEDIA, Reason.WORKER_CRASHED)),
        (ended(1, "encoder: [Errno 5] Input/output error"), (AGAIN, Reason.WORKER_CRASHED)),
        (ended(1, "encoder: a part is cut off"), (AGAIN, Reason.WORKER_CRASHED)),
        (ended(1, "encoder: libmp3lame.so.0: cannot open shared object file"), (AGAIN, Reason.WORKER_CRASHED)),
        (ended(1, "Traceback (most recent call last):", "ZeroDivisionError"), (MEDIA, Reason.WORKER_CRASHED)),
        (ended(1, "x encoder: [Errno 28] No space left on device"), (MEDIA, Reason.WORKER_CRASHED)),
        (ended(-signal.SIGXCPU), (MEDIA, Reason.LIMIT_EXCEEDED)),
        (ended(-signal.SIGABRT, "mpglib: assertion"), (MEDIA, Reason.NOT_MEDIA)),
        (ended(-signal.SIGKILL), (AGAIN, Reason.OUT_OF_MEMORY)),
    ],
    ids=lambda value: f"{value.status} {value.messages[-1:]}" if isinstance(value, Ended) else "",
)
def test_how_the_encoder_ends(how: Ended, verdict: tuple[ExitCode, Reason] | None) -> None:
    assert code_and_reason(how, of_encoder=True) == verdict


def test_each_phrase_means_what_it_says() -> None:
    assert failures.is_partial(ended(0, PARTIAL))
    assert failures.has_too_many_tracks(ended(1, TRACKS, MEMORY))
    assert failures.has_too_many_tracks(ended(0, TRACKS_7))
    assert failures.refused_format(ended(1, FORMAT)) is not None
    assert failures.refused_decoders(ended(1, DECODER)) == {"jpeg2000"}
    assert failures.refused_decoders(ended(1, DECODER[:-5])) == {"jpeg2000"}


@given(
    st.sampled_from(PHRASES),
    st.sampled_from(
        ["title='{}'", "title: {}", "Title: {}", "\n{}\n", "{}\n", "{} ", " {}", "x\n{}", "codec tag {}, 0x1234"]
    ),
    st.text(max_size=20),
    st.sampled_from([0, 1, 69, 126, 127, 183, 244, 255]),
)
def test_a_phrase_that_is_quoted_means_nothing(phrase: str, quoted: str, text: str, status: int) -> None:
    """As a file would have ffmpeg say it: in the middle of a message of its own, with line breaks or without."""
    said = ended(status, f"{MOV}{quoted.format(phrase + text)}", f"{FILE}: Invalid data found when processing input")

    assert code_and_reason(said) is None
    assert not failures.is_partial(said)
    assert not failures.has_too_many_tracks(said)
    assert failures.refused_format(said) is None
    assert not failures.refused_decoders(said)
