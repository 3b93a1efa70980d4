"""Every setting of the service: environment variables `AUTH_…`, read at the entry points only."""

import math
from datetime import timedelta
from typing import Annotated, Self

from cryptography.fernet import Fernet, MultiFernet
from limits import parse as parse_limit
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from video2mp3_auth.guesses import Limit

_DRIVER = "mysql+pymysql"


class AuthSettings(BaseSettings):
    """The service's settings. Errors name the variable and never show a value."""

    model_config = SettingsConfigDict(env_prefix="AUTH_", frozen=True, hide_input_in_errors=True)

    database_url: SecretStr
    """`mysql+pymysql://USER:PASSWORD@HOST:3306/auth`; the database has the tables of init.sql."""

    key_encryption_key: SecretStr
    """Fernet keys (32 bytes in base64), separated by commas. The first encrypts signing keys, all decrypt: to change
    it, put the new one first, run `video2mp3-auth rotate-keys`, then drop the old one."""

    jwt_issuer: Annotated[str, Field(min_length=1)] = "video2mp3-auth"
    """`iss` of every token."""

    jwt_audience: Annotated[str, Field(min_length=1)] = "video2mp3"
    """`aud` of every token: the gateway's name."""

    token_lifetime_seconds: Annotated[int, Field(ge=60, le=86_400)] = 3600
    """Seconds. A stolen token works this long, a disabled account too: the gateway verifies without asking us. An hour
    is enough to upload, wait and download."""

    jwks_max_age_seconds: Annotated[int, Field(ge=0, le=86_400)] = 300
    """Seconds that gateways may keep the published keys."""

    key_refresh_seconds: Annotated[int, Field(ge=1, le=3600)] = 30
    """Seconds that this process keeps the keys it read."""

    key_activation_delay_seconds: Annotated[int, Field(ge=0, le=604_800)] = 900
    """Seconds from publishing a new signing key to using it. At least the time until every cache has it: ours and the
    gateways'. Three times that is for gateways whose refresh failed."""

    argon2_memory_kib: Annotated[int, Field(ge=19_456, le=1_048_576)] = 47_104
    """KiB for each password check; 46 MiB is OWASP's first choice. Above 32 MiB glibc gives it back to the system
    after each check, so an idle process stays small."""

    argon2_time_cost: Annotated[int, Field(ge=1, le=16)] = 2
    """Passes over that memory: about 0.1 s of one core in all."""

    argon2_concurrency: Annotated[int, Field(ge=1, le=64)] = 2
    """Password checks at the same time. This times the memory above, plus what an idle process has, is the process's
    peak: about 190 MiB."""

    login_limit_per_address: str = "30 per minute"
    """Logins, right or wrong, from one client address (IPv6: one /64), for each replica."""

    login_limit_per_network: str = "10 per 5 minutes"
    """Wrong passwords for one account, known or not, from one network (IPv4: /24, IPv6: /48), over all replicas. While
    it holds, the right password is refused there as well; tokens that exist go on working."""

    login_limit_per_account: str = "100 per 5 minutes"
    """Wrong passwords for one account from all networks together. While it holds, the account's logins are refused but
    from networks where it logged in within 30 days. Ten networks at their own limit reach it; one must not."""

    trusted_proxies: Annotated[int, Field(ge=0, le=8)] = 0
    """How many entries of X-Forwarded-For, counted from the right, are written by proxies of ours. With 1, the
    rightmost is the client. 0 trusts nobody: the peer is the client."""

    metrics_port: Annotated[int, Field(ge=0, le=65_535)] = 9090
    """Where Prometheus reads `/metrics`: not the port that gateways use, so that a policy can tell the two apart.
    0 takes any port that is free."""

    database_wait_seconds: Annotated[int, Field(ge=0, le=3600)] = 120
    """Seconds that `ensure-account` waits for a database that is still starting."""

    first_account_email: str | None = None
    """Whom `ensure-account` makes an account for."""

    first_account_password: SecretStr | None = None
    """The password of that account when it is made; later changes of it are left alone."""

    @field_validator("database_url")
    @classmethod
    def _is_mysql(cls, value: SecretStr) -> SecretStr:
        try:
            url = make_url(value.get_secret_value())
        except ArgumentError:
            # Not chained: the library's text shows the value.
            raise ValueError(f"must be {_DRIVER}://USER:PASSWORD@HOST:PORT/DATABASE") from None
        if url.drivername != _DRIVER or not url.host or not url.database:
            raise ValueError(f"must be {_DRIVER}://USER:PASSWORD@HOST:PORT/DATABASE")
        return value

    @field_validator("key_encryption_key")
    @classmethod
    def _is_fernet(cls, value: SecretStr) -> SecretStr:
        try:
            _fernet(value)
        except ValueError:
            raise ValueError("must be Fernet keys (32 random bytes in base64), separated by commas") from None
        return value

    @field_validator("login_limit_per_address", "login_limit_per_network", "login_limit_per_account")
    @classmethod
    def _is_limit(cls, value: str) -> str:
        try:
            parse_limit(value)
        except ValueError as error:
            raise ValueError("must be written like '30 per minute' or '10 per 5 minutes'") from error
        return value

    @model_validator(mode="after")
    def _new_keys_reach_everyone_before_they_sign(self) -> Self:
        caches = self.jwks_max_age_seconds + self.key_refresh_seconds
        if self.key_activation_delay_seconds < caches:
            raise ValueError(
                f"AUTH_KEY_ACTIVATION_DELAY_SECONDS must be at least {caches}: "
                "AUTH_JWKS_MAX_AGE_SECONDS plus AUTH_KEY_REFRESH_SECONDS"
            )
        return self

    @model_validator(mode="after")
    def _one_stranger_does_not_use_up_what_all_networks_have(self) -> Self:
        one, everybody = self.guesses_per_network, self.guesses_per_account
        # So many windows of one network reach into one window of the account.
        one_network = one.rejected * (math.ceil(everybody.window / one.window) + 1)
        if everybody.rejected <= one_network:
            raise ValueError(
                f"AUTH_LOGIN_LIMIT_PER_ACCOUNT must allow more than {one_network} in its time, what "
                "AUTH_LOGIN_LIMIT_PER_NETWORK allows one network: else one stranger locks the owner out"
            )
        return self

    @property
    def guesses_per_network(self) -> Limit:
        """`login_limit_per_network` as the policy takes it."""
        return _limit(self.login_limit_per_network)

    @property
    def guesses_per_account(self) -> Limit:
        """`login_limit_per_account` as the policy takes it."""
        return _limit(self.login_limit_per_account)

    @property
    def fernet(self) -> MultiFernet:
        """What signing keys are encrypted with."""
        return _fernet(self.key_encryption_key)

    @property
    def token_lifetime(self) -> timedelta:
        """How long a token is valid."""
        return timedelta(seconds=self.token_lifetime_seconds)


def _limit(text: str) -> Limit:
    parsed = parse_limit(text)
    return Limit(parsed.amount, timedelta(seconds=parsed.get_expiry()))


def _fernet(keys: SecretStr) -> MultiFernet:
    # Helm's randBytes writes standard base64, Fernet's own generator the URL-safe alphabet: both are taken.
    texts = keys.get_secret_value().replace("+", "-").replace("/", "_").split(",")
    return MultiFernet([Fernet(text.strip()) for text in texts])
