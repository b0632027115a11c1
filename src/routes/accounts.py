"""Accounts: register, log in, refresh, log out, who am I."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from fastapi.security import OAuth2PasswordRequestForm

from src.controllers import accounts
from src.models.users import RefreshRequest, TokenPair, UserCreate, UserRead
from src.routes.access import Anyone, ListenerDep, RuntimeDep
from src.routes.problems import responses

router = APIRouter(prefix="/api/v1", tags=["accounts"])


@router.post("/auth/register", status_code=201, dependencies=[Anyone], responses=responses(409, 422))
async def register(body: UserCreate) -> UserRead:
    """Create an account."""
    return await accounts.register(body)


@router.post("/auth/token", dependencies=[Anyone], responses=responses(401, 422))
async def log_in(
    runtime: RuntimeDep, form: Annotated[OAuth2PasswordRequestForm, Depends()], response: Response
) -> TokenPair:
    """Log in with user name (or address) and password, as an OAuth 2 password form."""
    response.headers["Cache-Control"] = "no-store"
    return await accounts.log_in(runtime, form.username, form.password)


@router.post("/auth/refresh", dependencies=[Anyone], responses=responses(401, 422))
async def refresh(runtime: RuntimeDep, body: RefreshRequest, response: Response) -> TokenPair:
    """Exchange a refresh token for a new pair. Each works once; a second use ends that log-in everywhere."""
    response.headers["Cache-Control"] = "no-store"
    return await accounts.refresh(runtime, body)


@router.post("/auth/logout", status_code=204, dependencies=[Anyone], responses=responses(422))
async def log_out(runtime: RuntimeDep, body: RefreshRequest) -> None:
    """End the log-in that a refresh token belongs to."""
    await accounts.log_out(runtime, body)


@router.get("/users/me", responses=responses(401))
async def me(caller: ListenerDep) -> UserRead:
    """The account that is logged in."""
    return await accounts.me(caller)
