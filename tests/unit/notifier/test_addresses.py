"""Who the emails are from."""

import pytest

from video2mp3_contracts.text.address import InvalidAddressError
from video2mp3_notifier.addresses import parse_sender


def test_a_sender_may_have_a_name() -> None:
    sender = parse_sender("Video to mp3 <noreply@example.org>")
    assert (sender.display_name, str(sender.address)) == ("Video to mp3", "noreply@example.org")
    assert parse_sender("noreply@example.org").display_name == ""


@pytest.mark.parametrize(
    "text", ["Video to mp3", "a@example.org\nBcc: b@example.org", "<>", "a@b@c", "josé@example.org"]
)
def test_a_sender_is_one_address(text: str) -> None:
    with pytest.raises(InvalidAddressError):
        parse_sender(text)
