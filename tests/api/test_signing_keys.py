"""Access tokens signed with Ed25519 key files: rotation, the published keys, attacks."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
from bson import ObjectId
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from src.config.errors import OperatorError
from src.config.settings import Settings
from src.models.errors import UnauthenticatedError
from src.services.signing import EDDSA, SigningKeys, thumbprint
from src.services.tokens import ACCESS_TYPE, AUDIENCE, ISSUER, TokenIssuer, now_utc
from tests.conftest import TEST_SECRET, SongJson, add_user, app_of, client_of, running_app

USER = "665f1f77bcf86cd799439011"


def key_file(path: Path, private: Any = None) -> Path:
    key = private or Ed25519PrivateKey.generate()
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return path


def private_of(path: Path) -> Ed25519PrivateKey:
    key = load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


def issuer_of(settings: Settings, *files: Path) -> TokenIssuer:
    return TokenIssuer.of(settings.model_copy(update={"signing_key_files": list(files)}))


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return key_file(tmp_path / "old.pem")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return key_file(tmp_path / "new.pem")


def test_keys_overlap_while_they_are_rotated(settings: Settings, old: Path, new: Path, tmp_path: Path) -> None:
    now = now_utc()
    public = tmp_path / "old.pub.pem"
    public.write_bytes(private_of(old).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    user = ObjectId(USER)
    before, announced = issuer_of(settings, old), issuer_of(settings, old, new)
    switched, retired = issuer_of(settings, new, public), issuer_of(settings, new)
    by_old, by_new = before.access_token(user, now), switched.access_token(user, now)
    for issuer in (announced, switched):
        assert issuer.user_of(by_old) == issuer.user_of(by_new) == user
    assert retired.user_of(by_new) == user
    with pytest.raises(UnauthenticatedError):
        retired.user_of(by_old)
    with pytest.raises(UnauthenticatedError):
        before.user_of(by_new)


async def test_the_public_keys_are_published_and_verify_a_token(
    settings: Settings, songs: list[SongJson], old: Path, new: Path
) -> None:
    with_keys = settings.model_copy(update={"signing_key_files": [new, old]})
    async with running_app(with_keys) as client:
        published = (await client.get("/.well-known/jwks.json")).json()
        user = await add_user("ada")
        token = TokenIssuer.of(with_keys).access_token(user, now_utc())
        async with client_of(app_of(client), token) as ada:
            assert (await ada.get("/api/v1/users/me")).status_code == 200
    assert [key["kid"] for key in published["keys"]] == [
        thumbprint(private_of(path).public_key()) for path in (new, old)
    ]
    assert all(key.keys() == {"kty", "crv", "x", "kid", "use", "alg"} for key in published["keys"])
    chosen = jwt.PyJWKSet.from_dict(published)[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, chosen, algorithms=[EDDSA], audience=AUDIENCE, issuer=ISSUER)["sub"] == str(user)


async def test_a_shared_secret_is_not_published(client: httpx.AsyncClient) -> None:
    answer = await client.get("/.well-known/jwks.json")
    assert answer.status_code == 404
    assert TEST_SECRET not in answer.text


def test_the_thumbprint_is_that_of_rfc_8037() -> None:
    # RFC 8037, appendix A.1 to A.3.
    private = base64.urlsafe_b64decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
    key = Ed25519PrivateKey.from_private_bytes(private).public_key()
    assert thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def claims(**more: Any) -> dict[str, Any]:
    now = now_utc()
    made = {"iss": ISSUER, "aud": AUDIENCE, "sub": USER, "iat": now, "nbf": now, "jti": "x"}
    return {**made, "exp": now + timedelta(minutes=5), **more}


def sign(key: Ed25519PrivateKey, payload: dict[str, Any] | None = None, **header: Any) -> str:
    kid = thumbprint(key.public_key())
    return jwt.encode(payload or claims(), key, EDDSA, headers={"typ": ACCESS_TYPE, "kid": kid, **header})


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def by_hand(key: Ed25519PrivateKey, header: dict[str, Any], secret: bytes | None) -> str:
    """A token whose MAC is made by hand: PyJWT itself refuses to use a public key as a secret."""
    now = int(now_utc().timestamp())
    payload = claims(iat=now, nbf=now, exp=now + 300)
    signed = f"{part({'typ': ACCESS_TYPE, 'kid': thumbprint(key.public_key()), **header})}.{part(payload)}"
    mac = b"" if secret is None else hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def public_pem(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def public_raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def with_own_jwk(_: Ed25519PrivateKey) -> str:
    """Signed with the attacker's key, which the header brings along."""
    mine = Ed25519PrivateKey.generate()
    x = base64.urlsafe_b64encode(public_raw(mine)).decode().rstrip("=")
    return sign(mine, jwk={"kty": "OKP", "crv": "Ed25519", "x": x}, jku="https://attacker.example/jwks.json")


PAST = now_utc() - timedelta(hours=2)
OTHER = Ed25519PrivateKey.generate()
ATTACKS: dict[str, Callable[[Ed25519PrivateKey], str]] = {
    "alg none": lambda key: by_hand(key, {"alg": "none"}, None),
    "alg none, signed": lambda key: by_hand(key, {"alg": "none"}, b"x"),
    "HS256 with the public key as PEM": lambda key: by_hand(key, {"alg": "HS256"}, public_pem(key)),
    "HS256 with the raw public key": lambda key: by_hand(key, {"alg": "HS256"}, public_raw(key)),
    "HS256 with an empty secret": lambda key: by_hand(key, {"alg": "HS256"}, b""),
    "HS256 with the settings' secret": lambda key: by_hand(key, {"alg": "HS256"}, TEST_SECRET.encode()),
    "another key under our kid": lambda key: sign(OTHER, kid=thumbprint(key.public_key())),
    "another key under its own kid": lambda key: sign(OTHER),
    "a key of its own in the header": with_own_jwk,
    "no kid": lambda key: jwt.encode(claims(), key, EDDSA, headers={"typ": ACCESS_TYPE}),
    "a kid that is a path": lambda key: sign(key, kid="../../../dev/null"),
    "a kid that is a query": lambda key: by_hand(key, {"alg": EDDSA, "kid": {"$ne": None}}, b""),
    "a kid that is a list": lambda key: by_hand(key, {"alg": EDDSA, "kid": []}, b""),
    "expired": lambda key: sign(key, claims(iat=PAST, nbf=PAST, exp=PAST + timedelta(hours=1))),
    "not yet valid": lambda key: sign(key, claims(nbf=now_utc() + timedelta(hours=1))),
    "another issuer": lambda key: sign(key, claims(iss="elsewhere")),
    "another audience": lambda key: sign(key, claims(aud="elsewhere")),
    "another type": lambda key: sign(key, typ="JWT"),
    "a critical extension": lambda key: sign(key, crit=["exp"]),
    "truncated": lambda key: sign(key)[:-8],
    "without its signature": lambda key: sign(key).rpartition(".")[0] + ".",
    "another payload": lambda key: ".".join([sign(key).split(".")[0], part({"sub": USER}), sign(key).split(".")[2]]),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_forged_token_is_refused(settings: Settings, new: Path, attack: str) -> None:
    key, issuer = private_of(new), issuer_of(settings, new)
    assert str(issuer.user_of(sign(key))) == USER  # the parts are right but for the attack
    with pytest.raises(UnauthenticatedError):
        issuer.user_of(ATTACKS[attack](key))


def test_a_shared_secret_takes_no_kid(settings: Settings) -> None:
    token = jwt.encode(claims(), TEST_SECRET, "HS256", headers={"typ": ACCESS_TYPE, "kid": "x"})
    with pytest.raises(UnauthenticatedError):
        TokenIssuer.of(settings).user_of(token)


@pytest.mark.parametrize("content", [None, b"", b"nonsense", "p-256"])
def test_a_key_file_that_cannot_be_used_is_named(settings: Settings, tmp_path: Path, content: Any) -> None:
    path = tmp_path / "bad.pem"
    if content == "p-256":
        key_file(path, generate_private_key(SECP256R1()))
    elif content is not None:
        path.write_bytes(content)
    for files in ([path], [key_file(tmp_path / "good.pem"), path]):
        with pytest.raises(OperatorError, match=r"bad\.pem"):
            SigningKeys.of(settings.model_copy(update={"signing_key_files": files}))
