"""The catalogue: songs, genres, moods."""

from typing import Annotated, Any

from fastapi import APIRouter, Response

from src.controllers import catalogue
from src.models.pages import Page
from src.models.recommendations import GenreRead, MoodRead, RecommendationRead
from src.models.songs import SongCreate, SongPatch, SongRead
from src.routes.access import AdminDep, Anyone, RuntimeDep
from src.routes.parameters import Limit, SongId, SongsParameters, openapi_of, query_of, to_query
from src.routes.problems import responses

router = APIRouter(prefix="/api/v1", tags=["songs"])


@router.get(
    "/songs",
    dependencies=[Anyone],
    response_model=Page[SongRead],
    responses=responses(422),
    openapi_extra=openapi_of(SongsParameters),
)
async def list_songs(
    runtime: RuntimeDep, parameters: Annotated[SongsParameters, query_of(SongsParameters)]
) -> Response:
    """Search and filter the catalogue; the best match and the most popular first."""
    page = catalogue.list_songs(runtime, parameters.query, parameters.genre, to_query(parameters), parameters.cursor)
    return Response(page, media_type="application/json")


@router.get("/songs/{song_id}", dependencies=[Anyone], response_model=SongRead, responses=responses(404, 422))
async def get_song(song_id: SongId) -> dict[str, Any]:
    """One song."""
    return await catalogue.get_song(song_id)


@router.get(
    "/songs/{song_id}/similar",
    dependencies=[Anyone],
    response_model=Page[RecommendationRead],
    responses=responses(404, 422),
)
async def similar_songs(runtime: RuntimeDep, song_id: SongId, limit: Limit = 20) -> Response:
    """Songs like this one, by sound, artist, genre, and by who listens to both."""
    return Response(catalogue.similar(runtime, song_id, limit), media_type="application/json")


@router.post("/songs", status_code=201, response_model=SongRead, responses=responses(401, 403, 409, 422))
async def create_song(runtime: RuntimeDep, caller: AdminDep, body: SongCreate) -> dict[str, Any]:
    """Add a song. It can be found and recommended at once."""
    return await catalogue.create_song(runtime, caller, body)


@router.patch("/songs/{song_id}", response_model=SongRead, responses=responses(401, 403, 404, 409, 422))
async def patch_song(runtime: RuntimeDep, caller: AdminDep, song_id: SongId, body: SongPatch) -> dict[str, Any]:
    """Change the facts that the body names; imports never overwrite them again."""
    return await catalogue.patch_song(runtime, caller, song_id, body)


@router.delete("/songs/{song_id}", status_code=204, responses=responses(401, 403, 404, 422))
async def delete_song(runtime: RuntimeDep, caller: AdminDep, song_id: SongId) -> None:
    """Take a song out of the catalogue."""
    await catalogue.delete_song(runtime, caller, song_id)


@router.get("/genres", dependencies=[Anyone])
async def list_genres(runtime: RuntimeDep) -> Page[GenreRead]:
    """Every genre, the most frequent first."""
    return Page[GenreRead].model_validate(catalogue.list_genres(runtime))


@router.get("/moods", dependencies=[Anyone])
async def list_moods(runtime: RuntimeDep) -> Page[MoodRead]:
    """The moods with their rules: trapezoids over audio features."""
    return Page[MoodRead].model_validate(catalogue.list_moods(runtime))
