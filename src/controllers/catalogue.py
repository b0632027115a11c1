"""Use cases of songs, genres and moods."""

from typing import Any

import numpy as np
import orjson

from src.controllers.caller import Caller
from src.models.audit import Act
from src.models.errors import InvalidRequestError
from src.models.recommendations import RecommendationQuery
from src.models.songs import SongCreate, SongPatch
from src.services import songs
from src.services.audit import note
from src.services.recommendations import bounds_of
from src.services.recommender.moods import MOODS, Fit
from src.services.recommender.pipeline import MOOD_THRESHOLD
from src.services.runtime import Runtime
from src.services.similar import similar_songs
from src.services.tokens import now_utc


def list_songs(
    runtime: Runtime, query: str | None, genre: str | None, filters: RecommendationQuery, cursor: str | None
) -> bytes:
    items, more = songs.list_songs(
        runtime.holder.snapshot,
        query=query,
        genre=genre,
        bounds=bounds_of(filters),
        limit=filters.limit,
        cursor=cursor,
    )
    return orjson.dumps({"items": [orjson.Fragment(item) for item in items], "next_cursor": more})


async def get_song(song_id: str) -> dict[str, Any]:
    return await songs.get_song(song_id)


def similar(runtime: Runtime, song_id: str, limit: int) -> bytes:
    return similar_songs(runtime.holder.snapshot, song_id, limit)


async def create_song(runtime: Runtime, caller: Caller, body: SongCreate) -> dict[str, Any]:
    song = await songs.create_song(body, now_utc())
    await note(Act.SONG_CREATED, actor_id=caller.user_id, song=song["id"])
    await runtime.holder.refresh()
    return song


async def patch_song(runtime: Runtime, caller: Caller, song_id: str, body: SongPatch) -> dict[str, Any]:
    if not body.model_fields_set:
        raise InvalidRequestError("The body names no field to change.")
    song = await songs.patch_song(song_id, body, now_utc())
    await note(Act.SONG_CHANGED, actor_id=caller.user_id, song=song_id)
    await runtime.holder.refresh()
    return song


async def delete_song(runtime: Runtime, caller: Caller, song_id: str) -> None:
    await songs.delete_song(song_id)
    await note(Act.SONG_DELETED, actor_id=caller.user_id, song=song_id)
    await runtime.holder.refresh()


def list_genres(runtime: Runtime) -> dict[str, Any]:
    return {"items": songs.list_genres(runtime.holder.snapshot), "next_cursor": None}


def list_moods(runtime: Runtime) -> dict[str, Any]:
    bundle = runtime.holder.snapshot.bundle
    with np.errstate(invalid="ignore"):
        fitting = ((bundle.moods >= MOOD_THRESHOLD) & bundle.columns.active).sum(axis=1)
    items = [
        {
            "name": mood.name,
            "description": mood.description,
            "rule": [
                _fit(term)
                if isinstance(term, Fit)
                else {"mean_of": [_fit(fit) for fit in term.fits], "weight": term.weight}
                for term in mood.rule
            ],
            "n_songs": int(fitting[i]),
        }
        for i, mood in enumerate(MOODS)
    ]
    return {"items": items, "next_cursor": None}


def _fit(fit: Fit) -> dict[str, Any]:
    return {
        "feature": fit.feature,
        "low": _finite(fit.low),
        "full_from": _finite(fit.full_from),
        "full_to": _finite(fit.full_to),
        "high": _finite(fit.high),
        "weight": fit.weight,
    }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
