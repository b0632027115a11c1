"""Access tokens (JWT, RFC 8725 and 9068) and refresh tokens (opaque, rotated, RFC 9700 section 4.14)."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import jwt
from beanie import PydanticObjectId
from bson import ObjectId
from bson.errors import InvalidId
from pymongo import ReturnDocument

from src.config.settings import Settings
from src.models.errors import UnauthenticatedError
from src.models.users import RefreshToken, TokenPair

ALGORITHM: Final = "HS256"
ISSUER: Final = "madhur"
AUDIENCE: Final = "madhur-api"
ACCESS_TYPE: Final = "at+jwt"
REQUIRED: Final = ["exp", "iat", "nbf", "iss", "aud", "sub", "jti"]


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """Makes and reads tokens with the settings' secret."""

    key: str
    access_life: timedelta
    refresh_life: timedelta

    @classmethod
    def of(cls, settings: Settings) -> "TokenIssuer":
        return cls(
            settings.signing_key(),
            timedelta(minutes=settings.access_token_minutes),
            timedelta(days=settings.refresh_token_days),
        )

    def access_token(self, user_id: ObjectId, now: datetime) -> str:
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(user_id),
            "iat": now,
            "nbf": now,
            "exp": now + self.access_life,
            "jti": secrets.token_urlsafe(12),
        }
        return jwt.encode(claims, self.key, ALGORITHM, headers={"typ": ACCESS_TYPE})

    def user_of(self, access_token: str) -> ObjectId:
        """The user an access token was made for.

        Raises:
            UnauthenticatedError: it is not ours, not an access token, or no longer valid.
        """
        try:
            if jwt.get_unverified_header(access_token).get("typ") != ACCESS_TYPE:
                raise UnauthenticatedError
            claims = jwt.decode(
                access_token,
                self.key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={"require": REQUIRED},
            )
            return ObjectId(claims["sub"])
        except jwt.ExpiredSignatureError:
            raise UnauthenticatedError("The access token has expired; get a new one at /api/v1/auth/refresh.") from None
        except (jwt.InvalidTokenError, InvalidId):
            raise UnauthenticatedError from None

    async def issue(self, user_id: ObjectId, now: datetime, family_id: str | None = None) -> TokenPair:
        """A new pair; the refresh token continues ``family_id`` or begins a family (one log-in, one device).

        Raises:
            UnauthenticatedError: the family was revoked meanwhile.
        """
        refresh = secrets.token_urlsafe(32)
        await RefreshToken(
            token_hash=_digest(refresh),
            family_id=family_id or secrets.token_hex(12),
            user_id=PydanticObjectId(user_id),
            issued_at=now,
            expires_at=now + self.refresh_life,
        ).insert()
        if family_id is not None:
            # The token this one follows is gone if it was used again, or logged out, while we were busy.
            tokens = RefreshToken.get_pymongo_collection()
            if await tokens.find_one({"family_id": family_id, "used_at": {"$ne": None}}) is None:
                await tokens.delete_many({"family_id": family_id})
                raise _refused()
        return TokenPair(
            access_token=self.access_token(user_id, now),
            refresh_token=refresh,
            expires_in=int(self.access_life.total_seconds()),
        )

    async def rotate(self, refresh_token: str, now: datetime) -> tuple[ObjectId, str]:
        """Use up a refresh token.

        A token that is used twice has been copied: everything that came of the same log-in is revoked.

        Returns:
            The user and the family to issue the next pair for.

        Raises:
            UnauthenticatedError: unknown, expired, revoked or used before.
        """
        tokens = RefreshToken.get_pymongo_collection()
        digest = _digest(refresh_token)
        used = await tokens.find_one_and_update(
            {"token_hash": digest, "used_at": None, "expires_at": {"$gt": now}},
            {"$set": {"used_at": now}},
            return_document=ReturnDocument.AFTER,
        )
        if used is not None:
            return used["user_id"], used["family_id"]
        replayed = await tokens.find_one({"token_hash": digest, "used_at": {"$ne": None}})
        if replayed is not None:
            await tokens.delete_many({"family_id": replayed["family_id"]})
        raise _refused()

    async def revoke(self, refresh_token: str) -> None:
        """End the log-in a refresh token belongs to. One that is not known is already ended."""
        tokens = RefreshToken.get_pymongo_collection()
        found = await tokens.find_one({"token_hash": _digest(refresh_token)})
        if found is not None:
            await tokens.delete_many({"family_id": found["family_id"]})


def _refused() -> UnauthenticatedError:
    return UnauthenticatedError("The refresh token is not valid; log in again.")


def _digest(token: str) -> str:
    # 256 random bits need no slow hash.
    return hashlib.sha256(token.encode()).hexdigest()


def now_utc() -> datetime:
    return datetime.now(UTC)
