"""Which texts are an email address."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video2mp3_contracts.text.address import InvalidAddressError, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ada@example.org", "ada@example.org"),
        ("ada.l+mp3@mail.example.org", "ada.l+mp3@mail.example.org"),
        ("o'brien@example.org", "o'brien@example.org"),
        ("root@localhost", "root@localhost"),
        ("ada@bücher.example", "ada@xn--bcher-kva.example"),
        ("ada@straße.de", "ada@xn--strae-oqa.de"),
        ("ada@strasse.de", "ada@strasse.de"),
        ("ada@BÜCHER.example", "ada@xn--bcher-kva.example"),
        ("ada@faß.example", "ada@xn--fa-hia.example"),
        ("ada@xn--bcher-kva.example", "ada@xn--bcher-kva.example"),
        ("ada@例え.テスト", "ada@xn--r8jz45g.xn--zckzah"),
        ("josé@example.com", "josé@example.com"),
        ("jose\u0301@example.com", "josé@example.com"),
        ("用户@例え.テスト", "用户@xn--r8jz45g.xn--zckzah"),
    ],
)
def test_an_address_is_taken(text: str, address: str) -> None:
    assert str(parse_address(text)) == address


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
        "ad\u200da@example.org",
        "ad\u202ea@example.org",
        "ad\u3000a@example.org",
        "ä" * 33 + "@example.org",
        "ada@xn--a.example",
        "ada@☃\u0301 .example",
        "ada@" + "a" * 64 + ".org",
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


def test_only_letters_before_the_at_need_a_server_that_knows_them() -> None:
    assert parse_address("josé@example.com").international
    assert not parse_address("ada@straße.de").international


@given(st.text(st.characters(exclude_categories=[])) | st.emails())
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except InvalidAddressError:
        return
    assert parse_address(str(address)) == address
    assert address.domain.isascii()
    assert len(str(address).encode()) <= 254
