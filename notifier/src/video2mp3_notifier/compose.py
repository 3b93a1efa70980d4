"""⑨ The email that a message becomes: text and HTML, deterministic but for its date. Pure.

Every value comes from outside, file names above all: `texts.sanitize` takes out what hides or reorders, Jinja2 escapes
the HTML, and `mail_header` encodes what stands in the head. `EmailMessage` sees no foreign text in a header: it would
take the text for its source, and decode what looks like an encoded word.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from video2mp3_contracts.api.names import is_request_id
from video2mp3_contracts.messaging.message import ConversionFinished
from video2mp3_contracts.text.address import parse_address
from video2mp3_contracts.text.mail_header import mailbox_field, text_field
from video2mp3_notifier import texts
from video2mp3_notifier.addresses import parse_sender
from video2mp3_notifier.advice import advice_for
from video2mp3_notifier.ports import Email

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
    kept_until: str
    """"" where nothing but its owner ends that."""

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
        self._sender = parse_sender(sender)
        self._public_url = public_url
        self._templates = Environment(
            loader=PackageLoader("video2mp3_notifier"),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
        )

    def compose(self, message: ConversionFinished, now: datetime) -> Email:
        """The email that tells of this message. Raises InvalidAddressError."""
        view = self._view(message)
        sender, recipient = self._sender.address, parse_address(message.email)
        digest = hashlib.sha256(message.message_id.encode()).hexdigest()[:32]
        head = (
            mailbox_field("From", self._sender.display_name, str(sender))
            + mailbox_field("To", "", str(recipient))
            + text_field("Subject", _SUBJECTS[message.kind].format(view.filename))
            + f"Date: {format_datetime(now)}\r\n"
            # The same for every copy of the message, so that a second email can be told from a second conversion.
            + f"Message-ID: <{digest}@{sender.domain}>\r\n"
            # RFC 3834: out-of-office programs do not answer this.
            + "Auto-Submitted: auto-generated\r\n"
            # For who runs the installation: by it they find the upload's lines in every log.
            + _request_id(message)
        )
        return Email(str(sender), recipient, head.encode() + self._body(message, view, digest))

    def _body(self, message: ConversionFinished, view: View, digest: str) -> bytes:
        """Both texts, with the fields that describe them."""
        body = EmailMessage(policy=policy.SMTP)
        body.set_content(self._render(message, "txt", view), cte="quoted-printable")
        body.add_alternative(self._render(message, "html", view), subtype="html", cte="quoted-printable")
        body.set_boundary(f"=_{digest}")
        return bytes(body)

    def _render(self, message: ConversionFinished, extension: str, view: View) -> str:
        return self._templates.get_template(f"{message.kind}.{extension}").render(view=view)

    def _view(self, message: ConversionFinished) -> View:
        conversion = f"{message.conversion.namespace}/{message.conversion.name}"
        filename = texts.sanitize(message.filename, _LONGEST_NAME) or texts.sanitize(
            message.conversion.name, _LONGEST_NAME
        )
        return View(
            filename=filename,
            length=texts.length(message.duration_seconds),
            size=texts.size(message.size),
            file_id=message.file_id,
            link=f"{self._public_url}/download?fid={message.file_id}",
            kept_until=texts.moment(message.expires_at) if message.expires_at else "",
            login_url=f"{self._public_url}/login",
            owner=texts.sanitize(message.owner, _LONGEST_NAME),
            conversion=texts.sanitize(conversion, 2 * _LONGEST_NAME),
            reason=texts.sanitize(message.reason, _LONGEST_NAME),
            why=texts.sanitize(message.message, _LONGEST_SENTENCE) or "The reason is not known.",
            advice=advice_for(message.reason),
            notes=tuple(filter(None, (texts.sanitize(note, _LONGEST_SENTENCE) for note in message.notes))),
        )


def _request_id(message: ConversionFinished) -> str:
    given = message.conversion.request_id
    return text_field("X-Request-Id", given) if is_request_id(given) else ""
