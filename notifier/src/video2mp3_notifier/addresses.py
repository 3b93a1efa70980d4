"""Who the emails are from, as administrators write it. The rule of addresses is everybody's, see `contracts`."""

from dataclasses import dataclass
from email.utils import parseaddr

from video2mp3_contracts.text.address import EmailAddress, InvalidAddressError, parse_address


@dataclass(frozen=True)
class Sender:
    """An address and the name beside it, "" for none."""

    display_name: str
    address: EmailAddress


def parse_sender(text: str) -> Sender:
    """The sender in `a@example.org` or `Some Name <a@example.org>`. Raises InvalidAddressError."""
    if not text.isprintable():
        raise InvalidAddressError("not an email address: it holds control characters")
    display_name, given = parseaddr(text)
    address = parse_address(given)
    if address.international:
        # Every email would need a server with SMTPUTF8, and every receiver's server too.
        raise InvalidAddressError("not a sender's email address: before the @ it must be in ASCII")
    return Sender(display_name, address)
