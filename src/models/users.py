"""Accounts, and the request and response bodies of registering and logging in."""

import unicodedata
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from beanie import Document
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints
from pymongo import ASCENDING, DESCENDING, IndexModel

from src.models.clock import utc_now as utc_now
from src.models.tokens import RefreshToken as RefreshToken


class Role(StrEnum):
    LISTENER = "listener"
    ADMIN = "admin"


Username = Annotated[str, StringConstraints(strip_whitespace=True, min_length=2, max_length=64, pattern=r"^[\w.@+-]+$")]
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


def name_key(name: str) -> str:
    """What makes two user names (or addresses) the same: NFKC, then case folded."""
    return unicodedata.normalize("NFKC", name).casefold()


class User(Document):
    """An account. ``username_key`` is unique, so `Ada` and `ada` are one name.

    An address is not unique: refusing a second account would tell whoever asks that there is a first.
    """

    username: str
    username_key: str
    email: str | None = None
    email_key: str | None = None
    password_hash: str
    role: Role = Role.LISTENER
    disabled: bool = False
    created_at: datetime = Field(default_factory=utc_now)
    admin_changes: int = Field(0, description="Counts changes among administrators, so that two at once conflict.")

    class Settings:
        name = "users"
        keep_nulls = False
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("username_key", ASCENDING)], unique=True),
            IndexModel([("email_key", ASCENDING), ("_id", DESCENDING)], sparse=True),
        ]


class UserCreate(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"username": "ada", "password": "correct horse battery"}]},
    )

    username: Username
    password: SecretStr = Field(description="8 to 128 characters, not one of those everybody tries first.")
    email: Email | None = None


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


class UserAdminRead(UserRead):
    disabled: bool


class UserPatch(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"disabled": True}]})

    role: Role | None = None
    disabled: bool | None = None


class SessionCreate(BaseModel):
    """Name (or address) and password, from the player's page."""

    model_config = ConfigDict(extra="forbid")

    username: str = Field(min_length=1, max_length=254)
    password: SecretStr = Field(min_length=1, max_length=128)


class SessionRead(BaseModel):
    """What the player's page is told of a log-in: the refresh token is not in it."""

    access_token: str
    expires_in: int = Field(description="Seconds until the access token expires.")
