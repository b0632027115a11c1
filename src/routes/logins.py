"""Where a listener is logged in, and their personal tokens."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from src.controllers import logins
from src.models.pages import Page
from src.models.tokens import ApiTokenCreate, ApiTokenCreated, ApiTokenRead, LoginRead
from src.routes.access import ListenerDep
from src.routes.problems import responses

router = APIRouter(prefix="/api/v1/users/me", tags=["accounts"])

Id = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$")]


@router.get("/sessions", responses=responses(401))
async def list_sessions(caller: ListenerDep) -> Page[LoginRead]:
    """The devices you are logged in on, the newest first."""
    return await logins.list_logins(caller)


@router.delete("/sessions", status_code=204, responses=responses(401))
async def end_all_sessions(caller: ListenerDep) -> None:
    """Log out everywhere. Access tokens already given out end by themselves, within minutes."""
    await logins.log_out_everywhere(caller)


@router.delete("/sessions/{session_id}", status_code=204, responses=responses(401, 404, 422))
async def end_session(caller: ListenerDep, session_id: Id) -> None:
    """Log one device out."""
    await logins.end_login(caller, session_id)


@router.post("/tokens", status_code=201, responses=responses(401, 403, 409, 422))
async def create_token(caller: ListenerDep, body: ApiTokenCreate, response: Response) -> ApiTokenCreated:
    """Make a personal token for a scrobbler or a script. It is shown this once; send it as Bearer."""
    response.headers["Cache-Control"] = "no-store"
    return await logins.create_token(caller, body)


@router.get("/tokens", responses=responses(401))
async def list_tokens(caller: ListenerDep) -> Page[ApiTokenRead]:
    """Your personal tokens, the newest first."""
    return await logins.list_tokens(caller)


@router.delete("/tokens/{token_id}", status_code=204, responses=responses(401, 404, 422))
async def revoke_token(caller: ListenerDep, token_id: Id) -> None:
    """Revoke a personal token."""
    await logins.revoke_token(caller, token_id)
