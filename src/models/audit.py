"""The audit log: what administrators did, and what bears on the safety of accounts."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from src.models.clock import utc_now

KEEP_DAYS = 365


class Act(StrEnum):
    REGISTERED = "account.registered"
    DELETED = "account.deleted"
    LOGIN = "login.succeeded"
    LOGIN_FAILED = "login.failed"
    LOGIN_REVOKED = "login.revoked"
    REFRESH_REUSED = "refresh.reused"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105
    RESET_REQUESTED = "password.reset_requested"
    RESET = "password.reset"
    TOKEN_CREATED = "token.created"  # noqa: S105
    TOKEN_REVOKED = "token.revoked"  # noqa: S105
    EXPORTED = "account.exported"
    USER_CHANGED = "admin.user_changed"
    TRAINING_STARTED = "admin.training_started"
    MODEL_PROMOTED = "admin.model_promoted"
    SONG_CREATED = "admin.song_created"
    SONG_CHANGED = "admin.song_changed"
    SONG_DELETED = "admin.song_deleted"


class AuditEvent(Document):
    """One act. ``details`` never holds a name, an address or a secret: accounts are known by their ids alone."""

    at: datetime = Field(default_factory=utc_now)
    act: Act
    actor_id: PydanticObjectId | None = Field(None, description="Who did it; None when nobody was logged in.")
    target_id: PydanticObjectId | None = Field(None, description="Whose account it was done to.")
    address: str = ""
    details: dict[str, Any] = Field(default_factory=dict)

    class Settings:
        name = "audit_events"
        keep_nulls = False
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("at", DESCENDING), ("_id", DESCENDING)]),
            IndexModel([("actor_id", ASCENDING)], sparse=True),
            IndexModel([("target_id", ASCENDING)], sparse=True),
            IndexModel([("at", ASCENDING)], expireAfterSeconds=KEEP_DAYS * 86_400, name="expire"),
        ]


class AuditRead(BaseModel):
    id: str
    at: datetime
    act: Act
    actor_id: str | None = None
    target_id: str | None = None
    address: str = Field(description="Where the request came from.")
    details: dict[str, Any]
