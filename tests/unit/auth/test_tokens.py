"""Tokens: what is in them, and which are refused."""

import base64
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.unit.auth.builders import EMAIL, a_fernet, a_ring
from tests.unit.auth.fakes import FakeClock, FakeKeyStore
from video2mp3_auth.errors import InvalidToken
from video2mp3_auth.key_ring import KeyRing
from video2mp3_auth.tokens import Tokens

HOUR = timedelta(hours=1)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def ring(clock: FakeClock) -> KeyRing:
    return a_ring(FakeKeyStore(), clock, a_fernet())


@pytest.fixture
def tokens(ring: KeyRing, clock: FakeClock) -> Tokens:
    return Tokens(ring, "issuer", "audience", HOUR, clock)


def _claims(**changes: object) -> dict[str, object]:
    now = datetime.now(UTC)
    claims = {"iss": "issuer", "aud": "audience", "sub": EMAIL, "iat": now, "exp": now + HOUR, "jti": "1"}
    return {name: value for name, value in (claims | changes).items() if value is not None}


def test_a_token_has_all_claims_and_the_kid_of_its_key(tokens: Tokens, ring: KeyRing, clock: FakeClock) -> None:
    token = tokens.issue(EMAIL)
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "typ": "JWT", "kid": ring.signing()[0]}
    claims = tokens.verify(token)
    issued = int(clock.now.timestamp())
    assert claims | {"jti": ""} == {
        "iss": "issuer",
        "aud": "audience",
        "sub": EMAIL,
        "iat": issued,
        "exp": issued + 3600,
        "jti": "",
    }


def test_no_two_tokens_have_the_same_id(tokens: Tokens) -> None:
    assert tokens.verify(tokens.issue(EMAIL))["jti"] != tokens.verify(tokens.issue(EMAIL))["jti"]


def test_anyone_with_the_published_keys_can_verify(tokens: Tokens) -> None:
    token = tokens.issue(EMAIL)
    jwks = jwt.PyJWKSet.from_dict(tokens.jwks())
    key = jwks[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, key, algorithms=["ES256"], audience="audience", issuer="issuer")["sub"] == EMAIL


def test_an_expired_token_says_so(tokens: Tokens, clock: FakeClock) -> None:
    clock.advance(hours=-2)
    token = tokens.issue(EMAIL)
    with pytest.raises(InvalidToken, match="has expired"):
        tokens.verify(token)


REFUSED = {
    "another issuer": {"iss": "else"},
    "another audience": {"aud": "else"},
    "no subject": {"sub": None},
    "no expiry": {"exp": None},
    "no id": {"jti": None},
    "from the future": {"iat": datetime.now(UTC) + timedelta(days=1)},
}


@pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED)
def test_claims_that_are_refused(tokens: Tokens, ring: KeyRing, changes: dict[str, object]) -> None:
    kid, private_key = ring.signing()
    tokens.verify(jwt.encode(_claims(), private_key, "ES256", {"kid": kid}))
    with pytest.raises(InvalidToken):
        tokens.verify(jwt.encode(_claims(**changes), private_key, "ES256", {"kid": kid}))


def test_a_token_of_a_foreign_key_under_our_kid_is_refused(tokens: Tokens, ring: KeyRing) -> None:
    foreign = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(InvalidToken):
        tokens.verify(jwt.encode(_claims(), foreign, "ES256", {"kid": ring.signing()[0]}))


def test_a_token_without_a_signature_is_refused(tokens: Tokens, ring: KeyRing) -> None:
    with pytest.raises(InvalidToken):
        tokens.verify(jwt.encode(_claims(), None, "none", {"kid": ring.signing()[0]}))


NESTED = base64.urlsafe_b64encode(b"[" * 5000).decode()


@pytest.mark.parametrize(
    "token", ["", "x", "a.b.c", "é.é.é", "eyJhbGciOiJFUzI1NiJ9.e30.", "\x00" * 10, f"{NESTED}.e30.AAAA"]
)
def test_what_is_no_token_is_refused(tokens: Tokens, token: str) -> None:
    with pytest.raises(InvalidToken):
        tokens.verify(token)
