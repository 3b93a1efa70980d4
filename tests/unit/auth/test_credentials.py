"""The Authorization header, and the one form of an address."""

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from video2mp3_auth.credentials import Credentials, normalise_email, parse_basic, parse_bearer
from video2mp3_auth.errors import MalformedCredentials, MissingCredentials, MissingToken


def basic(data: str | bytes) -> str:
    raw = data.encode() if isinstance(data, str) else data
    return f"Basic {base64.b64encode(raw).decode()}"


READ = {
    "plain": (basic("me@example.com:secret"), "me@example.com", "secret"),
    "scheme in lower case": (basic("me@example.com:secret").replace("Basic", "basic"), "me@example.com", "secret"),
    "upper case address": (basic("Me@Example.COM:Secret"), "me@example.com", "Secret"),
    "colons in the password": (basic("me@example.com:a:b:"), "me@example.com", "a:b:"),
    "empty password": (basic("me@example.com:"), "me@example.com", ""),
    "composed and decomposed are one": (basic("jose\u0301@example.com:se\u0301"), "jos\u00e9@example.com", "s\u00e9"),
    "space around the address": (basic(" me@example.com : x"), "me@example.com", " x"),
    "the longest password": (basic("me@example.com:" + "x" * 1024), "me@example.com", "x" * 1024),
}


@pytest.mark.parametrize(("header", "email", "password"), READ.values(), ids=READ)
def test_basic_credentials(header: str, email: str, password: str) -> None:
    assert parse_basic(header) == Credentials(email, password)


MALFORMED = {
    "not base64": "Basic !!!!",
    "base64 cut short": "Basic YWJj_",
    "not UTF-8": basic(b"me@example.com:\xff\xfe"),
    "no colon": basic("me@example.com"),
    "a line break": basic("me@example.com:a\nb"),
    "a NUL": basic("me@example.com\x00:a"),
    "password too long": basic("me@example.com:" + "x" * 1025),
    "password too long in bytes only": basic("me@example.com:" + "é" * 513),
    "password that grows by normalising": basic("me@example.com:" + "\u0958" * 341),
    "address too long": basic("m" * 250 + "@example.com:x"),
}


@pytest.mark.parametrize("header", MALFORMED.values(), ids=MALFORMED)
def test_malformed_basic_credentials(header: str) -> None:
    with pytest.raises(MalformedCredentials):
        parse_basic(header)


@pytest.mark.parametrize("header", [None, "", "Basic", "Basic ", "Bearer x", "Basicx"])
def test_missing_basic_credentials(header: str | None) -> None:
    with pytest.raises(MissingCredentials):
        parse_basic(header)


@given(st.one_of(st.text(), st.binary().map(lambda raw: f"Basic {base64.b64encode(raw).decode()}")))
def test_any_header_is_read_or_refused(header: str) -> None:
    with contextlib.suppress(MissingCredentials, MalformedCredentials):
        assert len(parse_basic(header).password.encode()) <= 1024


def test_a_password_is_never_shown() -> None:
    assert "secret" not in repr(parse_basic(basic("me@example.com:secret")))


@given(st.text())
def test_a_normalised_address_is_normal(text: str) -> None:
    assert normalise_email(normalise_email(text)) == normalise_email(text)


def test_bearer_tokens() -> None:
    assert parse_bearer("Bearer abc") == "abc"
    assert parse_bearer("bearer  abc ") == "abc"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer  ", "Basic abc"])
def test_missing_bearer_tokens(header: str | None) -> None:
    with pytest.raises(MissingToken):
        parse_bearer(header)
