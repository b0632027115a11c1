"""The keys that sign and verify access tokens: one shared secret, or Ed25519 key files with overlap rotation."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from src.config.errors import OperatorError
from src.config.settings import Settings

HS256: Final = "HS256"
EDDSA: Final = "EdDSA"

SigningKey = str | Ed25519PrivateKey
VerifyingKey = str | Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """One algorithm, the key that signs, and the keys that verify by their ``kid``.

    The algorithm is never taken from a token, and a ``kid`` only chooses among the keys of that algorithm
    (RFC 8725, sections 3.1 and 3.10).

    Attributes:
        kid: of the key that signs; None with the shared secret, of which there is one.
    """

    algorithm: str
    signing: SigningKey = field(repr=False)
    kid: str | None
    verifying: Mapping[str | None, VerifyingKey] = field(repr=False)

    @classmethod
    def of(cls, settings: Settings) -> "SigningKeys":
        """Raises:
        OperatorError: a key file cannot be used.
        """
        if not settings.signing_key_files:
            secret = settings.signing_key()
            return cls(HS256, secret, None, {None: secret})
        signing = _private_key(settings.signing_key_files[0])
        publics = [signing.public_key(), *map(_public_key, settings.signing_key_files[1:])]
        return cls(EDDSA, signing, thumbprint(publics[0]), {thumbprint(key): key for key in publics})

    def jwks(self) -> dict[str, Any] | None:
        """The public keys as a JWK set (RFC 7517, 8037); None with a shared secret, which is nobody's business."""
        if self.algorithm != EDDSA:
            return None
        return {
            "keys": [
                {**_jwk(key), "kid": kid, "use": "sig", "alg": EDDSA}
                for kid, key in self.verifying.items()
                if isinstance(key, Ed25519PublicKey)
            ]
        }


def thumbprint(key: Ed25519PublicKey) -> str:
    """The key's name: its JWK thumbprint (RFC 7638)."""
    canonical = orjson.dumps(_jwk(key), option=orjson.OPT_SORT_KEYS)
    return _base64(hashlib.sha256(canonical).digest())


def _jwk(key: Ed25519PublicKey) -> dict[str, str]:
    return {"crv": "Ed25519", "kty": "OKP", "x": _base64(key.public_bytes(Encoding.Raw, PublicFormat.Raw))}


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _private_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise _unusable(path, error) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _unusable(path, "it is not an Ed25519 key")
    return key


def _public_key(path: Path) -> Ed25519PublicKey:
    """A key that only verifies may lie there with its private half or without."""
    try:
        pem = path.read_bytes()
        key = load_pem_public_key(pem) if b"PUBLIC KEY" in pem else _private_key(path).public_key()
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise _unusable(path, error) from None
    if not isinstance(key, Ed25519PublicKey):
        raise _unusable(path, "it is not an Ed25519 key")
    return key


def _unusable(path: Path, why: object) -> OperatorError:
    return OperatorError(
        f"MADHUR_SIGNING_KEY_FILES: {path} cannot be used: {why}; make one with `openssl genpkey -algorithm ed25519`"
    )
