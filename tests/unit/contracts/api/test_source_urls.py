"""Which hosts sources are fetched from."""

import re

import pytest

from video2mp3_contracts.api.source_urls import HOST_PATTERN, host_of, is_allowed, refusal


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://example.com", "example.com"),
        ("https://Media.Example.COM./a.mp4", "media.example.com"),
        ("http://example.com:80?x=//other.example", "example.com"),
        ("http://192.0.2.1/", "192.0.2.1"),
        ("https://[2001:DB8::1]:443/a.mp4", "2001:db8::1"),
    ],
)
def test_the_host_of_an_address(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize("url", ["ftp://example.com/", "https://a@example.com/", "//example.com/", "https://a:8080/"])
def test_what_is_no_address_of_a_source_has_no_host(url: str) -> None:
    with pytest.raises(ValueError, match="port 80, 443 or none"):
        host_of(url)


@pytest.mark.parametrize(
    ("host", "allowed", "expected"),
    [
        ("media.example.com", (), False),
        ("media.example.com", ("media.example.com",), True),
        ("media.example.com", ("example.com",), False),
        ("media.example.com", ("other.example", "*.example.com"), True),
        ("a.b.example.com", ("*.example.com",), True),
        ("example.com", ("*.example.com",), False),
        ("badexample.com", ("*.example.com",), False),
        ("media.example.com.evil.example", ("*.example.com", "media.example.com"), False),
        ("2001:db8::1", ("*",), True),
    ],
)
def test_an_allowed_host_is_named_or_below_a_named_one(host: str, allowed: tuple[str, ...], expected: bool) -> None:
    assert is_allowed(host, allowed) is expected
    assert (refusal(host, allowed) == "") is expected


@pytest.mark.parametrize("allowed", [(), ("other.example",)])
def test_a_refusal_names_the_value_that_would_change_it(allowed: tuple[str, ...]) -> None:
    assert "worker.urlSources.allowedHosts" in refusal("media.example.com", allowed)


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("*", True),
        ("example.com", True),
        ("*.example.com", True),
        ("203.0.113.7", True),
        ("*example.com", False),
        ("media.*.com", False),
        ("Example.com", False),
        ("https://example.com", False),
        ("example.com:443", False),
        ("", False),
    ],
)
def test_an_entry_of_the_list(pattern: str, fits: bool) -> None:
    assert bool(re.fullmatch(HOST_PATTERN, pattern)) is fits
