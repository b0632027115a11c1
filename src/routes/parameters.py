"""Query parameters that several routes share."""

from typing import Annotated, Any, Final, get_origin

from fastapi import Depends, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, create_model

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


def query_of(model: type[BaseModel]) -> Any:
    """A dependency that reads ``model`` from the query string.

    FastAPI's own reading looks each of fifty parameters up one by one on every request, which costs a
    tenth of a recommendation; here only what was sent is looked at. The OpenAPI text comes from ``openapi_of``.
    """
    lists = {name for name, field in model.model_fields.items() if get_origin(field.annotation) is list}

    async def read(request: Request) -> BaseModel:  # async: a plain function would be run in a thread
        values: dict[str, Any] = {}
        for name, value in request.query_params.multi_items():
            if name in lists:
                values.setdefault(name, []).append(value)
            else:
                values[name] = value
        try:
            return model.model_validate(values)
        except ValidationError as error:
            faults = [{**fault, "loc": ("query", *fault["loc"])} for fault in error.errors()]
            raise RequestValidationError(faults) from None

    return Depends(read)


def openapi_of(model: type[BaseModel]) -> dict[str, Any]:
    """The parameters of ``model`` for a route's ``openapi_extra``."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    known = schema.get("$defs", {})
    parameters = []
    for name, facts in schema["properties"].items():
        facts = dict(facts)
        reference = facts.pop("$ref", None)
        if reference is not None:
            facts = {**known[reference.rpartition("/")[2]], **facts}
        description = facts.pop("description", "")
        parameters.append({"name": name, "in": "query", "required": False, "description": description, "schema": facts})
    return {"parameters": parameters}


def to_query(parameters: Any) -> RecommendationQuery:
    """The query that ``min_x``, ``max_x``, ``target_x`` and the other parameters spell."""
    given = parameters.model_dump(exclude_unset=True, exclude_none=True)
    values: dict[str, Any] = {name: given[name] for name in RecommendationQuery.model_fields if name in given}
    for name, value in given.items():
        side, _, feature = name.partition("_")
        if side in SIDES and feature in _NAMES:
            values.setdefault(SIDES[side], {})[feature] = value
    return RecommendationQuery.model_validate(values)
