"""Settings are refused with the variable's name, and never with its value."""

import base64
import os

import pytest
from cryptography.fernet import Fernet, MultiFernet
from pydantic import ValidationError

from tests.unit.auth.builders import DATABASE_URL, settings
from video2mp3_auth.settings import AuthSettings

WRONG = {
    "no MySQL": ("database_url", "sqlite:///auth:hunter2"),
    "another driver": ("database_url", "mysql://auth:hunter2@db/auth"),
    "no database": ("database_url", "mysql+pymysql://auth:hunter2@db"),
    "no address": ("database_url", "hunter2"),
    "no Fernet key": ("key_encryption_key", "hunter2"),
    "one of two is no Fernet key": ("key_encryption_key", f"{Fernet.generate_key().decode()},hunter2"),
    "no limit": ("login_limit_per_address", "hunter2"),
    "what one network uses up": ("login_limit_per_account", "20 per 5 minutes"),
    "what one network uses up in a longer time": ("login_limit_per_account", "100 per 1 hour"),
    "no limit of guesses": ("login_limit_per_network", "hunter2"),
    "too little memory": ("argon2_memory_kib", 1024),
    "tokens for a week": ("token_lifetime_seconds", 604_800),
    "keys that sign before gateways know them": ("key_activation_delay_seconds", 329),
}


@pytest.mark.parametrize(("name", "value"), WRONG.values(), ids=WRONG)
def test_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**{name: value})
    assert name in str(refused.value).lower()
    assert "hunter2" not in str(refused.value)


def test_the_least_that_one_network_does_not_use_up() -> None:
    assert settings(login_limit_per_account="21 per 5 minutes").guesses_per_account.rejected == 21


def test_secrets_have_no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", {"AUTH_DATABASE_URL": DATABASE_URL})
    with pytest.raises(ValidationError, match="key_encryption_key") as refused:
        AuthSettings()
    assert "secret" not in str(refused.value)


def test_the_keys_of_helm_and_of_fernet_are_taken() -> None:
    raw = bytes(range(224, 256))
    standard = base64.b64encode(raw).decode()
    assert set("+/") & set(standard)
    token = MultiFernet([Fernet(base64.urlsafe_b64encode(raw))]).encrypt(b"x")
    given = settings(key_encryption_key=f"{Fernet.generate_key().decode()}, {standard}")
    assert given.fernet.decrypt(token) == b"x"


def test_secrets_are_not_shown() -> None:
    assert "secret@db" not in repr(settings())
