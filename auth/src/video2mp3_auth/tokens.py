"""Tokens: JWTs signed with ES256, short-lived, verifiable by anyone who has the published keys."""

import uuid
from datetime import timedelta
from typing import Any, Final

import jwt

from video2mp3_auth.errors import InvalidToken
from video2mp3_auth.key_ring import Clock, KeyRing
from video2mp3_auth.signing_keys import public_jwk
from video2mp3_contracts.runtime.clocks import LEEWAY

ALGORITHM: Final = "ES256"
_CLAIMS = ["iss", "aud", "sub", "iat", "exp", "jti"]


class Tokens:
    """Issues and verifies tokens. All methods raise StoreUnavailable and KeysUnreadable, as KeyRing does."""

    def __init__(self, ring: KeyRing, issuer: str, audience: str, lifetime: timedelta, clock: Clock) -> None:
        self._ring = ring
        self._issuer = issuer
        self._audience = audience
        self._lifetime = lifetime
        self._clock = clock

    def issue(self, subject: str) -> str:
        """A token for the account `subject`."""
        kid, private_key = self._ring.signing()
        now = self._clock()
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": subject,
            "iat": now,
            "exp": now + self._lifetime,
            "jti": str(uuid.uuid4()),
        }
        return jwt.encode(claims, private_key, algorithm=ALGORITHM, headers={"kid": kid})

    def verify(self, token: str) -> dict[str, Any]:
        """The claims of a token of ours; raise InvalidToken."""
        try:
            kid = jwt.get_unverified_header(token).get("kid")
            key = self._ring.published().get(str(kid))
            if key is None:
                raise InvalidToken("The token is signed with a key that is not ours, or not any more.")
            return jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY,
                options={"require": _CLAIMS},
            )
        except jwt.ExpiredSignatureError as error:
            raise InvalidToken("The token has expired. Log in again.") from error
        except jwt.PyJWTError as error:
            raise InvalidToken("The token is not valid. Log in again.") from error

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The published keys as a JWK Set (RFC 7517)."""
        return {"keys": [public_jwk(key) for key in self._ring.published().values()]}
