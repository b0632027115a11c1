"""Access tokens (JWT, RFC 8725 and 9068) and refresh tokens (opaque, rotated, RFC 9700 section 4.14)."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import jwt
from beanie import PydanticObjectId
from bson import ObjectId
from bson.errors import InvalidId
from pymongo import ReturnDocument

from src.config.settings import Settings
from src.models.audit import Act
from src.models.clock import utc_now
from src.models.errors import UnauthenticatedError
from src.models.tokens import RefreshToken
from src.models.users import TokenPair
from src.services.audit import note
from src.services.origin import origin
from src.services.signing import HS256, SigningKeys

ALGORITHM: Final = HS256
ISSUER: Final = "madhur"
AUDIENCE: Final = "madhur-api"
ACCESS_TYPE: Final = "at+jwt"
REQUIRED: Final = ["exp", "iat", "nbf", "iss", "aud", "sub", "jti"]

GRACE: Final = timedelta(seconds=10)
"""For so long the token before the latest can be used again, by a client that the answer never reached."""


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """Makes and reads tokens with the settings' keys."""

    keys: SigningKeys
    access_life: timedelta
    refresh_life: timedelta

    @classmethod
    def of(cls, settings: Settings) -> "TokenIssuer":
        """Raises:
        OperatorError: a key file cannot be used.
        """
        return cls(
            SigningKeys.of(settings),
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
        headers: dict[str, Any] = {"typ": ACCESS_TYPE}
        if self.keys.kid is not None:
            headers["kid"] = self.keys.kid
        return jwt.encode(claims, self.keys.signing, self.keys.algorithm, headers=headers)

    def user_of(self, access_token: str) -> ObjectId:
        """The user an access token was made for.

        Raises:
            UnauthenticatedError: it is not ours, not an access token, or no longer valid.
        """
        try:
            header = jwt.get_unverified_header(access_token)
            kid = header.get("kid")
            if header.get("typ") != ACCESS_TYPE or kid not in self.keys.verifying:
                raise UnauthenticatedError
            claims = jwt.decode(
                access_token,
                self.keys.verifying[kid],
                algorithms=[self.keys.algorithm],
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
        """A new pair, which begins a family (one log-in, one device) or continues the one ``rotate`` named.

        Raises:
            UnauthenticatedError: the family was revoked meanwhile, or the same token refreshed again.
        """
        secret = secrets.token_urlsafe(32)
        if family_id is None:
            handle = secrets.token_urlsafe(16)
            refresh = f"{handle}.{secret}"
            await RefreshToken(
                handle_hash=digest(handle),
                token_hash=digest(refresh),
                user_id=PydanticObjectId(user_id),
                device=origin.get().device,
                issued_at=now,
                rotated_at=now,
                expires_at=now + self.refresh_life,
            ).insert()
        else:
            login_id, rotation, handle = family_id.split(":")
            refresh = f"{handle}.{secret}"
            stored = await RefreshToken.get_pymongo_collection().update_one(
                {"_id": ObjectId(login_id), "rotation": int(rotation), "token_hash": None},
                {"$set": {"token_hash": digest(refresh), "expires_at": now + self.refresh_life}},
            )
            if not stored.matched_count:
                raise _refused()
        return TokenPair(
            access_token=self.access_token(user_id, now),
            refresh_token=refresh,
            expires_in=int(self.access_life.total_seconds()),
        )

    async def rotate(self, refresh_token: str, now: datetime) -> tuple[ObjectId, str]:
        """Use up a refresh token.

        A token is used once. Shown again within ``GRACE``, while its successor has not been used, it is a retry
        after a lost answer: the successor is withdrawn and the caller gets another. Shown again otherwise it
        has been copied: everything that came of the same log-in is revoked. All of it is one document changed
        atomically, so that however many requests race, at most one successor works (docs/security.md).

        Returns:
            The user and the family to issue the next pair for.

        Raises:
            UnauthenticatedError: unknown, expired, revoked or used before.
        """
        logins = RefreshToken.get_pymongo_collection()
        handle = refresh_token.partition(".")[0]
        shown = digest(refresh_token)
        family = {"handle_hash": digest(handle), "expires_at": {"$gt": now}}
        used_up = {"previous_hash": shown, "token_hash": None}
        used = await logins.find_one_and_update(
            {**family, "token_hash": shown},
            {"$set": {**used_up, "rotated_at": now}, "$inc": {"rotation": 1}},
            return_document=ReturnDocument.AFTER,
        ) or await logins.find_one_and_update(
            # A retry does not move `rotated_at`: the grace runs from the first use.
            {**family, "previous_hash": shown, "rotated_at": {"$gt": now - GRACE}},
            {"$set": used_up, "$inc": {"rotation": 1}},
            return_document=ReturnDocument.AFTER,
        )
        if used is not None:
            return used["user_id"], f"{used['_id']}:{used['rotation']}:{handle}"
        copied = await logins.find_one_and_delete(family)
        if copied is not None:
            await note(Act.REFRESH_REUSED, target_id=copied["user_id"])
        raise _refused()

    async def revoke(self, refresh_token: str) -> None:
        """End the log-in a refresh token belongs to. One that is not known is already ended."""
        handle = refresh_token.partition(".")[0]
        await RefreshToken.get_pymongo_collection().delete_one({"handle_hash": digest(handle)})


def _refused() -> UnauthenticatedError:
    return UnauthenticatedError("The refresh token is not valid; log in again.")


def digest(token: str) -> str:
    """A token as it is stored: random bits, 128 or more, need no slow hash."""
    return hashlib.sha256(token.encode()).hexdigest()


now_utc = utc_now
