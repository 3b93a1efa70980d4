"""Asks a DNS server for a name's IPv4 addresses, the way RFC 1035 says; the system's resolver cannot be told whom."""

import secrets
import socket
import struct
from ipaddress import IPv4Address

_TYPE_A = 1
_CLASS_IN = 1
_RECURSION_DESIRED = 0x0100
_HEADER = struct.Struct(">6H")
_RESPONSE_CODE = 0x000F


def build_query(identifier: int, name: str) -> bytes:
    """One question of type A."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return (
        _HEADER.pack(identifier, _RECURSION_DESIRED, 1, 0, 0, 0)
        + labels
        + b"\0"
        + struct.pack(">2H", _TYPE_A, _CLASS_IN)
    )


def has_answer(query: bytes, reply: bytes, address: IPv4Address) -> bool:
    """Whether a reply answers the query and its answers contain the address.

    Addresses are the last thing of an A record, so a search in what follows the question is enough here.
    """
    if len(reply) < len(query) or reply[:2] != query[:2]:
        return False
    flags, answers = struct.unpack_from(">2xH2xH", reply)
    return flags & _RESPONSE_CODE == 0 and answers > 0 and address.packed in reply[len(query) :]


def resolves(server: IPv4Address, source: IPv4Address, name: str, address: IPv4Address, seconds: float) -> bool:
    """Ask ``server`` over UDP whether ``name`` has the address; raises OSError, also if no reply comes in time."""
    query = build_query(secrets.randbelow(1 << 16), name)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as connection:
        connection.bind((str(source), 0))
        connection.settimeout(seconds)
        connection.connect((str(server), 53))
        connection.send(query)
        return has_answer(query, connection.recv(512), address)
