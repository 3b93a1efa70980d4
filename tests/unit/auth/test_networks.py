"""Whom an address belongs to."""

import pytest

from video2mp3_auth.networks import client, network

ADDRESSES = {
    "IPv4": ("192.0.2.7", "192.0.2.7/32", "192.0.2.0/24"),
    "IPv4, its neighbour": ("192.0.2.200", "192.0.2.200/32", "192.0.2.0/24"),
    "IPv4 with a port": ("192.0.2.7:4711", "192.0.2.7/32", "192.0.2.0/24"),
    "IPv4 written as IPv6": ("::ffff:192.0.2.7", "192.0.2.7/32", "192.0.2.0/24"),
    "IPv6": ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64", "2001:db8:1::/48"),
    "IPv6, the next /64 of one site": ("2001:db8:1:3::1", "2001:db8:1:3::/64", "2001:db8:1::/48"),
    "IPv6 with a port": ("[2001:db8:1:2::1]:4711", "2001:db8:1:2::/64", "2001:db8:1::/48"),
    "IPv6 with an interface": ("fe80::1%eth0", "fe80::/64", "fe80::/48"),
    "nothing": ("", "unknown", "unknown"),
    "a name": ("unix:", "unknown", "unknown"),
    "another name": ("_hidden", "unknown", "unknown"),
}


@pytest.mark.parametrize(("address", "one", "stranger"), ADDRESSES.values(), ids=ADDRESSES)
def test_a_client_and_its_network(address: str, one: str, stranger: str) -> None:
    assert (client(address), network(address)) == (one, stranger)
