"""Listeners: interactions, history, taste, recommendations."""

from typing import Annotated

from fastapi import APIRouter, Response

from src.controllers import listening
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
from src.models.recommendations import RecommendationsRead, SessionQuery
from src.routes.access import Anyone, LibraryDep, ListensDep, RecommendsDep, RuntimeDep
from src.routes.parameters import Cursor, Limit, RecommendationParameters, openapi_of, query_of, to_query
from src.routes.problems import responses

router = APIRouter(prefix="/api/v1")


@router.post("/interactions", status_code=201, tags=["listening"], responses=responses(401, 409, 422))
async def record(caller: ListensDep, body: InteractionCreate) -> InteractionRead:
    """Say what you did with a song. On 201 it is on disk, and the very next recommendation knows it.

    Sending an `event_id` again changes nothing and answers with what was stored.
    """
    return await listening.record_one(caller, body)


@router.post("/interactions/batch", status_code=201, tags=["listening"], responses=responses(401, 409, 422))
async def record_batch(caller: ListensDep, body: InteractionBatch) -> InteractionBatchRead:
    """Up to 1,000 interactions, all or none."""
    return await listening.record_batch(caller, body)


@router.get("/users/me/history", tags=["listening"], responses=responses(401, 422))
async def history(
    caller: LibraryDep, kind: Kind | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Page[HistoryItem]:
    """What you did, the latest first."""
    return await listening.history(caller, kind, limit, cursor)


@router.get("/users/me/taste", tags=["listening"], responses=responses(401))
async def taste(caller: LibraryDep) -> TasteRead:
    """What the service believes about your taste."""
    return await listening.taste(caller)


@router.get(
    "/recommendations",
    tags=["recommendations"],
    response_model=RecommendationsRead,
    responses=responses(401, 422),
    openapi_extra=openapi_of(RecommendationParameters),
)
async def recommendations(
    runtime: RuntimeDep,
    caller: RecommendsDep,
    parameters: Annotated[RecommendationParameters, query_of(RecommendationParameters)],
) -> Response:
    """What to hear next, and why."""
    answer = await listening.recommendations(runtime, caller, to_query(parameters))
    return Response(answer, media_type="application/json")


@router.post(
    "/recommendations/session",
    dependencies=[Anyone],
    tags=["recommendations"],
    response_model=RecommendationsRead,
    responses=responses(422),
)
async def session_recommendations(runtime: RuntimeDep, body: SessionQuery) -> Response:
    """The same for somebody without an account: a list of likes and skips in, nothing stored."""
    return Response(listening.session_recommendations(runtime, body), media_type="application/json")
