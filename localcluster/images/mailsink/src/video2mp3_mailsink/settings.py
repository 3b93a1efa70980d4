"""What the mail sink is told by its environment."""

from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class MailsinkSettings(BaseSettings):
    """One immutable set of options, read from `MAILSINK_…` variables."""

    model_config = SettingsConfigDict(env_prefix="MAILSINK_", frozen=True)

    host: str = Field(default="0.0.0.0", description="Address every server listens on; in a pod, every one.")  # noqa: S104
    smtp_port: int = Field(default=1025, ge=1, le=65535, description="TCP port of SMTP; no privilege needed.")
    smtps_port: int = Field(
        default=1465, ge=1, le=65535, description="TCP port of SMTP over TLS from the first byte, where there is TLS."
    )
    http_port: int = Field(default=8025, ge=1, le=65535, description="TCP port of the page and the API.")
    username: str | None = Field(default=None, description="Login that senders need; none: no login, no TLS.")
    password: SecretStr | None = Field(default=None, description="Its password.")
    tls_directory: Path = Field(
        default=Path("/tls"),
        description="Folder with tls.crt and tls.key (a mounted Secret); without them there is no TLS.",
    )
    hostname: str = Field(default="localhost", description="Name in the greeting.")
    max_messages: int = Field(default=1000, ge=1, description="Messages kept; the oldest go first.")
    max_total_bytes: int = Field(default=64 << 20, ge=1, description="Bytes kept over all messages.")
    max_message_bytes: int = Field(default=10 << 20, ge=1, description="Bytes of one message, as providers limit it.")

    @model_validator(mode="after")
    def _login_is_whole(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("set MAILSINK_USERNAME and MAILSINK_PASSWORD both, or neither")
        return self
