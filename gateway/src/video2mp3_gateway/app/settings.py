"""What can be set from outside, by environment variables that start with GATEWAY_."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, HttpUrl, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_GIBIBYTE = 1024**3
_DAY_SECONDS = 24 * 3600


def _without_slash(url: str) -> str:
    return url.rstrip("/")


def _http_address(url: str) -> str:
    HttpUrl(url)
    return _without_slash(url)


class GatewaySettings(BaseSettings):
    """Read once, when a process starts."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", frozen=True, hide_input_in_errors=True)

    mongodb_uri: SecretStr
    """Where both file stores are. A secret, since it carries the password."""

    auth_url: Annotated[str, AfterValidator(_http_address)]
    """The auth service's address inside the cluster. No default: it follows from the release's name."""

    conversion_namespace: Annotated[str, Field(min_length=1, max_length=63)]
    """Where the Conversions of uploads are created. No default: a wrong guess would hide them."""

    installation: str = ""
    """Whose the stored videos are: the same as the operator's setting. Without it no operator ever sweeps away what an
    upload left behind."""

    instance: str = "video2mp3"
    """The release's name, as the operator's setting: classes of other releases are not offered here."""

    jwt_issuer: str = "video2mp3-auth"
    """Only tokens that this issuer signed are taken. The auth service's own default."""

    jwt_audience: str = "video2mp3"
    """Only tokens made for this audience are taken. The auth service's own default."""

    public_url: Annotated[str, AfterValidator(_without_slash)] = ""
    """What people put before our paths, without a slash at the end. Links in answers start with it; by default they
    are relative, which every client resolves against the address it asked."""

    max_upload_bytes: Annotated[int, Field(gt=0)] = 5 * _GIBIBYTE
    """The largest video, in bytes. 5 GiB is two hours at 5.5 Mbit/s; each costs that much room in MongoDB until it is
    converted."""

    retention_days: Annotated[float, Field(ge=0, le=366)] = 30
    """How long an upload's Conversion and its mp3 stay once it is finished, in days; 0 keeps them until their owner
    deletes them. Without an end the store fills up with what was downloaded long ago. A Conversion's time is a year at
    most."""

    upload_seconds: Annotated[int, Field(gt=0)] = 4 * 3600
    """The longest that one upload may take. 5 GiB at 3 Mbit/s fit; and chunks without a file that are older than this
    are surely left over, so that a sweep may remove them."""

    trusted_proxy_count: Annotated[int, Field(ge=0, le=8)] = 0
    """How many proxies of ours stand before the gateway and append to X-Forwarded-For. By default none is believed:
    anybody can send that header. Behind an ingress controller it is 1."""

    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 9090
    """Where Prometheus reads `/metrics`: not the port that people use, so that a network policy can tell the two apart.
    0 takes any port that is free."""

    kubeconfig: Path | None = None
    """A file with the address and credentials of the Kubernetes API. By default those of the pod's service account."""

    log_level: str = "INFO"
    """The least severe level that is logged."""

    @property
    def ttl_seconds(self) -> int | None:
        """`retention_days` as a Conversion says it; None keeps it."""
        return round(self.retention_days * _DAY_SECONDS) if self.retention_days else None
