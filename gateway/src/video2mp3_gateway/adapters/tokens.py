"""Tells whose token it is, without asking the auth service for each request.

Tokens are JWTs (RFC 7519) signed with ES256. The algorithm is ours to name, never the token's.
"""

from typing import Any, Final

import jwt

from video2mp3_contracts.runtime.clocks import LEEWAY
from video2mp3_contracts.text.address import InvalidAddressError, parse_address
from video2mp3_gateway.adapters.jwks import ALGORITHM, KeySet
from video2mp3_gateway.ports.systems import TokenRejected

_REQUIRED: Final = ("iss", "aud", "sub", "iat", "exp", "jti")


class JwksTokenVerifier:
    """Verifies tokens with a set of public keys."""

    def __init__(self, keys: KeySet, issuer: str, audience: str) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience

    def account(self, token: str) -> str:
        """The account of a valid token. Raises TokenRejected and DependencyUnavailable."""
        key = self._keys.key(_key_id(token))
        if key is None:
            raise TokenRejected("it was signed with a key that is not known (any more)")
        return _account(self._claims(token, key))

    def ping(self) -> None:
        """Raise DependencyUnavailable while no key is known."""
        self._keys.ensure()

    def _claims(self, token: str, key: jwt.PyJWK) -> dict[str, Any]:
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                issuer=self._issuer,
                audience=self._audience,
                leeway=LEEWAY,
                options={"require": list(_REQUIRED)},
            )
        except jwt.ExpiredSignatureError as error:
            raise TokenRejected("it has expired; log in again") from error
        except jwt.InvalidTokenError as error:
            raise TokenRejected(f"it is not valid here ({type(error).__name__})") from error
        return claims


def _key_id(token: str) -> str:
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as error:
        raise TokenRejected("it is not a JWT") from error
    kid = header.get("kid")
    if header.get("alg") != ALGORITHM or not isinstance(kid, str):
        raise TokenRejected(f"it is not an {ALGORITHM} token with a key id")
    return kid


def _account(claims: dict[str, Any]) -> str:
    account = claims["sub"]
    try:
        parse_address(account)
    except InvalidAddressError as error:
        raise TokenRejected("its subject is no account of ours") from error
    if account != account.lower():
        raise TokenRejected("its subject is no account of ours")
    return str(account)
