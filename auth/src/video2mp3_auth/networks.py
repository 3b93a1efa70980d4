"""Whom a client's address belongs to, in two sizes. Pure."""

import ipaddress
from typing import Final

UNKNOWN: Final = "unknown"
"""What is no address: all of those are one client, since nobody may become many by sending nonsense."""

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_CLIENT_BITS: Final = {4: 32, 6: 64}
_NETWORK_BITS: Final = {4: 24, 6: 48}


def client(text: str) -> str:
    """One customer's place: an IPv4 address, or the IPv6 /64 that is the least anybody gets."""
    return _within(text, _CLIENT_BITS)


def network(text: str) -> str:
    """What one stranger can have all of, as far as addresses tell: an IPv4 /24, or an IPv6 /48.

    A /24 is the smallest network that the internet routes and that is rented out as a whole. In IPv6 a site gets up to
    a /48 (RFC 6177; RIPE-690 advises a /56 for homes and a /48 for others; tunnel brokers give a /48 to anybody), so
    that by /64 a single stranger would be up to 65,536 networks.
    """
    return _within(text, _NETWORK_BITS)


def _within(text: str, bits: dict[int, int]) -> str:
    address = _parsed(text)
    if address is None:
        return UNKNOWN
    kind = ipaddress.IPv4Network if isinstance(address, ipaddress.IPv4Address) else ipaddress.IPv6Network
    return str(kind((int(address), bits[address.version]), strict=False))


def _parsed(text: str) -> _Address | None:
    """The address, without the port that some proxies write behind it; IPv4 that is written as IPv6 is IPv4."""
    for candidate in (text, _without_port(text)):
        try:
            address = ipaddress.ip_address(candidate)
        except ValueError:
            continue
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return mapped or address
    return None


def _without_port(text: str) -> str:
    """`192.0.2.1:80` and `[2001:db8::1]:80`, and the brackets alone."""
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]
