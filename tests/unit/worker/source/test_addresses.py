"""Which addresses a source may be fetched from."""

import ipaddress

import pytest

from video2mp3_worker.source.addresses import NOT_PUBLIC_V4, NOT_PUBLIC_V6, is_public

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.0",
    "168.63.129.15",
    "172.15.255.255",
    "172.32.0.0",
    "198.17.255.255",
    "223.255.255.255",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "2001:200::1",
    "2003::1",
]

REFUSED = {
    "this host": "0.0.0.0",
    "private, 10": "10.0.0.1",
    "private, 172": "172.16.0.1",
    "private, 192": "192.168.255.255",
    "loopback": "127.0.0.1",
    "all of loopback": "127.255.255.254",
    "carrier's": "100.64.0.1",
    "metadata of AWS, GCP, Azure": "169.254.169.254",
    "metadata of Alibaba": "100.100.100.200",
    "metadata of Oracle": "192.0.0.192",
    "Azure's platform": "168.63.129.16",
    "documentation": "203.0.113.7",
    "benchmarks": "198.19.0.1",
    "multicast": "224.0.0.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "unspecified": "::",
    "loopback, IPv6": "::1",
    "mapped private": "::ffff:10.0.0.1",
    "mapped public": "::ffff:8.8.8.8",
    "compatible": "::8.8.8.8",
    "NAT64": "64:ff9b::8.8.8.8",
    "local NAT64": "64:ff9b:1::a00:1",
    "discard": "100::1",
    "Teredo": "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "ORCHID": "2001:20::1",
    "documentation, IPv6": "2001:db8::1",
    "documentation, the newer": "3fff::1",
    "6to4 of a private address": "2002:a00:1::1",
    "unique local": "fd00:ec2::254",
    "link-local": "fe80::1",
    "link-local with its interface": "fe80::1%eth0",
    "public with an interface": "2606:4700::1%lo",
    "site-local": "fec0::1",
    "multicast, IPv6": "ff02::1",
    "SRv6": "5f00::1",
    "no address": "localhost",
    "a number": "2130706433",
    "nothing": "",
}


@pytest.mark.parametrize("address", PUBLIC)
def test_the_public_internet_may_be_fetched_from(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", REFUSED.values(), ids=REFUSED)
def test_nothing_else_may(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("network", [*NOT_PUBLIC_V4, *NOT_PUBLIC_V6])
def test_both_ends_of_each_special_network_are_refused(network: str) -> None:
    ends = ipaddress.ip_network(network)
    assert not is_public(str(ends[0]))
    assert not is_public(str(ends[-1]))
