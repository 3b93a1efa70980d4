"""Email addresses, by one rule for whoever makes accounts, believes tokens or sends mail.

Strictly: what is not plainly one address is none. Parsers that read almost anything let an address through that hides a
second one, a comment or a header.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

import idna

_ATOM: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+")
"""RFC 5322's atext. Quoted local parts are left out: nobody has one, and they are a way to smuggle."""

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LONGEST_LOCAL_PART: Final = 64
LONGEST_ADDRESS: Final = 254
"""Both in bytes of UTF-8 (RFC 5321, section 4.5.3.1, and RFC 6531)."""


class InvalidAddressError(ValueError):
    """A text is no email address that can be sent to. The message quotes nothing of it."""


@dataclass(frozen=True)
class EmailAddress:
    """One address, in the form in which it is sent to."""

    local_part: str
    domain: str
    """A name in ASCII: international ones by IDNA 2008, where `straße.de` and `strasse.de` are two."""

    def __str__(self) -> str:
        return f"{self.local_part}@{self.domain}"

    @property
    def international(self) -> bool:
        """Whether only a mail server with SMTPUTF8 (RFC 6531) takes it."""
        return not self.local_part.isascii()


def parse_address(text: str) -> EmailAddress:
    """The address in `text`. Raises InvalidAddressError."""
    local_part, at, domain = unicodedata.normalize("NFC", text).rpartition("@")
    if not at or not all(map(_is_atom, local_part.split("."))):
        raise InvalidAddressError("not an email address: before the @ are letters, digits and a few signs")
    address = EmailAddress(local_part, _ascii(domain))
    if _size(local_part) > _LONGEST_LOCAL_PART or _size(str(address)) > LONGEST_ADDRESS:
        raise InvalidAddressError(
            f"not an email address: it has at most {LONGEST_ADDRESS} bytes, {_LONGEST_LOCAL_PART} before the @"
        )
    return address


def _is_atom(text: str) -> bool:
    plain = "".join(character for character in text if character.isascii())
    others = (character for character in text if not character.isascii())
    # Beyond ASCII RFC 6531 allows everything; spaces, controls and what is not seen are kept out.
    return (
        bool(text)
        and (not plain or _ATOM.fullmatch(plain) is not None)
        and all(unicodedata.category(character)[0] not in "CZ" for character in others)
    )


def _ascii(domain: str) -> str:
    try:
        is_plain = domain.isascii() and "xn--" not in domain.lower()
        # Capital letters and wide ones are mapped, as browsers do it (UTS 46).
        name = domain if is_plain else idna.encode(domain, uts46=True).decode()
    except UnicodeError as error:
        raise InvalidAddressError("not an email address: after the @ is no host name") from error
    if not _HOST.fullmatch(name):
        raise InvalidAddressError("not an email address: after the @ is no host name")
    return name


def _size(text: str) -> int:
    return len(text.encode())
