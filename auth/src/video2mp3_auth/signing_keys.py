"""Signing keys: P-256 for ES256, kept encrypted, named by their thumbprint."""

import base64
import hashlib
import json
from datetime import datetime

from cryptography.fernet import InvalidToken as UndecryptableError
from cryptography.fernet import MultiFernet
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from video2mp3_auth.errors import KeysUnreadable
from video2mp3_auth.stores import StoredKey

_COORDINATE_BYTES = 32


def new_key(fernet: MultiFernet, generation: int, created_at: datetime, activates_at: datetime) -> StoredKey:
    """A fresh key, ready to be stored."""
    private_key = ec.generate_private_key(ec.SECP256R1())
    pem = private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return StoredKey(
        generation=generation,
        kid=thumbprint(private_key.public_key()),
        encrypted_private_key=fernet.encrypt(pem).decode(),
        created_at=created_at,
        activates_at=activates_at,
    )


def private_key_of(fernet: MultiFernet, key: StoredKey) -> ec.EllipticCurvePrivateKey:
    """The key itself. What is published is derived from it: a public key that was planted in the database is not."""
    try:
        private_key = load_pem_private_key(fernet.decrypt(key.encrypted_private_key), password=None)
    except UndecryptableError as error:
        raise _unreadable(key) from error
    if not isinstance(private_key, ec.EllipticCurvePrivateKey) or thumbprint(private_key.public_key()) != key.kid:
        raise KeysUnreadable(f"Signing key {key.kid} is not the key that its kid names.")
    return private_key


def reencrypted(fernet: MultiFernet, key: StoredKey) -> str:
    """The key's private half, encrypted by the first of the encryption keys."""
    try:
        return fernet.rotate(key.encrypted_private_key).decode()
    except UndecryptableError as error:
        raise _unreadable(key) from error


def public_jwk(public_key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    """The key as RFC 7517 and RFC 7518 (section 6.2) have it."""
    return {**_required_members(public_key), "alg": "ES256", "use": "sig", "kid": thumbprint(public_key)}


def thumbprint(public_key: ec.EllipticCurvePublicKey) -> str:
    """RFC 7638: SHA-256 of the required members in order, in base64url (43 characters)."""
    canonical = json.dumps(_required_members(public_key), separators=(",", ":"), sort_keys=True)
    return _base64url(hashlib.sha256(canonical.encode()).digest())


def _required_members(public_key: ec.EllipticCurvePublicKey) -> dict[str, str]:
    numbers = public_key.public_numbers()
    return {
        "crv": "P-256",
        "kty": "EC",
        "x": _base64url(numbers.x.to_bytes(_COORDINATE_BYTES)),
        "y": _base64url(numbers.y.to_bytes(_COORDINATE_BYTES)),
    }


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unreadable(key: StoredKey) -> KeysUnreadable:
    return KeysUnreadable(
        f"Signing key {key.kid} cannot be decrypted: AUTH_KEY_ENCRYPTION_KEY lacks the key that it was stored with."
    )
