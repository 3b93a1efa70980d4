"""Which environments are accepted."""

import pytest
from pydantic import ValidationError

from video2mp3_notifier.settings import NotifierSettings

LEAST = {
    "NOTIFIER_MONGODB_URI": "mongodb://root:hidden@mongodb/",
    "NOTIFIER_RABBITMQ_URI": "amqp://user:hidden@rabbitmq/",
    "NOTIFIER_SMTP_HOST": "smtp.example.org",
    "NOTIFIER_FROM": "Video to mp3 <noreply@example.org>",
    "NOTIFIER_PUBLIC_URL": "https://mp3.example.org/",
}
LOGIN = {"NOTIFIER_SMTP_USERNAME": "u", "NOTIFIER_SMTP_PASSWORD": "hidden"}


def settings(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> NotifierSettings:
    """Read the settings from these variables."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return NotifierSettings()


def test_five_variables_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    read = settings(monkeypatch, LEAST)
    assert read.public_url == "https://mp3.example.org"
    assert read.smtp_starttls
    assert "hidden" not in repr(read)


def test_empty_login_variables_mean_no_login(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settings(monkeypatch, LEAST | dict.fromkeys(LOGIN, "")).smtp_username is None


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        ({}, "mp3.example.org"),
        ({"NOTIFIER_PUBLIC_URL": "http://192.0.2.7:8080"}, "[192.0.2.7]"),
        ({"NOTIFIER_PUBLIC_URL": "http://[2001:db8::7]"}, "[IPv6:2001:db8::7]"),
        ({"NOTIFIER_SMTP_EHLO_NAME": "out.example.net"}, "out.example.net"),
    ],
)
def test_it_calls_itself_as_the_public_address(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], name: str
) -> None:
    assert settings(monkeypatch, LEAST | variables).ehlo_name == name


@pytest.mark.parametrize("starttls", ["true", "false"])
def test_port_465_is_encrypted_from_the_first_byte(monkeypatch: pytest.MonkeyPatch, starttls: str) -> None:
    read = settings(monkeypatch, LEAST | LOGIN | {"NOTIFIER_SMTP_PORT": "465", "NOTIFIER_SMTP_STARTTLS": starttls})

    assert read.tls_first
    assert read.encrypted


@pytest.mark.parametrize("name", sorted(LEAST))
def test_each_of_them_is_needed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(ValidationError, match=r"Field required"):
        settings(monkeypatch, {key: value for key, value in LEAST.items() if key != name})


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"NOTIFIER_FROM": "nobody"}, "not an email address"),
        ({"NOTIFIER_PUBLIC_URL": "mp3.example.org"}, "URL"),
        ({"NOTIFIER_PUBLIC_URL": "javascript:alert(1)"}, "URL"),
        ({"NOTIFIER_SMTP_USERNAME": "u"}, "both, or neither"),
        (LOGIN | {"NOTIFIER_SMTP_STARTTLS": "false"}, "in the clear"),
        ({"NOTIFIER_CLAIM_LEASE_SECONDS": "1"}, "greater than or equal to 8"),
    ],
)
def test_contradictions_are_refused(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem) as error:
        settings(monkeypatch, LEAST | variables)
    assert "hidden" not in str(error.value)
