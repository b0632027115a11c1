"""Request and response bodies of recommendations and moods."""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from src.models.interactions import ObjectIdText
from src.models.songs import SongRead

MAX_LIMIT = 100
MAX_SEEDS = 50
MAX_EXCLUDED = 1_000


class Strategy(StrEnum):
    """Which scorers answer. ``hybrid`` blends them all."""

    HYBRID = "hybrid"
    CONTENT = "content"
    ITEM_CF = "item_cf"
    USER_CF = "user_cf"
    POPULARITY = "popularity"
    MOOD = "mood"


class ReasonRead(BaseModel):
    source: str = Field(description="The scorer that speaks, or `mood` or `targets`.")
    text: str = Field(description="In words, for showing to the listener.")
    weight: float = Field(description="Its part of the song's score.")
    because_song_id: str | None = Field(None, description="The song of yours that led here.")


class RecommendationRead(BaseModel):
    song: SongRead
    score: float = Field(description="0 to 1.")
    sources: dict[str, float] = Field(description="What each scorer contributed; they add up to the score.")
    reasons: list[ReasonRead]


class RecommendationsRead(BaseModel):
    items: list[RecommendationRead]
    strategy: Strategy
    is_fallback: bool = Field(description="True when this is not the personal answer that was asked for.")
    fallback_reason: str | None = Field(None, description="Why, in words.")
    model_version: str


FeatureTargets = dict[str, Annotated[float, Field(allow_inf_nan=False)]]


class RecommendationQuery(BaseModel):
    """What is asked for, whichever door it came through."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(20, ge=1, le=MAX_LIMIT)
    strategy: Strategy = Strategy.HYBRID
    mood: str | None = Field(None, max_length=32, description="One of GET /api/v1/moods.")
    seed_song_ids: list[ObjectIdText] = Field(default_factory=list, max_length=MAX_SEEDS)
    genres: list[str] = Field(default_factory=list, max_length=50, description="Any of these.")
    exclude_song_ids: list[ObjectIdText] = Field(default_factory=list, max_length=MAX_EXCLUDED)
    minimum: FeatureTargets = Field(default_factory=dict, description="Audio feature -> least value.")
    maximum: FeatureTargets = Field(default_factory=dict, description="Audio feature -> greatest value.")
    target: FeatureTargets = Field(default_factory=dict, description="Audio feature -> value to come near to.")
    explicit: bool | None = Field(None, description="false leaves explicit songs out, true leaves only them.")
    diversity: float = Field(0.2, ge=0, le=1, description="0 by score alone, 1 as unlike one another as can be.")


class SessionQuery(RecommendationQuery):
    """An anonymous listener: nothing is stored."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"liked_song_ids": ["665f1f77bcf86cd799439011"], "mood": "calm", "limit": 5}]},
    )

    liked_song_ids: list[ObjectIdText] = Field(default_factory=list, max_length=200)
    skipped_song_ids: list[ObjectIdText] = Field(default_factory=list, max_length=200)


class FitRead(BaseModel):
    feature: str
    low: float | None = Field(description="Does not fit at all below; null: no lower bound.")
    full_from: float | None
    full_to: float | None
    high: float | None = Field(description="Does not fit at all above; null: no upper bound.")
    weight: float


class MeanRead(BaseModel):
    mean_of: list[FitRead] = Field(description="Their weighted mean: one may make up for another.")
    weight: float


class MoodRead(BaseModel):
    name: str
    description: str
    rule: list[FitRead | MeanRead] = Field(description="A song's fit is the weighted geometric mean of these.")
    n_songs: int = Field(description="Songs of the catalogue that fit it.")


class GenreRead(BaseModel):
    name: str
    n_songs: int
