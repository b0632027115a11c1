"""Use cases of listeners: what they did, their taste, what to hear next."""

from src.controllers.caller import Caller
from src.models.audio import AudioFeatures
from src.models.interactions import (
    HistoryItem,
    InteractionBatch,
    InteractionBatchRead,
    InteractionCreate,
    InteractionRead,
    Kind,
    TasteRead,
)
from src.models.pages import Page
from src.models.recommendations import RecommendationQuery, SessionQuery
from src.services.history import read_history
from src.services.interactions import record
from src.services.recommendations import find_profile, recommend_to_listener, recommend_to_session
from src.services.runtime import Runtime
from src.services.taste import audio_mean
from src.services.tokens import now_utc


async def record_one(caller: Caller, body: InteractionCreate) -> InteractionRead:
    return (await record(caller.user_id, [body], now_utc(), batch=False))[0]


async def record_batch(caller: Caller, body: InteractionBatch) -> InteractionBatchRead:
    results = await record(caller.user_id, body.interactions, now_utc(), batch=True)
    replayed = sum(result.replayed for result in results)
    return InteractionBatchRead(stored=len(results) - replayed, replayed=replayed)


async def history(caller: Caller, kind: Kind | None, limit: int, cursor: str | None) -> Page[HistoryItem]:
    return await read_history(caller.user_id, kind=kind, limit=limit, cursor=cursor)


async def taste(caller: Caller) -> TasteRead:
    profile = await find_profile(caller.user_id) or {}
    mean = {name: round(value, 4) for name, value in audio_mean(profile).items()}
    return TasteRead(
        n_interactions=profile.get("n_interactions", 0),
        n_liked=len(profile.get("liked", [])),
        n_disliked=len(profile.get("banned", [])),
        audio_mean=AudioFeatures.model_validate(mean),
        updated_at=profile.get("updated_at"),
    )


async def recommendations(runtime: Runtime, caller: Caller, query: RecommendationQuery) -> bytes:
    profile = await find_profile(caller.user_id)
    return recommend_to_listener(runtime.holder.snapshot, profile, query, now_utc())


def session_recommendations(runtime: Runtime, query: SessionQuery) -> bytes:
    return recommend_to_session(runtime.holder.snapshot, query)
