"""Which texts are an address."""

import pytest

from video2mp3_notifier.addresses import InvalidAddressError, parse_address, parse_sender


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ada@example.org", "ada@example.org"),
        ("ada.l+mp3@mail.example.org", "ada.l+mp3@mail.example.org"),
        ("o'brien@example.org", "o'brien@example.org"),
        ("root@localhost", "root@localhost"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_taken(text: str, address: str) -> None:
    assert parse_address(text).addr_spec == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@example..org",
        "ada@-example.org",
        "ada..l@example.org",
        "ada @example.org",
        '"ada l"@example.org',
        "ada@example.org (a comment)",
        "ada,eve@example.org",
        "eve@example.com,ada@example.org",
        "<ada@example.org>",
        "ada>eve@example.org",
        "ada@example.org\r\nBcc: eve@example.com",
        "ada\r\nBcc: eve@example.org",
        "ada\x00@example.org",
        "ädä@example.org",
        "a" * 65 + "@example.org",
        "ada@" + "a." * 130 + "org",
        "ada@[127.0.0.1]",
        "ada@exa\udcffmple.org",
    ],
)
def test_anything_else_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(InvalidAddressError, match="not an email address") as error:
        parse_address(text)
    assert not text or text not in str(error.value)


def test_a_sender_may_have_a_name() -> None:
    sender = parse_sender("Video to mp3 <noreply@example.org>")
    assert (sender.display_name, sender.addr_spec) == ("Video to mp3", "noreply@example.org")
    assert parse_sender("noreply@example.org").display_name == ""


@pytest.mark.parametrize("text", ["Video to mp3", "a@example.org\nBcc: b@example.org", "<>", "a@b@c"])
def test_a_sender_is_one_address(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        parse_sender(text)
