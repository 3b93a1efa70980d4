"""Signing keys are kept encrypted and published under their thumbprint."""

from dataclasses import replace

import jwt
import pytest
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.unit.auth.builders import START, a_fernet
from video2mp3_auth.errors import KeysUnreadable
from video2mp3_auth.signing_keys import new_key, private_key_of, public_jwk, reencrypted, thumbprint


def test_a_stored_key_comes_back_and_its_jwk_verifies_what_it_signs() -> None:
    fernet = a_fernet()
    stored = new_key(fernet, 1, START, START)
    private_key = private_key_of(fernet, stored)
    jwk = public_jwk(private_key.public_key())
    token = jwt.encode({"sub": "x"}, private_key, algorithm="ES256")
    assert jwt.decode(token, jwt.PyJWK(jwk), algorithms=["ES256"]) == {"sub": "x"}
    assert jwk["kid"] == stored.kid
    assert "d" not in jwk


def test_the_private_key_is_not_readable_in_the_store() -> None:
    fernet = a_fernet()
    stored = new_key(fernet, 1, START, START)
    assert "PRIVATE KEY" not in stored.encrypted_private_key
    with pytest.raises(KeysUnreadable, match="AUTH_KEY_ENCRYPTION_KEY lacks"):
        private_key_of(a_fernet(), stored)


def test_a_key_under_another_kid_is_refused() -> None:
    fernet = a_fernet()
    one, other = new_key(fernet, 1, START, START), new_key(fernet, 2, START, START)
    planted = replace(one, encrypted_private_key=other.encrypted_private_key)
    with pytest.raises(KeysUnreadable, match="not the key that its kid names"):
        private_key_of(fernet, planted)


def test_a_key_of_another_curve_is_refused() -> None:
    fernet = a_fernet()
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    planted = replace(new_key(fernet, 1, START, START), encrypted_private_key=fernet.encrypt(pem).decode())
    with pytest.raises(KeysUnreadable):
        private_key_of(fernet, planted)


def test_the_encryption_key_can_be_changed() -> None:
    old, new = Fernet(Fernet.generate_key()), Fernet(Fernet.generate_key())
    stored = new_key(MultiFernet([old]), 1, START, START)
    moved = replace(stored, encrypted_private_key=reencrypted(MultiFernet([new, old]), stored))
    assert private_key_of(MultiFernet([new]), moved).private_numbers()
    with pytest.raises(KeysUnreadable):
        private_key_of(MultiFernet([old]), moved)


def test_reencrypting_without_the_old_encryption_key_says_so() -> None:
    stored = new_key(a_fernet(), 1, START, START)
    with pytest.raises(KeysUnreadable, match=stored.kid):
        reencrypted(a_fernet(), stored)


def test_the_thumbprint_is_that_of_rfc_7638() -> None:
    """The key of RFC 7515, appendix A.3; the digest from the canonical JSON that RFC 7638 prescribes."""
    x = int.from_bytes(jwt.utils.base64url_decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"))
    y = int.from_bytes(jwt.utils.base64url_decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"))
    public_key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    assert thumbprint(public_key) == "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"


def test_small_coordinates_keep_their_leading_zeros() -> None:
    """RFC 7518, section 6.2.1.2: a coordinate has the full length of the curve's field."""
    public_key = ec.derive_private_key(379, ec.SECP256R1()).public_key()
    assert public_key.public_numbers().x.bit_length() <= 248
    assert len(public_jwk(public_key)["x"]) == 43
