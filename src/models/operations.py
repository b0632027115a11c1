"""Documents of running the service: jobs, model releases, and what was shown to whom."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from beanie import Document, PydanticObjectId
from pydantic import BaseModel, Field
from pymongo import ASCENDING, DESCENDING, IndexModel

from src.models.users import utc_now


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class Job(Document):
    """A piece of background work. At most one job of a kind holds a given ``exclusive_key``."""

    kind: str
    state: JobState = JobState.QUEUED
    owner_id: PydanticObjectId | None = None
    exclusive_key: str | None = None
    progress: float = 0.0
    message: str = ""
    error: str | None = None
    result: dict[str, Any] = Field(default_factory=dict)
    created_at: datetime = Field(default_factory=utc_now)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    heartbeat_at: datetime | None = None

    class Settings:
        name = "jobs"
        keep_nulls = False
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("exclusive_key", ASCENDING)], unique=True, sparse=True),
            IndexModel([("created_at", DESCENDING)]),
        ]


class JobRead(BaseModel):
    id: str
    kind: str
    state: JobState
    progress: float = Field(description="0 to 1.")
    message: str
    error: str | None = None
    result: dict[str, Any]
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None


class ModelRelease(Document):
    """A trained model that was published; its arrays lie in the artifact store under ``version``."""

    version: str
    created_at: datetime = Field(default_factory=utc_now)
    manifest: dict[str, Any]

    class Settings:
        name = "model_releases"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("version", ASCENDING)], unique=True),
            IndexModel([("created_at", DESCENDING)]),
        ]


class ModelPointer(Document):
    """Which release is live. One document, ``_id`` "live"; moving it is publishing."""

    id: str  # type: ignore[assignment]
    version: str
    previous: str | None = None
    moved_at: datetime = Field(default_factory=utc_now)

    class Settings:
        name = "model_pointer"
        keep_nulls = False


class ModelRead(BaseModel):
    version: str
    live: bool
    created_at: datetime
    n_songs: int
    n_listeners: int
    n_interactions: int
    metrics: dict[str, Any] = Field(description="Held-out metrics by strategy; empty without enough plays.")


class Impression(Document):
    """A list of songs that was shown, for the online results of strategies and model versions."""

    user_id: PydanticObjectId
    song_ids: list[PydanticObjectId]
    strategy: str
    model_version: str
    shown_at: datetime = Field(default_factory=utc_now)

    class Settings:
        name = "impressions"
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("user_id", ASCENDING), ("shown_at", DESCENDING)]),
        ]


class Playlist(Document):
    """An ordered list of songs that belongs to one listener."""

    user_id: PydanticObjectId
    name: str
    song_ids: list[PydanticObjectId] = Field(default_factory=list)
    created_at: datetime = Field(default_factory=utc_now)
    updated_at: datetime = Field(default_factory=utc_now)

    class Settings:
        name = "playlists"
        indexes: ClassVar[list[IndexModel]] = [IndexModel([("user_id", ASCENDING), ("updated_at", DESCENDING)])]
