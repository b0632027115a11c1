"""Who may call a route. Every route declares exactly one of these policies, with the scope a token needs for it."""

from typing import Annotated, Final

from fastapi import Depends, Request, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

from src.controllers.caller import Caller, identify, require_admin, require_scopes
from src.models.errors import UnauthenticatedError
from src.models.tokens import Scope
from src.routes.proxies import subject_of
from src.services.runtime import Runtime

_bearer: Final = OAuth2PasswordBearer(
    tokenUrl="/api/v1/auth/token",
    auto_error=False,
    description="An access token, or a personal token with the scope named at the route.",
    scopes={
        Scope.LISTEN_WRITE.value: "Record interactions.",
        Scope.RECOMMEND_READ.value: "Read recommendations.",
        Scope.LIBRARY_READ.value: "Read history, taste and account.",
        Scope.ADMIN.value: "Administer, when the account may.",
    },
)

PROBES: Final = frozenset({"/healthz", "/readyz"})
"""Asked by machines at their own pace, from addresses that listeners may share: not counted."""

FILES: Final = "/static/"
"""The player's files: dozens at a first visit, from memory, for everybody behind an address: not counted."""


def get_runtime(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


RuntimeDep = Annotated[Runtime, Depends(get_runtime)]


async def anyone(request: Request, runtime: RuntimeDep) -> None:
    """Policy: no log-in needed."""
    path = request.scope["path"]
    if path not in PROBES and not path.startswith(FILES):
        await _count(request, runtime, _address(request))


async def listener(
    request: Request,
    runtime: RuntimeDep,
    scopes: SecurityScopes,
    token: Annotated[str | None, Depends(_bearer)],
) -> Caller:
    """Policy: a logged-in listener, who sees and changes only what is theirs.

    A personal token needs every scope the route names; a route that names none wants a log-in.
    """
    try:
        if token is None:
            raise UnauthenticatedError("Log in first: POST /api/v1/auth/token, then send its access_token as Bearer.")
        caller = await identify(runtime, token)
    except UnauthenticatedError:
        await _count(request, runtime, _address(request))
        raise
    await _count(request, runtime, str(caller.user_id))
    require_scopes(caller, scopes.scopes)
    return caller


async def admin(caller: Annotated[Caller, Depends(listener)]) -> Caller:
    """Policy: an administrator."""
    return await require_admin(caller)


async def _count(request: Request, runtime: Runtime, who: str) -> None:
    request.scope["state"]["standing"] = await runtime.limits.count_request(who)


def _address(request: Request) -> str:
    return subject_of(request.client.host if request.client else "")


POLICIES: Final = (anyone, listener, admin)

ListenerDep = Annotated[Caller, Security(listener)]
ListensDep = Annotated[Caller, Security(listener, scopes=[Scope.LISTEN_WRITE.value])]
RecommendsDep = Annotated[Caller, Security(listener, scopes=[Scope.RECOMMEND_READ.value])]
LibraryDep = Annotated[Caller, Security(listener, scopes=[Scope.LIBRARY_READ.value])]
AdminDep = Annotated[Caller, Security(admin, scopes=[Scope.ADMIN.value])]
Anyone: Final = Depends(anyone)
