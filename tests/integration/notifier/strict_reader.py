"""A strict reader of emails that is not Python's: Perl's Mail::Message."""

import base64
import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SCRIPT = Path(__file__).with_name("read_mails.pl")


@dataclass(frozen=True)
class ReadEmail:
    """What a person is shown."""

    fields: list[tuple[str, str]]
    """Name in small letters and decoded text, in their order."""

    text: str
    html: str


def read_emails(contents: Sequence[bytes]) -> list[ReadEmail]:
    """Read them all. Raises CalledProcessError where one of them is no email."""
    given = json.dumps([base64.b64encode(content).decode() for content in contents])
    output = subprocess.run(
        ["perl", SCRIPT], input=given.encode(), stdout=subprocess.PIPE, timeout=60, check=True
    ).stdout
    return [
        ReadEmail([(field["name"], field["body"]) for field in email["fields"]], email["text"], email["html"])
        for email in json.loads(output)
    ]
