"""What the notifier is told by its environment."""

from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, HttpUrl, SecretStr, TypeAdapter, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from video2mp3_contracts.text.address import InvalidAddressError
from video2mp3_notifier.addresses import parse_sender
from video2mp3_notifier.smtp import IMPLICIT_TLS_PORT


def _base_url(text: str) -> str:
    TypeAdapter(HttpUrl).validate_python(text)
    return text.rstrip("/")


def _sender(text: str) -> str:
    try:
        parse_sender(text)
    except InvalidAddressError as error:
        raise ValueError(str(error)) from error
    return text


def _literal(host: str) -> str:
    """A host as EHLO names it (RFC 5321, 4.1.3)."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return f"[IPv6:{address}]" if address.version == 6 else f"[{address}]"


class NotifierSettings(BaseSettings):
    """One immutable set of options, read from `NOTIFIER_…` variables."""

    model_config = SettingsConfigDict(
        env_prefix="NOTIFIER_", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    mongodb_uri: SecretStr = Field(description="Connection string of the MongoDB that holds the ledger.")
    rabbitmq_uri: SecretStr = Field(description="AMQP address of the broker, amqp:// or amqps://.")
    smtp_host: str = Field(min_length=1, description="Name of the mail server; its certificate must carry this name.")
    smtp_port: int = Field(
        default=587,
        ge=1,
        le=65535,
        description="TCP port; 587 is mail submission (RFC 6409). On 465 all is encrypted from the first byte "
        "(RFC 8314), whatever NOTIFIER_SMTP_STARTTLS says.",
    )
    smtp_ehlo_name: str | None = Field(
        default=None,
        max_length=255,
        pattern=r"^[A-Za-z0-9.:\[\]-]+$",
        description="What the notifier calls itself; mail servers may ask for a name in DNS. By default the host of "
        "NOTIFIER_PUBLIC_URL.",
    )
    smtp_username: str | None = Field(default=None, description="Login; none where the server asks for none.")
    smtp_password: SecretStr | None = Field(default=None, description="Its password.")
    smtp_starttls: bool = Field(
        default=True,
        description="Send nothing before the connection is encrypted and the certificate verified. On by default, "
        "since mails carry names of people's files.",
    )
    smtp_ca_file: Path | None = Field(
        default=None, description="PEM file of the authorities to trust instead of the system's, for a private one."
    )
    sender: Annotated[str, AfterValidator(_sender)] = Field(
        validation_alias="NOTIFIER_FROM", description="Address in From, with or without a display name."
    )
    public_url: Annotated[str, AfterValidator(_base_url)] = Field(
        description="Where people reach the gateway, for example https://mp3.example.org; base of the download link."
    )
    claim_lease_seconds: int = Field(
        default=300,
        ge=8,
        le=3600,
        description="Seconds for which one notifier alone may send an email. It is also the source of the SMTP time "
        "limits, which together are shorter: connecting and login get a quarter, each further answer an eighth. "
        "Longer is kinder to slow servers; shorter is how soon an email follows whose notifier was killed.",
    )
    prefetch: int = Field(
        default=4, ge=1, le=64, description="Messages handled at once, each by a thread with an SMTP connection."
    )
    http_port: int = Field(
        default=8080,
        ge=1,
        le=65535,
        description="TCP port of /healthz, /readyz and /metrics. Not called NOTIFIER_PORT: Kubernetes sets a variable "
        "of that name where a Service is called notifier.",
    )

    @property
    def tls_first(self) -> bool:
        """Whether the mail server encrypts from the first byte."""
        return self.smtp_port == IMPLICIT_TLS_PORT

    @property
    def encrypted(self) -> bool:
        """Whether nothing is said before it is encrypted."""
        return self.smtp_starttls or self.tls_first

    @property
    def ehlo_name(self) -> str:
        """What the notifier calls itself; an address stands in brackets."""
        return self.smtp_ehlo_name or _literal(urlsplit(self.public_url).hostname or "localhost")

    @property
    def claim_lease(self) -> timedelta:
        """`claim_lease_seconds` as a duration."""
        return timedelta(seconds=self.claim_lease_seconds)

    @model_validator(mode="after")
    def _login_is_whole_and_secret(self) -> Self:
        if (self.smtp_username is None) != (self.smtp_password is None):
            raise ValueError("set NOTIFIER_SMTP_USERNAME and NOTIFIER_SMTP_PASSWORD both, or neither")
        if self.smtp_username is not None and not self.encrypted:
            raise ValueError("NOTIFIER_SMTP_STARTTLS must be true where there is a login: it would travel in the clear")
        return self
