"""How long a body is said to be, and how it is cut into chunks: as it is, or as a liar says.

Pure: the same chance makes the same bytes.
"""

import random
from collections.abc import Callable
from typing import Final

from tests.fuzz.gateway.heads import Head

_LENGTHS: Final = (
    b"0", b"-1", b"+5", b"", b" ", b"0x20", b"1e3", b"\xb2", b"\xbc", b"1_0", b"99999999999999999999", b"9" * 4500,
    b"5, 5", b"5,6", b"005", b"5\0", b"5368709121", b"2147483648", b"9000000000000000000",
)  # fmt: skip
_SIZES: Final = (
    b"", b"-1", b"+5", b"0x5", b"5_0", b" 5", b"5 ", b"g", b"\xb2", b"5;a=b", b'5;a="\n"', b"5;" + b"x" * 9000, b"5\r",
    b"f" * 16, b"f" * 20_000, b"00000005", b"5;\r", b"0", b"7fffffffffffffff",
)  # fmt: skip
_ENDS: Final = (
    b"", b"0", b"0\r\n", b"0\r\n\r", b"0\n\n", b"0\r\nTrailer: x\r\n\r\n", b"0\r\nContent-Length: 5\r\n\r\n",
    b"0\r\nX\r\n\r\n", b"0\r\n: x\r\n\r\n", b"0\r\n" + b"X: y\r\n" * 5000 + b"\r\n", b"0\r\nX: a\nY: b\r\n\r\n",
    b"0\r\nX: \0\r\n\r\n", b"0\r\n folded: x\r\n\r\n", b"0;x\r\n\r\n", b"00\r\n\r\n",
    b"0\r\nX: " + b"y" * 9000 + b"\r\n\r\n", b"-0\r\n\r\n", b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
)  # fmt: skip
_LINE_ENDS: Final = (b"\n", b"\r", b"", b"\r\n\r\n", b"xx")


def framed(head: Head, body: bytes, chance: random.Random) -> bytes:
    """The head, which is told how long the body is, and the body."""
    return chance.choice(_FRAMINGS)(head, body, chance)


def _right(head: Head, body: bytes, _chance: random.Random) -> bytes:
    head.fields.append((b"Content-Length", b"%d" % len(body)))
    return bytes(head) + body


def _wrong(head: Head, body: bytes, chance: random.Random) -> bytes:
    near = len(body) + chance.choice((-100, -2, -1, 1, 2, 100, 100_000))
    head.fields.append(
        (b"Content-Length", chance.choice((b"%d" % max(near, 0), b"%d" % (len(body) // 2), chance.choice(_LENGTHS))))
    )
    return bytes(head) + body


def _several(head: Head, body: bytes, chance: random.Random) -> bytes:
    head.fields += [
        (b"Content-Length", chance.choice((b"%d" % len(body), b"5"))) for _ in range(chance.choice((0, 2, 2)))
    ]
    if chance.random() < 0.5:
        head.fields.append(
            (chance.choice((b"Transfer-Encoding", b"Transfer_Encoding", b"transfer-encoding")), b"chunked")
        )
    return bytes(head) + body


def _chunked(head: Head, body: bytes, chance: random.Random) -> bytes:
    head.fields.append((b"Transfer-Encoding", b"chunked"))
    return bytes(head) + _chunks(body, chance) + b"0\r\n\r\n"


def _badly_chunked(head: Head, body: bytes, chance: random.Random) -> bytes:
    coding = chance.choice(
        (
            b"chunked",
            b"chunked",
            b"chunked",
            b"Chunked",
            b"gzip, chunked",
            b"chunked, chunked",
            b" chunked",
            b"\x0bchunked",
            b"identity",
            b"x",
        )
    )
    head.fields.append((b"Transfer-Encoding", coding))
    before = _chunks(body, chance)
    place = chance.randrange(len(before) + 1)
    bad = (
        chance.choice(_SIZES)
        + chance.choice((b"\r\n", b"\r\n", *_LINE_ENDS))
        + b"x" * chance.choice((0, 4, 5, 6))
        + chance.choice((b"\r\n", *_LINE_ENDS))
    )
    return (
        bytes(head)
        + chance.choice((before, before[:place] + bad + before[place:], before + bad))
        + chance.choice(_ENDS)
    )


def _chunks(body: bytes, chance: random.Random) -> bytes:
    size = chance.choice((1, 7, 100, 8192, 100_000)) if len(body) < 10_000 else 8192
    return b"".join(
        b"%x\r\n%s\r\n" % (len(piece), piece)
        for piece in (body[start : start + size] for start in range(0, len(body), size))
    )


_FRAMINGS: Final[tuple[Callable[[Head, bytes, random.Random], bytes], ...]] = (
    _right,
    _right,
    _right,
    _right,
    _wrong,
    _several,
    _chunked,
    _chunked,
    _badly_chunked,
    _badly_chunked,
)
