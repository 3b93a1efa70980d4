"""Who a request says it is: the Authorization header, read strictly (RFC 7617, RFC 6750), and addresses normalised."""

import base64
import binascii
import unicodedata
from dataclasses import dataclass, field
from typing import Final

from video2mp3_auth.errors import MalformedCredentials, MissingCredentials, MissingToken

LONGEST_EMAIL: Final = 254
"""Characters; RFC 5321's limit on a path, less its brackets."""

LONGEST_PASSWORD_BYTES: Final = 1024
"""In UTF-8. Nobody's password is longer, and what is hashed must have a limit."""


@dataclass(frozen=True)
class Credentials:
    """What somebody logs in with, normalised."""

    email: str
    password: str = field(repr=False)


def normalise_email(text: str) -> str:
    """The one form of an address: NFC, lower case, without space around it."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).lower())


def normalise_password(text: str) -> str:
    """NFC, as RFC 8265 asks, so that all keyboards give the same password."""
    return unicodedata.normalize("NFC", text)


def has_control_characters(text: str) -> bool:
    """Whether a character is one that neither an address nor a password may have."""
    return any(unicodedata.category(character) == "Cc" for character in text)


def parse_basic(header: str | None) -> Credentials:
    """The address and password of an `Authorization: Basic …` header."""
    encoded = _after_scheme(header, "basic")
    if encoded is None:
        raise MissingCredentials("Send `Authorization: Basic …` with EMAIL:PASSWORD; with curl, `-u EMAIL:PASSWORD`.")
    text = _decoded(encoded)
    email, colon, password = text.partition(":")
    if not colon or has_control_characters(text):
        raise MalformedCredentials("Basic credentials are EMAIL:PASSWORD without control characters, in base64.")
    credentials = Credentials(normalise_email(email), normalise_password(password))
    if len(credentials.email) > LONGEST_EMAIL:
        raise MalformedCredentials(f"An email address has at most {LONGEST_EMAIL} characters.")
    if len(credentials.password.encode()) > LONGEST_PASSWORD_BYTES:
        raise MalformedCredentials(f"A password has at most {LONGEST_PASSWORD_BYTES} bytes.")
    return credentials


def parse_bearer(header: str | None) -> str:
    """The token of an `Authorization: Bearer …` header."""
    token = _after_scheme(header, "bearer")
    if token is None:
        raise MissingToken("Send `Authorization: Bearer …` with a token from POST /login.")
    return token


def _after_scheme(header: str | None, scheme: str) -> str | None:
    given, _, rest = (header or "").partition(" ")
    return rest.strip() or None if given.lower() == scheme else None


def _decoded(token: str) -> str:
    try:
        return base64.b64decode(token, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise MalformedCredentials("Basic credentials are base64 of text in UTF-8.") from error
