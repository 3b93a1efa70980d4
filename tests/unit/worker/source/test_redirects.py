"""Which address follows which, and what is left of it in a request."""

import pytest

from video2mp3_contracts.api.reasons import Reason
from video2mp3_worker.ports.errors import Refused
from video2mp3_worker.source.redirects import first, following

ANY = ("*",)


@pytest.mark.parametrize(
    ("url", "host", "port", "authority", "target"),
    [
        ("https://example.com", "example.com", 443, "example.com", "/"),
        ("http://Example.COM./a", "example.com", 80, "example.com", "/a"),
        ("https://example.com:443/a?b=c#d", "example.com", 443, "example.com", "/a?b=c"),
        ("http://example.com:443?q", "example.com", 443, "example.com:443", "/?q"),
        ("https://[2001:db8::1]/a", "2001:db8::1", 443, "[2001:db8::1]", "/a"),
        ("https://example.com/ä b%20c", "example.com", 443, "example.com", "/%C3%A4%20b%20c"),
    ],
)
def test_the_parts_of_an_address(url: str, host: str, port: int, authority: str, target: str) -> None:
    location = first(url, ANY)
    assert (location.host, location.port, location.authority, location.target) == (host, port, authority, target)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("https://cdn.example/b.mp4?sig=1#t=3", "https://cdn.example/b.mp4?sig=1"),
        ("//cdn.example/b.mp4", "https://cdn.example/b.mp4"),
        ("/b.mp4", "https://example.com/b.mp4"),
        ("b.mp4", "https://example.com/films/b.mp4"),
        ("?again", "https://example.com/films/a.mp4?again"),
        (" /b c.mp4 ", "https://example.com/b%20c.mp4"),
        ("/\u00c3\u00a4.mp4", "https://example.com/%C3%A4.mp4"),
        ("/%C3%A4.mp4", "https://example.com/%C3%A4.mp4"),
    ],
)
def test_where_a_location_leads(location: str, url: str) -> None:
    assert following(first("https://example.com/films/a.mp4", ANY), location, ANY).url == url


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("http://example.com/a.mp4", "without encryption"),
        ("ftp://example.com/a.mp4", "not http or https"),
        ("file:///etc/passwd", "not http or https"),
        ("https://me:secret@example.com/a.mp4", "not http or https"),
        ("https://example.com:8443/a.mp4", "port 80 or 443"),
        ("https://[::zz]/", "not http or https"),
        ("https://[a/", "not http or https"),
    ],
)
def test_where_nobody_is_led(location: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        following(first("https://example.com/a.mp4", ANY), location, ANY)
    assert refused.value.reason is Reason.SOURCE_NOT_ALLOWED
    assert words in refused.value.message
    assert "secret" not in refused.value.message


def test_without_encryption_one_may_be_led_to_it() -> None:
    assert following(first("http://example.com/a", ANY), "https://example.com/a", ANY).secure


def test_each_hop_must_be_allowed() -> None:
    location = first("https://example.com/a.mp4", ("example.com",))
    with pytest.raises(Refused) as refused:
        following(location, "https://cdn.example/a.mp4?sig=secret", ("example.com",))
    assert refused.value.reason is Reason.SOURCE_NOT_ALLOWED
    assert refused.value.message.startswith("example.com redirects elsewhere. ")
    assert "cdn.example" in refused.value.message
    assert "secret" not in refused.value.message


def test_a_source_must_be_allowed_too() -> None:
    with pytest.raises(Refused) as refused:
        first("https://example.com/a.mp4", ())
    assert refused.value.reason is Reason.SOURCE_NOT_ALLOWED


def test_what_only_looks_like_an_address_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        first("https://[:::]/a.mp4", ANY)
    assert refused.value.reason is Reason.BAD_REQUEST
