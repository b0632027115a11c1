"""Accounts: register, log in, refresh, log out, who am I, and everything that is mine."""

from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, Response
from fastapi.responses import StreamingResponse
from fastapi.security import OAuth2PasswordRequestForm

from src.controllers import accounts
from src.models.errors import NotFoundError
from src.models.tokens import AccountDelete, PasswordChange, ResetConfirm, ResetRequest
from src.models.users import RefreshRequest, TokenPair, UserCreate, UserRead
from src.routes.access import Anyone, LibraryDep, ListenerDep, RuntimeDep
from src.routes.problems import responses

router = APIRouter(tags=["accounts"])


@router.post("/api/v1/auth/register", status_code=201, dependencies=[Anyone], responses=responses(409, 422))
async def register(runtime: RuntimeDep, body: UserCreate) -> UserRead:
    """Create an account."""
    return await accounts.register(runtime, body)


@router.post("/api/v1/auth/token", dependencies=[Anyone], responses=responses(401, 422))
async def log_in(
    runtime: RuntimeDep, form: Annotated[OAuth2PasswordRequestForm, Depends()], response: Response
) -> TokenPair:
    """Log in with user name (or address) and password, as an OAuth 2 password form."""
    response.headers["Cache-Control"] = "no-store"
    return await accounts.log_in(runtime, form.username, form.password)


@router.post("/api/v1/auth/refresh", dependencies=[Anyone], responses=responses(401, 422))
async def refresh(runtime: RuntimeDep, body: RefreshRequest, response: Response) -> TokenPair:
    """Exchange a refresh token for a new pair. Each works once.

    If the answer is lost, ask again with the same token within 10 seconds. Any other second use ends the log-in.
    """
    response.headers["Cache-Control"] = "no-store"
    return await accounts.refresh(runtime, body)


@router.post("/api/v1/auth/logout", status_code=204, dependencies=[Anyone], responses=responses(422))
async def log_out(runtime: RuntimeDep, body: RefreshRequest) -> None:
    """End the log-in that a refresh token belongs to."""
    await accounts.log_out(runtime, body)


@router.post("/api/v1/auth/password-reset", status_code=202, dependencies=[Anyone], responses=responses(422))
async def request_reset(runtime: RuntimeDep, body: ResetRequest, background: BackgroundTasks) -> dict[str, str]:
    """Have a token mailed with which to choose a new password. The answer is the same whoever asks for whom."""
    await accounts.count_reset(runtime)
    background.add_task(accounts.send_reset, runtime, body)
    return {"detail": "If there is such an account with an address, a mail is on its way to it."}


@router.post(
    "/api/v1/auth/password-reset/confirm", status_code=204, dependencies=[Anyone], responses=responses(401, 422)
)
async def confirm_reset(runtime: RuntimeDep, body: ResetConfirm) -> None:
    """Choose a new password with a mailed token. It logs out everywhere and revokes personal tokens."""
    await accounts.confirm_reset(runtime, body)


@router.get("/api/v1/users/me", responses=responses(401))
async def me(caller: LibraryDep) -> UserRead:
    """The account that is logged in."""
    return await accounts.me(caller)


@router.delete("/api/v1/users/me", status_code=204, responses=responses(401, 409, 422))
async def delete_me(runtime: RuntimeDep, caller: ListenerDep, body: AccountDelete) -> None:
    """Delete the account and everything of it, for good. Export it first: `GET /api/v1/users/me/export`."""
    await accounts.delete(runtime, caller, body)


@router.post("/api/v1/users/me/password", status_code=204, responses=responses(401, 422))
async def change_password(runtime: RuntimeDep, caller: ListenerDep, body: PasswordChange) -> None:
    """Change the password. It logs out everywhere."""
    await accounts.change_password(runtime, caller, body)


@router.get(
    "/api/v1/users/me/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {"schema": {"type": "string"}}}}, **responses(401)},
)
async def export_me(caller: ListenerDep) -> Response:
    """Everything stored about you, as JSON lines."""
    headers = {"Content-Disposition": 'attachment; filename="madhur-export.jsonl"'}
    return StreamingResponse(await accounts.export(caller), media_type="application/x-ndjson", headers=headers)


@router.get("/.well-known/jwks.json", dependencies=[Anyone], responses=responses(404))
async def jwks(runtime: RuntimeDep) -> dict[str, Any]:
    """The public keys of access tokens (RFC 7517), for services that verify them; 404 with a shared secret."""
    keys = runtime.tokens.keys.jwks()
    if keys is None:
        raise NotFoundError("Access tokens are signed with a shared secret; there are no public keys.")
    return keys
