"""The emails, whole."""

from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import EmailMessage

import pytest

from tests.unit.notifier.builders import FILE_ID, MessageBuilder, a_message
from tests.unit.notifier.fakes import START
from video2mp3_contracts.api.reasons import Reason
from video2mp3_contracts.text.address import InvalidAddressError
from video2mp3_notifier.compose import Composer

COMPOSER = Composer("Video to mp3 <noreply@example.org>", "https://mp3.example.org")
LINK = f"https://mp3.example.org/download?fid={FILE_ID}"


def compose(message: MessageBuilder) -> EmailMessage:
    """The email as it arrives: written out and parsed again."""
    email: EmailMessage = message_from_bytes(COMPOSER.compose(message.build(), START).content, policy=policy.default)
    return email


def body(email: EmailMessage, subtype: str) -> str:
    """One of its two bodies, with the line ends of Python rather than of SMTP."""
    part = email.get_body((subtype,))
    assert part is not None
    content: str = part.get_content()
    return content.replace("\r\n", "\n")


SUCCESS_TEXT = f"""\
Your mp3 is ready.

  talk.mp3
  Length 3:03, 3.4 MiB

Download it here:

  {LINK}

The link works with the token of ada@example.org. In a terminal:

  curl -X POST -u EMAIL:PASSWORD https://mp3.example.org/login    # answers the token
  curl -OJ -H 'Authorization: Bearer TOKEN' '{LINK}'

File id: {FILE_ID}
Conversion: media/talk
"""

SUCCESS_HTML = f"""\
<h1 style="font-size: 20px;">Your mp3 is ready</h1>
<p><strong style="word-break: break-word;">talk.mp3</strong><br>Length 3:03, 3.4 MiB</p>
<p><a href="{LINK}" style="display: inline-block; padding: 10px 18px; color: #ffffff; background: #1a56b0; \
border-radius: 4px; text-decoration: none;">Download</a></p>
<p>The link works with the token of ada@example.org. In a terminal:</p>
<pre style="padding: 12px; background: #f3f3f3; white-space: pre-wrap; word-break: break-word;">\
curl -X POST -u EMAIL:PASSWORD https://mp3.example.org/login    # answers the token
curl -OJ -H 'Authorization: Bearer TOKEN' '{LINK}'</pre>
<p style="color: #666666; font-size: 13px;">File id: {FILE_ID}<br>
Conversion: media/talk</p>
"""

FAILURE_TEXT = """\
Your video could not be converted to talk.mp3.

Why: The video has pictures but no sound.

What to do: Upload another copy of the video, or another video. This one would end the same again.

Reason: NoAudio
Conversion: media/talk
"""

FAILURE_HTML = """\
<h1 style="font-size: 20px;">Your video could not be converted</h1>
<p>There is no <strong style="word-break: break-word;">talk.mp3</strong>.</p>
<p><strong>Why:</strong> The video has pictures but no sound.</p>
<p><strong>What to do:</strong> Upload another copy of the video, or another video. This one would end the same \
again.</p>
<p style="color: #666666; font-size: 13px;">Reason: NoAudio<br>
Conversion: media/talk</p>
"""


def page(title: str, content: str) -> str:
    """The HTML document around the content."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{title}</title>\n</head>\n"
        '<body style="margin: 0; padding: 24px; font-family: sans-serif; color: #1c1c1c; background: #ffffff;">\n'
        f'<div style="max-width: 560px; margin: 0 auto;">\n{content}</div>\n</body>\n</html>\n'
    )


def test_the_email_of_a_success() -> None:
    email = compose(a_message())
    assert dict(email.items()) == {
        "From": "Video to mp3 <noreply@example.org>",
        "To": "ada@example.org",
        "Subject": "Your mp3 is ready: talk.mp3",
        "Date": "Sun, 01 Mar 2026 12:30:00 +0000",
        "Message-ID": "<4f8fdef66fc5fd4296bc8e9ed83d9bca@example.org>",
        "Auto-Submitted": "auto-generated",
        "Content-Type": 'multipart/alternative; boundary="=_4f8fdef66fc5fd4296bc8e9ed83d9bca"',
        "MIME-Version": "1.0",
    }
    assert body(email, "plain") == SUCCESS_TEXT
    assert body(email, "html") == page("Your mp3 is ready", SUCCESS_HTML)


def test_the_email_of_a_failure() -> None:
    email = compose(a_message().failed("NoAudio", "The video has pictures but no sound."))
    assert email["Subject"] == "Your video could not be converted: talk.mp3"
    assert body(email, "plain") == FAILURE_TEXT
    assert body(email, "html") == page("Your video could not be converted", FAILURE_HTML)


NOTES_TEXT = """\

Notes:

- The cover in stream 1 is no picture: it is left out.
- <b>Bad</b>

File id:"""

NOTES_HTML = """\
<p>Notes:</p>
<ul>
<li style="word-break: break-word;">The cover in stream 1 is no picture: it is left out.</li>
<li style="word-break: break-word;">&lt;b&gt;Bad&lt;/b&gt;</li>
</ul>
<p style="color"""


def test_the_email_of_a_success_with_notes() -> None:
    notes = ("The cover in stream 1 is no picture:\nit is left out.", "\u202e", "<b>Bad</b>")
    email = compose(a_message().noted(*notes))
    assert NOTES_TEXT in body(email, "plain")
    assert NOTES_HTML in body(email, "html")


EXPIRY = datetime(2026, 3, 31, 12, 30, 59, tzinfo=UTC)

EXPIRY_TEXT = f"""\
Download it here:

  {LINK}

It is kept until 31 March 2026, 12:30 UTC, and then deleted.

The link works with the token"""

EXPIRY_HTML = """Download</a></p>
<p>It is kept until 31 March 2026, 12:30 UTC, and then deleted.</p>
<p>The link works with the token"""


def test_the_email_of_a_success_tells_until_when_the_mp3_is_kept() -> None:
    email = compose(a_message().expiring(EXPIRY))
    assert EXPIRY_TEXT in body(email, "plain")
    assert EXPIRY_HTML in body(email, "html")


@pytest.mark.parametrize(("given", "told"), [("r-1", "r-1"), ("", None), ("a\r\nBcc: x@example.org", None)])
def test_the_email_tells_the_request_that_made_the_conversion(given: str, told: str | None) -> None:
    email = compose(a_message().asked_for_by(given))

    assert email["X-Request-Id"] == told
    assert email["Bcc"] is None


def test_the_message_id_belongs_to_the_message_alone() -> None:
    first, again = compose(a_message()), compose(a_message().named("other.mp3"))
    failed, other = compose(a_message().failed("NoAudio", "")), compose(a_message().about("4f6d"))
    assert first["Message-ID"] == again["Message-ID"]
    assert len({first["Message-ID"], failed["Message-ID"], other["Message-ID"]}) == 3


def test_a_hostile_name_stays_a_name() -> None:
    name = "Grüße\u202e gpj\r\nBcc: eve@example.com\r\n\r\n<script>alert('&')</script>.mp3"
    email = compose(a_message().named(name))
    shown = "Grüße gpj Bcc: eve@example.com <script>alert('&')</script>.mp3"
    assert email["Subject"] == f"Your mp3 is ready: {shown}"
    assert "Bcc" not in email
    assert f"\n  {shown}\n" in body(email, "plain")
    html = body(email, "html")
    assert "Grüße gpj Bcc: eve@example.com &lt;script&gt;alert(&#39;&amp;&#39;)&lt;/script&gt;.mp3" in html
    assert "<script" not in html


@pytest.mark.parametrize(
    "name",
    [
        "=?utf-7?q?+2AA-?= x.mp4",
        "=?utf-8?b?4oCu?=gpj.mp4",
        "=?utf-8?q?=0D=0ABcc:_eve?=.mp4",
        "=?x?q?a?= =?utf-8?q?b?=.mp4",
    ],
)
def test_a_name_that_looks_encoded_is_shown_as_it_is(name: str) -> None:
    email = compose(a_message().named(name))
    [(text, charset)] = decode_header(
        message_from_bytes(COMPOSER.compose(a_message().named(name).build(), START).content)["Subject"]
    )
    assert text.decode(charset) == f"Your mp3 is ready: {name}"
    assert f"\n  {name}\n" in body(email, "plain")


def test_a_hostile_sentence_stays_a_sentence() -> None:
    email = compose(a_message().failed("<b>", "Bad.\nReason: none\u2067 {{ view.owner }} <img src=x>"))
    assert "Why: Bad. Reason: none {{ view.owner }} <img src=x>\n" in body(email, "plain")
    assert "Reason: &lt;b&gt;<br>" in body(email, "html")
    assert "<img" not in body(email, "html")


def test_a_name_of_nothing_visible_is_replaced_by_the_conversion_s() -> None:
    assert compose(a_message().named("\u202e\u200b"))["Subject"] == "Your mp3 is ready: talk"


def test_an_endless_name_is_cut() -> None:
    assert len(compose(a_message().named("x" * 5000))["Subject"]) < 160


def test_without_an_owner_the_email_says_that_nobody_can_log_in() -> None:
    text = body(compose(a_message().owned_by("")), "plain")
    assert "The Conversion names no owner" in text
    assert "curl" not in text


def test_every_line_fits_what_smtp_allows() -> None:
    raw = COMPOSER.compose(a_message().failed("NoAudio", "word " * 2000).build(), START).content
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert raw.isascii()


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidAddressError):
        COMPOSER.compose(a_message().to("nobody").build(), START)


@pytest.mark.parametrize("reason", [*Reason, "SomethingNew", ""])
def test_every_failure_comes_with_advice(reason: str) -> None:
    text = body(compose(a_message().failed(reason, "It failed.")), "plain")
    assert "What to do: " in text
    assert ("Upload" in text) or ("Change what was asked for" in text)
