"""What a mail server's refusal means: is the address wrong, or can an administrator mend it? Pure.

By the enhanced status code (RFC 3463, and IANA's registry of them) at the beginning of the text; by the reply code
(RFC 5321) where there is none, and by the words, since such codes are for both.
"""

import re
from enum import Enum, auto
from typing import Final

_ENHANCED: Final = re.compile(r"\s*([245])\.(\d{1,3})\.(\d{1,3})(?!\S)")

_NO_SUCH_MAILBOX: Final = frozenset({"1.0", "1.1", "1.2", "1.3", "1.4", "1.6", "1.9", "1.10", "2.1"})
"""Mailbox, domain or syntax of the recipient's address; moved, ambiguous, or disabled; a domain that takes no mail.
Not the sender's (1.7, 1.8) and not a full mailbox (2.2)."""

_CONTENT: Final = "6"
"""What the email is made of, such as letters beyond ASCII where they are not taken (6.7): it stays the same."""

_NO_SUCH_MAILBOX_PLAIN: Final = frozenset({501, 551, 553, 556})
"""Of a recipient."""

_UNAVAILABLE: Final = 550
"""For a recipient: no such mailbox, or policy (RFC 5321, 4.2.3). Exim, for one, says both without an enhanced code."""

_NO_SUCH_MAILBOX_WORDS: Final = re.compile(
    r"\bno such (?:user|mailbox|recipient|address|account|person)"
    r"|\b(?:unknown|invalid) (?:local )?(?:user|mailbox|recipient|address|account)"
    r"|\b(?:user|mailbox|recipient|address|account)\b.{0,40}\b(?:unknown|not found|does(?: not|n't) exist|disabled)"
    r"|\bunroute?able address",
    re.IGNORECASE | re.DOTALL,
)

_WHO_SENDS_WORDS: Final = re.compile(
    r"\b(?:sender|from|your|client|helo|ehlo|hosts?|hostname|ips?|ipv[46]|r?dns|ptr"
    r"|relay\w*|rcpthosts|authenticat\w*|log ?in|password|contact"
    r"|(?:allow|deny|block|black|white)[ -]?list\w*)\b",
    re.IGNORECASE,
)
"""What is wrong may be with who sends. Too many of them cost a day of retries; one too few, an email."""


class Refusal(Enum):
    """What a refusal means."""

    FINAL = auto()
    """The address is wrong, or the server never takes such an email."""
    TURNED_AWAY = auto()
    """An administrator can mend it: policy, reputation, relaying, quota, a mailbox that is full."""
    FOR_NOW = auto()
    """The server says so itself (4xx): greylisting, rates, load."""


def meaning(code: int, text: str, *, of_recipient: bool) -> Refusal:
    """What the reply to RCPT or to the email means; `text` is what follows the code."""
    if is_for_now(code):
        return Refusal.FOR_NOW
    if found := _ENHANCED.match(text):
        _class, subject, detail = found.groups()
        final = f"{subject}.{detail}" in _NO_SUCH_MAILBOX or subject == _CONTENT
    else:
        final = of_recipient and _is_no_such_mailbox(code, text)
    return Refusal.FINAL if final else Refusal.TURNED_AWAY


def _is_no_such_mailbox(code: int, text: str) -> bool:
    if _WHO_SENDS_WORDS.search(text):
        return False
    named = code == _UNAVAILABLE and _NO_SUCH_MAILBOX_WORDS.search(text) is not None
    return named or code in _NO_SUCH_MAILBOX_PLAIN


def is_for_now(code: int) -> bool:
    """Whether the server itself says that another time it may take it (RFC 5321, 4.2.1)."""
    return code < 500
