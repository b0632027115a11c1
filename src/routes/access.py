"""Who may call a route. Every route declares exactly one of these policies."""

from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from src.controllers.caller import Caller, identify, require_admin
from src.models.errors import UnauthenticatedError
from src.services.runtime import Runtime

_bearer: Final = OAuth2PasswordBearer(tokenUrl="/api/v1/auth/token", auto_error=False)


def get_runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


RuntimeDep = Annotated[Runtime, Depends(get_runtime)]


async def anyone() -> None:
    """Policy: no log-in needed."""


async def listener(runtime: RuntimeDep, token: Annotated[str | None, Depends(_bearer)]) -> Caller:
    """Policy: a logged-in listener, who sees and changes only what is theirs."""
    if token is None:
        raise UnauthenticatedError("Log in first: POST /api/v1/auth/token, then send its access_token as Bearer.")
    return identify(runtime, token)


async def admin(caller: Annotated[Caller, Depends(listener)]) -> Caller:
    """Policy: an administrator."""
    return await require_admin(caller)


POLICIES: Final = (anyone, listener, admin)

ListenerDep = Annotated[Caller, Depends(listener)]
AdminDep = Annotated[Caller, Depends(admin)]
Anyone: Final = Depends(anyone)
