"""Email addresses, strictly: what is not plainly one address is none.

The standard library's parser is made to read almost anything, so an address that hides a second one, a comment or a
header would get through.
"""

import re
from email.headerregistry import Address
from email.utils import parseaddr

_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
"""RFC 5322's dot-atom. Quoted local parts are left out: nobody has one, and they are a way to smuggle."""

_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*")
_LONGEST_LOCAL_PART = 64
_LONGEST_ADDRESS = 254


class InvalidAddressError(ValueError):
    """A text is no email address that can be sent to. The message quotes nothing of it."""


def parse_address(text: str, display_name: str = "") -> Address:
    """The address in `text`, with an international domain in its ASCII form. Raises InvalidAddressError."""
    local_part, at, domain = text.rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local_part) or len(local_part) > _LONGEST_LOCAL_PART:
        raise InvalidAddressError("not an email address: before the @ are letters, digits and a few signs, in ASCII")
    try:
        ascii_domain = domain.encode("idna").decode()
    except UnicodeError as error:
        raise InvalidAddressError("not an email address: after the @ is no host name") from error
    if not _DOMAIN.fullmatch(ascii_domain) or len(local_part) + 1 + len(ascii_domain) > _LONGEST_ADDRESS:
        raise InvalidAddressError("not an email address: after the @ is no host name")
    return Address(display_name=display_name, username=local_part, domain=ascii_domain)


def parse_sender(text: str) -> Address:
    """The address in `a@example.org` or `Some Name <a@example.org>`. Raises InvalidAddressError."""
    display_name, address = parseaddr(text)
    if not text.isprintable():
        raise InvalidAddressError("not an email address: it holds control characters")
    return parse_address(address, display_name)
