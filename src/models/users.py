"""Accounts, their tokens, and the request and response bodies of authentication."""

import unicodedata
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, field_validator
from pymongo import ASCENDING, IndexModel


def utc_now() -> datetime:
    return datetime.now(UTC)


class Role(StrEnum):
    LISTENER = "listener"
    ADMIN = "admin"


Username = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=64, pattern=r"^[\w.@+-]+$")]
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


def name_key(name: str) -> str:
    """What makes two user names (or addresses) the same: NFKC, then case folded."""
    return unicodedata.normalize("NFKC", name).casefold()


class User(Document):
    """An account. ``username_key`` is unique, so `Ada` and `ada` are one name."""

    username: str
    username_key: str
    email: str | None = None
    email_key: str | None = None
    password_hash: str
    role: Role = Role.LISTENER
    disabled: bool = False
    created_at: datetime = Field(default_factory=utc_now)

    class Settings:
        name = "users"
        keep_nulls = False
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("username_key", ASCENDING)], unique=True),
            IndexModel([("email_key", ASCENDING)], unique=True, sparse=True),
        ]


class RefreshToken(Document):
    """A refresh token, stored only as a hash. All rotations of one log-in share ``family_id``."""

    token_hash: str
    family_id: str
    user_id: PydanticObjectId
    issued_at: datetime = Field(default_factory=utc_now)
    expires_at: datetime
    used_at: datetime | None = None

    class Settings:
        name = "refresh_tokens"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("token_hash", ASCENDING)], unique=True),
            IndexModel([("family_id", ASCENDING)]),
            IndexModel([("user_id", ASCENDING)]),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ]


class ApiToken(Document):
    """A personal token for a scrobbler or a script, stored only as a hash."""

    token_hash: str
    user_id: PydanticObjectId
    name: str
    scopes: list[str]
    created_at: datetime = Field(default_factory=utc_now)
    expires_at: datetime | None = None
    revoked_at: datetime | None = None

    class Settings:
        name = "api_tokens"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("token_hash", ASCENDING)], unique=True),
            IndexModel([("user_id", ASCENDING)]),
        ]


class UserCreate(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"username": "ada", "password": "correct horse battery"}]},
    )

    username: Username
    password: SecretStr = Field(description="8 to 128 characters.")
    email: Email | None = None

    @field_validator("password")
    @classmethod
    def _length(cls, value: SecretStr) -> SecretStr:
        length = len(value.get_secret_value())
        if not 8 <= length <= 128:
            raise ValueError(f"must have 8 to 128 characters, this one has {length}")
        return value


class UserRead(BaseModel):
    id: str
    username: str
    email: str | None = None
    role: Role
    created_at: datetime


class RefreshRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    refresh_token: str = Field(min_length=1, max_length=512)


class TokenPair(BaseModel):
    """What a log-in or a refresh returns (RFC 6749, section 5.1)."""

    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105 - the name of a scheme
    expires_in: int = Field(description="Seconds until the access token expires.")


class SessionCreate(BaseModel):
    """Name (or address) and password, from the player's page."""

    model_config = ConfigDict(extra="forbid")

    username: str = Field(min_length=1, max_length=254)
    password: SecretStr = Field(min_length=1, max_length=128)


class SessionRead(BaseModel):
    """What the player's page is told of a log-in: the refresh token is not in it."""

    access_token: str
    expires_in: int = Field(description="Seconds until the access token expires.")
