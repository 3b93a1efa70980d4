"""Which tokens are believed, and when keys are fetched for them."""

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.unit.gateway.fakes import FakeClock
from video2mp3_gateway.adapters.jwks import FRESH_SECONDS, MIN_SECONDS_BETWEEN_FETCHES, KeySet
from video2mp3_gateway.adapters.tokens import JwksTokenVerifier
from video2mp3_gateway.ports.systems import DependencyUnavailable, TokenRejected

ALICE = "alice@example.com"


class Issuer:
    """An auth service: its keys, its tokens, and how often it was asked."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {}
        self.asked = 0
        self.away = False
        self.add("first")

    def add(self, kid: str, curve: ec.EllipticCurve | None = None) -> None:
        self.keys[kid] = ec.generate_private_key(curve or ec.SECP256R1())

    def document(self) -> Any:
        self.asked += 1
        if self.away:
            raise DependencyUnavailable("auth", "away")
        return {"keys": [self._jwk(kid, key) for kid, key in self.keys.items()]}

    @staticmethod
    def _jwk(kid: str, key: Any) -> dict[str, Any]:
        algorithm = (
            jwt.algorithms.ECAlgorithm if isinstance(key, ec.EllipticCurvePrivateKey) else jwt.algorithms.RSAAlgorithm
        )
        return algorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "use": "sig"}

    def token(self, kid: str | None = "first", *, key: Any = None, algorithm: str = "ES256", **claims: Any) -> str:
        now = datetime.now(UTC)
        wanted = {
            "iss": "video2mp3-auth",
            "aud": "video2mp3",
            "sub": ALICE,
            "iat": now,
            "exp": now + timedelta(hours=1),
            "jti": "1",
        } | claims
        payload = {name: value for name, value in wanted.items() if value is not None}
        secret = None if algorithm == "none" else key or self.keys[kid or "first"]
        return jwt.encode(payload, secret, algorithm, headers={"kid": kid} if kid else None)


class Scene:
    """A verifier, the issuer it trusts, and time."""

    def __init__(self) -> None:
        self.issuer = Issuer()
        self.clock = FakeClock()
        self.verifier = JwksTokenVerifier(KeySet(self.issuer.document, self.clock), "video2mp3-auth", "video2mp3")

    def account(self, token: str) -> str:
        return self.verifier.account(token)


def test_a_good_token() -> None:
    scene = Scene()
    assert scene.account(scene.issuer.token()) == ALICE


HOUR = timedelta(hours=1)
BAD_CLAIMS: dict[str, dict[str, Any]] = {
    "expired": {"exp": datetime(2020, 1, 1, tzinfo=UTC)},
    "never expires": {"exp": None},
    "another issuer": {"iss": "somebody"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "another"},
    "no audience": {"aud": None},
    "from the future": {"iat": datetime.now(UTC) + HOUR},
    "not valid yet": {"nbf": datetime.now(UTC) + HOUR},
    "no id": {"jti": None},
    "no subject": {"sub": None},
    "an empty subject": {"sub": ""},
    "no email address": {"sub": "alice"},
    "capitals": {"sub": "Alice@example.com"},
    "a line break": {"sub": "alice@example.com\n"},
    "a long subject": {"sub": "a" * 250 + "@example.com"},
}


@pytest.mark.parametrize("claims", BAD_CLAIMS.values(), ids=BAD_CLAIMS.keys())
def test_bad_claims(claims: dict[str, Any]) -> None:
    scene = Scene()
    with pytest.raises(TokenRejected):
        scene.account(scene.issuer.token(**claims))


def test_an_expired_token_says_what_to_do() -> None:
    scene = Scene()
    with pytest.raises(TokenRejected, match="log in again"):
        scene.account(scene.issuer.token(**BAD_CLAIMS["expired"]))


@pytest.mark.parametrize(("ahead", "taken"), [(50, True), (-50, True), (70, False)])
def test_the_clocks_of_two_nodes_may_be_a_minute_apart(ahead: int, *, taken: bool) -> None:
    scene = Scene()
    issued = datetime.now(UTC) + timedelta(seconds=ahead)
    token = scene.issuer.token(iat=issued, nbf=issued, exp=issued + timedelta(seconds=10 if ahead < 0 else 3600))
    if taken:
        assert scene.account(token) == ALICE
    else:
        with pytest.raises(TokenRejected):
            scene.account(token)


NESTED = base64.urlsafe_b64encode(b"[" * 5000).decode()


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "e30.e30.", "\xff.\xff.\xff", "ey" * 3000, f"{NESTED}.e30.AAAA"])
def test_what_is_no_token_asks_nobody(token: str) -> None:
    scene = Scene()
    with pytest.raises(TokenRejected):
        scene.account(token)
    assert scene.issuer.asked == 0


def test_the_algorithm_is_not_the_tokens_to_choose() -> None:
    scene = Scene()
    numbers = scene.issuer.keys["first"].public_key().public_numbers()
    known_to_everybody = numbers.x.to_bytes(32, "big") + numbers.y.to_bytes(32, "big")
    for token in (
        scene.issuer.token(key=known_to_everybody, algorithm="HS256"),
        scene.issuer.token(algorithm="none"),
        scene.issuer.token(key=rsa.generate_private_key(65537, 2048), algorithm="RS256"),
    ):
        with pytest.raises(TokenRejected, match="ES256"):
            scene.account(token)


def test_another_key_with_a_known_id() -> None:
    scene = Scene()
    with pytest.raises(TokenRejected):
        scene.account(scene.issuer.token(key=ec.generate_private_key(ec.SECP256R1())))


def test_a_token_without_a_key_id() -> None:
    scene = Scene()
    with pytest.raises(TokenRejected):
        scene.account(scene.issuer.token(kid=None))


def test_keys_of_another_kind_are_not_used() -> None:
    scene = Scene()
    scene.issuer.keys["rsa"] = rsa.generate_private_key(65537, 2048)
    scene.issuer.add("p384", ec.SECP384R1())
    scene.account(scene.issuer.token())
    for kid, algorithm in (("rsa", "RS256"), ("p384", "ES384")):
        with pytest.raises(TokenRejected):
            scene.account(scene.issuer.token(kid, algorithm=algorithm))


def test_keys_are_fetched_once() -> None:
    scene = Scene()
    for _ in range(5):
        scene.account(scene.issuer.token())
    assert scene.issuer.asked == 1


def test_a_new_key_is_fetched_when_it_is_first_seen() -> None:
    scene = Scene()
    scene.account(scene.issuer.token())
    scene.issuer.add("second")
    scene.clock.now += MIN_SECONDS_BETWEEN_FETCHES
    assert scene.account(scene.issuer.token("second")) == ALICE
    assert scene.issuer.asked == 2


def test_invented_key_ids_do_not_become_load() -> None:
    scene = Scene()
    stranger = ec.generate_private_key(ec.SECP256R1())
    for number in range(100):
        with pytest.raises(TokenRejected, match="not known"):
            scene.account(scene.issuer.token(f"invented-{number}", key=stranger))
        scene.clock.now += MIN_SECONDS_BETWEEN_FETCHES / 50
    assert scene.issuer.asked <= 3


def test_a_withdrawn_key_stops_to_count() -> None:
    scene = Scene()
    scene.account(token := scene.issuer.token())
    scene.issuer.add("second")
    del scene.issuer.keys["first"]
    assert scene.account(token) == ALICE
    scene.clock.now += FRESH_SECONDS
    with pytest.raises(TokenRejected):
        scene.account(token)


def test_known_keys_are_used_while_the_auth_service_is_away() -> None:
    scene = Scene()
    scene.account(token := scene.issuer.token())
    scene.issuer.away = True
    for _ in range(10):
        scene.clock.now += FRESH_SECONDS
        assert scene.account(token) == ALICE


def test_without_any_key_nobody_can_be_told_from_anybody() -> None:
    scene = Scene()
    scene.issuer.away = True
    with pytest.raises(DependencyUnavailable):
        scene.account(scene.issuer.token())
    with pytest.raises(DependencyUnavailable):
        scene.verifier.ping()
    scene.issuer.away = False
    scene.clock.now += MIN_SECONDS_BETWEEN_FETCHES
    scene.verifier.ping()
    assert scene.account(scene.issuer.token()) == ALICE


@pytest.mark.parametrize("document", [None, [], {}, {"keys": None}, {"keys": []}, {"keys": [{"kty": "EC"}]}, "x"])
def test_a_key_set_that_cannot_be_read_changes_nothing(document: Any) -> None:
    answers = iter([Issuer().document(), document])
    clock = FakeClock()
    keys = KeySet(lambda: next(answers), clock)
    assert keys.key("first") is not None
    clock.now += FRESH_SECONDS
    assert keys.key("first") is not None
