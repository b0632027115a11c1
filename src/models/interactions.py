"""What listeners do with songs, and the taste profile that follows from it."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from beanie import Document, PydanticObjectId
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pymongo import ASCENDING, DESCENDING, IndexModel

from src.models.audio import AudioFeatures
from src.models.songs import SongRead

ObjectIdText = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]
EventId = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=r"^[^\x00]+$")]

MAX_BATCH = 1000


class Kind(StrEnum):
    """What happened. ``like`` and ``dislike`` are states that ``unlike`` clears."""

    PLAY = "play"
    LIKE = "like"
    UNLIKE = "unlike"
    SKIP = "skip"
    DISLIKE = "dislike"


class Interaction(Document):
    """One thing a listener did. Never changed once written."""

    user_id: PydanticObjectId
    song_id: PydanticObjectId
    kind: Kind
    ms_played: int | None = None
    completion: float | None = Field(None, description="Share of the song played, 0 to 1, where known.")
    times: int = Field(1, description="How many times; above 1 only for imported totals.")
    occurred_at: datetime
    received_at: datetime
    event_id: str

    class Settings:
        name = "interactions"
        keep_nulls = False
        indexes: ClassVar[list[IndexModel]] = [
            IndexModel([("user_id", ASCENDING), ("event_id", ASCENDING)], unique=True),
            IndexModel([("user_id", ASCENDING), ("occurred_at", DESCENDING), ("_id", DESCENDING)]),
        ]


class Signal(BaseModel):
    """The listener's present opinion of one song, in a taste profile."""

    song_id: PydanticObjectId
    weight: float = Field(description="Strength of the opinion, above 0; a like is 1.")
    at: datetime


class TasteProfile(Document):
    """Everything a recommendation needs to know of a listener, in one document; ``_id`` is the user's.

    ``positives`` and ``negatives`` hold the latest opinion on each song, newest last, bounded.
    ``liked`` and ``banned`` are the standing likes and dislikes. ``heard`` is the latest plays and skips.
    ``audio_sum / audio_weight`` is the mean audio of all positives ever, each decayed by its age;
    both are as of ``audio_at``.
    """

    id: PydanticObjectId
    positives: list[Signal] = Field(default_factory=list)
    negatives: list[Signal] = Field(default_factory=list)
    heard: list[PydanticObjectId] = Field(default_factory=list)
    liked: list[PydanticObjectId] = Field(default_factory=list)
    banned: list[PydanticObjectId] = Field(default_factory=list)
    audio_sum: dict[str, float] = Field(default_factory=dict)
    audio_weight: dict[str, float] = Field(default_factory=dict)
    audio_at: datetime | None = None
    n_interactions: int = 0
    n_writes: int = 0
    updated_at: datetime | None = None

    class Settings:
        name = "taste_profiles"
        keep_nulls = False


class InteractionCreate(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"song_id": "665f1f77bcf86cd799439011", "kind": "like", "event_id": "phone-1-000017"}]
        },
    )

    song_id: ObjectIdText
    kind: Kind
    occurred_at: AwareDatetime | None = Field(
        None, description="When it happened, with its time zone. Default: now. At most 5 minutes ahead."
    )
    ms_played: int | None = Field(
        None, ge=0, le=24 * 3600 * 1000, description="How long it played, in milliseconds; for play and skip."
    )
    event_id: EventId | None = Field(
        None, description="Your own unique id of the event. Sending it again changes nothing."
    )

    @model_validator(mode="after")
    def _ms_played_fits(self) -> Self:
        if self.ms_played is not None and self.kind not in (Kind.PLAY, Kind.SKIP):
            raise ValueError(f"ms_played goes with play or skip, not with {self.kind}")
        return self


class InteractionBatch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    interactions: list[InteractionCreate] = Field(min_length=1, max_length=MAX_BATCH)


class InteractionRead(BaseModel):
    id: str
    event_id: str
    song_id: str
    kind: Kind
    ms_played: int | None = None
    occurred_at: datetime
    replayed: bool = Field(False, description="True when this event id was already known.")


class InteractionBatchRead(BaseModel):
    stored: int
    replayed: int = Field(description="Events that were already known; they changed nothing.")


class HistoryItem(BaseModel):
    id: str
    kind: Kind
    ms_played: int | None = None
    occurred_at: datetime
    song: SongRead | None = Field(None, description="Null when the song has since left the catalogue.")
    song_id: str


class TasteRead(BaseModel):
    """What the service believes about a listener."""

    n_interactions: int
    n_liked: int
    n_disliked: int
    audio_mean: AudioFeatures = Field(description="Mean audio of what you like, recent likes counting more.")
    updated_at: datetime | None
