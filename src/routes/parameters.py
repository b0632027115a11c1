"""Query parameters that several routes share."""

from typing import Annotated, Any, Final

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model

from src.models.audio import AUDIO_FEATURES, RANGES, SHORT_NAMES
from src.models.interactions import ObjectIdText
from src.models.recommendations import MAX_LIMIT, RecommendationQuery, Strategy

SongId = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$", description="A song's id: 24 hexadecimal digits.")]
Cursor = Annotated[str | None, Query(max_length=256, description="`next_cursor` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Most items to return.")]

SIDES: Final = {"min": "minimum", "max": "maximum", "target": "target"}
_NAMES: Final = (*AUDIO_FEATURES, *SHORT_NAMES)


def _field(side: str, name: str) -> tuple[Any, Any]:
    feature = SHORT_NAMES.get(name, name)
    low, high = RANGES[feature]
    words = {"min": "Least", "max": "Greatest", "target": "Come near to this"}[side]
    note = f"; the same as {side}_{feature}" if name in SHORT_NAMES else ""
    return float | None, Field(None, description=f"{words} {feature}, {low:g} to {high:g}{note}.", allow_inf_nan=False)


class _Forbidding(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _fields(*sides: str) -> dict[str, Any]:
    return {f"{side}_{name}": _field(side, name) for side in sides for name in _NAMES}


_Bounded: Any = create_model("_Bounded", __base__=_Forbidding, **_fields("min", "max"))
_Tunable: Any = create_model("_Tunable", __base__=_Bounded, **_fields("target"))


class SongsParameters(_Bounded):
    query: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="Words of title and artist; each may be the beginning of one."
    )
    genre: Annotated[str, StringConstraints(max_length=64)] | None = Field(None, description="A genre by its name.")
    limit: int = Field(20, ge=1, le=MAX_LIMIT)
    cursor: str | None = Field(None, max_length=256, description="`next_cursor` of the page before.")


class RecommendationParameters(_Tunable):
    limit: int = Field(20, ge=1, le=MAX_LIMIT)
    strategy: Strategy = Strategy.HYBRID
    mood: str | None = Field(None, max_length=32, description="One of GET /api/v1/moods.")
    seed_song_ids: list[ObjectIdText] = Field(
        default_factory=list, max_length=50, description="More like these songs; repeat the parameter."
    )
    genres: list[Annotated[str, StringConstraints(max_length=64)]] = Field(
        default_factory=list, max_length=50, description="Any of these genres; repeat the parameter."
    )
    exclude_song_ids: list[ObjectIdText] = Field(
        default_factory=list, max_length=1_000, description="Never these songs; repeat the parameter."
    )
    explicit: bool | None = Field(None, description="false leaves explicit songs out, true leaves only them.")
    diversity: float = Field(0.2, ge=0, le=1, description="0 by score alone, 1 as unlike one another as can be.")


def to_query(parameters: Any) -> RecommendationQuery:
    """The query that ``min_x``, ``max_x``, ``target_x`` and the other parameters spell."""
    given = parameters.model_dump(exclude_unset=True, exclude_none=True)
    values: dict[str, Any] = {name: given[name] for name in RecommendationQuery.model_fields if name in given}
    for name, value in given.items():
        side, _, feature = name.partition("_")
        if side in SIDES and feature in _NAMES:
            values.setdefault(SIDES[side], {})[feature] = value
    return RecommendationQuery.model_validate(values)
