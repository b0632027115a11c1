"""The devices a listener is logged in on, and personal tokens."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from beanie import PydanticObjectId
from bson import ObjectId
from pymongo import WriteConcern

from src.models.errors import ConflictError, NotFoundError, UnauthenticatedError
from src.models.tokens import (
    MAX_API_TOKENS,
    ApiToken,
    ApiTokenCreate,
    ApiTokenCreated,
    ApiTokenRead,
    LoginRead,
    RefreshToken,
)
from src.services.accounts import get_active_user
from src.services.tokens import digest

PREFIX: Final = "mdr_"
"""What a personal token begins with: tells it from a JWT, and scanners of leaked secrets find it."""

SEEN_EVERY: Final = timedelta(minutes=1)


async def list_logins(user_id: ObjectId, now: datetime) -> list[LoginRead]:
    """Where an account is logged in, newest first."""
    found = RefreshToken.find({"user_id": user_id, "expires_at": {"$gt": now}}).sort("-issued_at").limit(200)
    return [
        LoginRead(
            id=str(login.id),
            device=login.device,
            created_at=login.issued_at,
            last_used_at=login.rotated_at or login.issued_at,
            expires_at=login.expires_at,
        )
        async for login in found
    ]


async def end_login(user_id: ObjectId, login_id: str) -> None:
    """Raises:
    NotFoundError: the account has no such log-in.
    """
    ended = await RefreshToken.get_pymongo_collection().delete_one({"_id": ObjectId(login_id), "user_id": user_id})
    if not ended.deleted_count:
        raise NotFoundError(f"There is no session {login_id}.")


async def create_api_token(user_id: ObjectId, body: ApiTokenCreate, now: datetime) -> ApiTokenCreated:
    """A personal token, which nobody can read again.

    Raises:
        ConflictError: the account has as many as it may.
    """
    if await ApiToken.find({"user_id": user_id}).count() >= MAX_API_TOKENS:
        raise ConflictError(f"An account has at most {MAX_API_TOKENS} tokens; revoke one first.")
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)  # as MongoDB keeps it
    token = PREFIX + secrets.token_urlsafe(32)
    stored = await ApiToken(
        token_hash=digest(token),
        user_id=PydanticObjectId(user_id),
        name=body.name,
        scopes=sorted(body.scopes),
        created_at=now,
        expires_at=None if body.expires_in_days is None else now + timedelta(days=body.expires_in_days),
    ).insert()
    return ApiTokenCreated(token=token, **_read(stored).model_dump())


async def list_api_tokens(user_id: ObjectId) -> list[ApiTokenRead]:
    """An account's personal tokens, newest first."""
    return [_read(token) async for token in ApiToken.find({"user_id": user_id}).sort("-created_at")]


async def revoke_api_token(user_id: ObjectId, token_id: str) -> None:
    """Raises:
    NotFoundError: the account has no such token.
    """
    revoked = await ApiToken.get_pymongo_collection().delete_one({"_id": ObjectId(token_id), "user_id": user_id})
    if not revoked.deleted_count:
        raise NotFoundError(f"There is no token {token_id}.")


async def find_api_token(token: str, now: datetime) -> ApiToken:
    """The stored token that a request shows.

    Raises:
        UnauthenticatedError: unknown, revoked or expired, or its account may not log in.
    """
    found = await ApiToken.find_one({"token_hash": digest(token)})
    if found is None or (found.expires_at is not None and found.expires_at <= now):
        raise UnauthenticatedError("The token is unknown, expired or revoked.")
    await get_active_user(found.user_id)
    if found.last_used_at is None or now - found.last_used_at >= SEEN_EVERY:
        seen = ApiToken.get_pymongo_collection().with_options(write_concern=WriteConcern(w=1))
        await seen.update_one({"_id": found.id}, {"$set": {"last_used_at": now}})
    return found


def _read(token: ApiToken) -> ApiTokenRead:
    return ApiTokenRead(id=str(token.id), **token.model_dump(include=set(ApiTokenRead.model_fields) - {"id"}))
