"""The wire format of a DNS question (RFC 1035)."""

import struct
from ipaddress import IPv4Address

import pytest

from video2mp3_localcluster.node.dns_query import build_query, has_answer

ADDRESS = IPv4Address("10.213.16.1")
QUERY = build_query(0x1234, "kubernetes.default")


def reply(identifier: int = 0x1234, code: int = 0, answers: int = 1, address: IPv4Address = ADDRESS) -> bytes:
    record = struct.pack(">HHHIH", 0xC00C, 1, 1, 5, 4) + address.packed
    return struct.pack(">6H", identifier, 0x8580 | code, 1, answers, 0, 0) + QUERY[12:] + record * answers


def test_a_question_has_its_labels() -> None:
    assert QUERY[:12] == bytes.fromhex("123401000001000000000000")
    assert QUERY[12:] == b"\x0akubernetes\x07default\x00\x00\x01\x00\x01"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (reply(), True),
        (reply(identifier=0x4321), False),
        (reply(code=3, answers=0), False),
        (reply(address=IPv4Address("192.0.2.1")), False),
        (b"", False),
    ],
)
def test_only_the_address_that_was_asked_for_is_an_answer(answer: bytes, expected: bool) -> None:
    assert has_answer(QUERY, answer, ADDRESS) is expected
