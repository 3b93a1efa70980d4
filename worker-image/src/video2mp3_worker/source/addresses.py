"""⑥ Which IP addresses a source may be fetched from: those of the public internet. Pure.

Python's `is_global` is not asked: what it answers differs between versions. Source: IANA's registries of
special-purpose addresses for IPv4 and IPv6 (RFC 6890); addresses by which a cloud talks to its machines.
"""

import ipaddress
from functools import cache
from typing import Final

PUBLIC_V4: Final = "0.0.0.0/0"
NOT_PUBLIC_V4: Final = (
    "0.0.0.0/8",  # this host
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # carriers' own, some clouds' metadata
    "127.0.0.0/8",  # loopback
    "168.63.129.16/32",  # Azure's platform, metadata among it
    "169.254.0.0/16",  # link-local, metadata among it
    "172.16.0.0/12",  # private
    "192.0.0.0/24",  # protocols' own, Oracle's metadata among it
    "192.0.2.0/24",  # for documentation
    "192.31.196.0/24",  # AS112
    "192.52.193.0/24",  # AMT relays
    "192.88.99.0/24",  # 6to4 relays
    "192.168.0.0/16",  # private
    "192.175.48.0/24",  # AS112
    "198.18.0.0/15",  # for benchmarks
    "198.51.100.0/24",  # for documentation
    "203.0.113.0/24",  # for documentation
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, broadcast
)

PUBLIC_V6: Final = "2000::/3"
"""All that is given out. Loopback, mapped IPv4 (::ffff:0:0/96), NAT64 (64:ff9b::/96), unique local, link-local and
multicast addresses lie outside."""

NOT_PUBLIC_V6: Final = (
    "2001::/23",  # protocols' own: Teredo, ORCHID, benchmarks
    "2001:db8::/32",  # for documentation
    "2002::/16",  # 6to4, which wraps any IPv4 address
    "2620:4f:8000::/48",  # AS112
    "3fff::/20",  # for documentation
)

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def is_public(text: str) -> bool:
    """Whether an address, as the resolver writes it, lies in the public internet. What is no address does not.

    Nor does one that names an interface: only an address of the own network needs that.
    """
    if "%" in text:
        return False
    try:
        address: _Address = ipaddress.ip_address(text)
    except ValueError:
        return False
    inside, outside = _networks(address.version)
    return address in inside and not any(address in network for network in outside)


@cache
def _networks(version: int) -> tuple[_Network, tuple[_Network, ...]]:
    inside, outside = (PUBLIC_V4, NOT_PUBLIC_V4) if version == 4 else (PUBLIC_V6, NOT_PUBLIC_V6)
    return ipaddress.ip_network(inside), tuple(map(ipaddress.ip_network, outside))
