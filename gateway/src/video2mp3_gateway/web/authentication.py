"""Whose request it is, by its bearer token (RFC 6750)."""

import structlog
from flask import request

from video2mp3_gateway.http import problems
from video2mp3_gateway.ports.systems import TokenRejected, TokenVerifier


def authenticated_account(tokens: TokenVerifier) -> str:
    """The account that sent the current request. Raises Problem 401; nothing of the body has been read then."""
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise problems.unauthorized()
    try:
        account = tokens.account(token.strip())
    except TokenRejected as error:
        raise problems.unauthorized("invalid_token", str(error)) from error
    structlog.contextvars.bind_contextvars(owner=account)
    return account
