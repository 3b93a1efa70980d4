"""The answers to what goes wrong: the one map from our errors to problem+json."""

from dataclasses import dataclass
from typing import Final

from video2mp3_auth.errors import (
    AuthError,
    InvalidToken,
    KeysUnreadable,
    LoginRejected,
    MalformedCredentials,
    MissingCredentials,
    MissingToken,
    Overloaded,
    StoreUnavailable,
    Throttled,
)
from video2mp3_contracts.runtime.problem import Problem
from video2mp3_contracts.runtime.web import Translations

BASIC_CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="video2mp3", charset="UTF-8"'}
BEARER_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="video2mp3"'}
INVALID_TOKEN_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="video2mp3", error="invalid_token"'}
_SOON: Final = {"Retry-After": "2"}
_LATER: Final = {"Retry-After": "10"}


@dataclass(frozen=True)
class _Answer:
    status: int
    title: str
    code: str
    headers: dict[str, str]
    detail: str | None = None
    """Instead of the error's own text, where that is for those who run the service."""


_AWAY = "The service cannot reach its database. Try again in a few seconds."
_ANSWERS: Final[dict[type[AuthError], _Answer]] = {
    MissingCredentials: _Answer(401, "Credentials are missing", "credentials-missing", BASIC_CHALLENGE),
    MalformedCredentials: _Answer(400, "Credentials are malformed", "credentials-malformed", {}),
    LoginRejected: _Answer(401, "Login was rejected", "login-rejected", BASIC_CHALLENGE),
    MissingToken: _Answer(401, "Token is missing", "token-missing", BEARER_CHALLENGE),
    InvalidToken: _Answer(401, "Token is not valid", "token-invalid", INVALID_TOKEN_CHALLENGE),
    Overloaded: _Answer(503, "Too busy", "overloaded", _SOON),
    StoreUnavailable: _Answer(503, "Database is away", "store-unavailable", _LATER, _AWAY),
    KeysUnreadable: _Answer(
        503,
        "Signing keys are unreadable",
        "keys-unreadable",
        _LATER,
        "The service cannot read its signing keys. Whoever runs it finds the reason in its log.",
    ),
}


def problem_of(error: AuthError) -> Problem:
    """The answer to an error. One that is not in the map is a bug."""
    answer = _ANSWERS[type(error)]
    return Problem(
        answer.status, answer.title, answer.detail or str(error), code=answer.code, headers=dict(answer.headers)
    )


def throttled(error: Throttled) -> Problem:
    """The answer to whoever tried too often."""
    retry_after = {"Retry-After": str(error.retry_after_seconds)}
    return Problem(429, "Too many logins", str(error), code="login-throttled", headers=retry_after)


TRANSLATIONS: Final[Translations] = {**dict.fromkeys(_ANSWERS, problem_of), Throttled: throttled}
"""For `install_conventions`: views raise our errors as they are."""
