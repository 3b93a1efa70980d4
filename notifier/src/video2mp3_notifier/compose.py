"""⑨ The email that a message becomes: text and HTML, deterministic but for its date. Pure.

Every value comes from outside, file names above all: `texts.plain` takes out what hides or reorders, Jinja2 escapes
the HTML, and `EmailMessage` refuses line breaks in headers.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from video2mp3_contracts.message import ConversionFinished
from video2mp3_notifier import texts
from video2mp3_notifier.addresses import parse_address, parse_sender
from video2mp3_notifier.advice import advice_for

_LONGEST_NAME: Final = 120
_LONGEST_SENTENCE: Final = 1000
_SUBJECTS: Final = {"succeeded": "Your mp3 is ready: {}", "failed": "Your video could not be converted: {}"}


@dataclass(frozen=True)
class View:
    """What the templates show; every text is plain."""

    filename: str
    length: str
    size: str
    file_id: str
    link: str
    login_url: str
    owner: str
    conversion: str
    """`namespace/name`"""

    reason: str
    why: str
    advice: str
    notes: tuple[str, ...]


class Composer:
    """Makes emails from one sender, with links to one gateway."""

    def __init__(self, sender: str, public_url: str) -> None:
        """`public_url` has no slash at its end. Raises InvalidAddressError."""
        self._sender: Address = parse_sender(sender)
        self._public_url = public_url
        self._templates = Environment(
            loader=PackageLoader("video2mp3_notifier"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def compose(self, message: ConversionFinished, now: datetime) -> EmailMessage:
        """The email that tells of this message. Raises InvalidAddressError."""
        view = self._view(message)
        digest = hashlib.sha256(message.message_id.encode()).hexdigest()[:32]
        email = EmailMessage(policy=policy.SMTP)
        email["From"] = self._sender
        email["To"] = parse_address(message.email)
        email["Subject"] = _SUBJECTS[message.kind].format(view.filename)
        email["Date"] = format_datetime(now)
        # The same for every copy of the message, so that a second email can be told from a second conversion.
        email["Message-ID"] = f"<{digest}@{self._sender.domain}>"
        # RFC 3834: out-of-office programs do not answer this.
        email["Auto-Submitted"] = "auto-generated"
        email.set_content(self._render(message, "txt", view), cte="quoted-printable")
        email.add_alternative(self._render(message, "html", view), subtype="html", cte="quoted-printable")
        email.set_boundary(f"=_{digest}")
        return email

    def _render(self, message: ConversionFinished, extension: str, view: View) -> str:
        return self._templates.get_template(f"{message.kind}.{extension}").render(view=view)

    def _view(self, message: ConversionFinished) -> View:
        conversion = f"{message.conversion.namespace}/{message.conversion.name}"
        filename = texts.plain(message.filename, _LONGEST_NAME) or texts.plain(message.conversion.name, _LONGEST_NAME)
        return View(
            filename=filename,
            length=texts.length(message.duration_seconds),
            size=texts.size(message.size),
            file_id=message.file_id,
            link=f"{self._public_url}/download?fid={message.file_id}",
            login_url=f"{self._public_url}/login",
            owner=texts.plain(message.owner, _LONGEST_NAME),
            conversion=texts.plain(conversion, 2 * _LONGEST_NAME),
            reason=texts.plain(message.reason, _LONGEST_NAME),
            why=texts.plain(message.message, _LONGEST_SENTENCE) or "The reason is not known.",
            advice=advice_for(message.reason),
            notes=tuple(filter(None, (texts.plain(note, _LONGEST_SENTENCE) for note in message.notes))),
        )
