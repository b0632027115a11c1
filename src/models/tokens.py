"""Log-ins and tokens as they are stored, always as hashes, and as listeners see them."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints
from pymongo import ASCENDING, DESCENDING, IndexModel

from src.models.clock import utc_now

MAX_API_TOKENS = 50
MAX_TOKEN_DAYS = 3_650


class Scope(StrEnum):
    """What a personal token may do. A log-in may do everything its account may."""

    LISTEN_WRITE = "listen:write"
    RECOMMEND_READ = "recommend:read"
    LIBRARY_READ = "library:read"
    ADMIN = "admin"


class RefreshToken(Document):
    """The refresh token of one log-in, of which only the latest rotation works.

    A token is a handle, the same for the whole log-in, and a secret, new at each rotation. Who shows the handle
    with a secret that is neither the latest nor, for seconds, the one before has kept a copy.
    """

    handle_hash: str
    token_hash: str | None
    previous_hash: str | None = None
    rotated_at: datetime | None = None
    rotation: int = 0
    user_id: PydanticObjectId
    device: str = ""
    issued_at: datetime = Field(default_factory=utc_now)
    expires_at: datetime

    class Settings:
        name = "logins"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("handle_hash", ASCENDING)], unique=True),
            IndexModel([("user_id", ASCENDING), ("issued_at", DESCENDING)]),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ]


class ApiToken(Document):
    """A personal token for a scrobbler or a script."""

    token_hash: str
    user_id: PydanticObjectId
    name: str
    scopes: list[Scope]
    created_at: datetime = Field(default_factory=utc_now)
    expires_at: datetime | None = None
    last_used_at: datetime | None = None

    class Settings:
        name = "api_tokens"
        keep_nulls = False
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("token_hash", ASCENDING)], unique=True),
            IndexModel([("user_id", ASCENDING), ("created_at", DESCENDING)]),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ]


class PasswordReset(Document):
    """A one-time token to choose a new password; the latest of an account is the only one."""

    token_hash: str
    user_id: PydanticObjectId
    expires_at: datetime

    class Settings:
        name = "password_resets"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("token_hash", ASCENDING)], unique=True),
            IndexModel([("user_id", ASCENDING)], unique=True),
            IndexModel([("expires_at", ASCENDING)], expireAfterSeconds=0),
        ]


class LoginRead(BaseModel):
    """A device that is logged in."""

    id: str
    device: str = Field(description="Its User-Agent when it logged in.")
    created_at: datetime
    last_used_at: datetime = Field(description="When it last logged in or refreshed.")
    expires_at: datetime


class ApiTokenCreate(BaseModel):
    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "scrobbler", "scopes": ["listen:write"]}]}
    )

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\x00]+$")]
    scopes: set[Scope] = Field(min_length=1)
    expires_in_days: int | None = Field(None, ge=1, le=MAX_TOKEN_DAYS, description="Null: until it is revoked.")


class ApiTokenRead(BaseModel):
    id: str
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = Field(None, description="To within a minute.")


class ApiTokenCreated(ApiTokenRead):
    token: str = Field(description="Shown this once; only a hash of it is kept.")


class ResetRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    username: str = Field(min_length=1, max_length=254, description="User name or address.")


class ResetConfirm(BaseModel):
    model_config = ConfigDict(extra="forbid")

    token: str = Field(min_length=1, max_length=512)
    password: SecretStr = Field(description="The new password, 8 to 128 characters.")


class PasswordChange(BaseModel):
    model_config = ConfigDict(extra="forbid")

    current_password: SecretStr
    new_password: SecretStr = Field(description="8 to 128 characters.")


class AccountDelete(BaseModel):
    model_config = ConfigDict(extra="forbid")

    password: SecretStr
