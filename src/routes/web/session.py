"""The player's log-in: the access token in the page's memory, the refresh token in a cookie no script can read.

A cookie is sent by the browser whoever asks, so each of these routes takes only what the player's own page sends:
a header that no form and no other site can add, from the same origin (OWASP, "Cross-Site Request Forgery
Prevention"). The public API reads no cookie at all and needs none of this.
"""

from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Cookie, Depends, Header, Request, Response

from src.controllers import accounts
from src.models.errors import ForbiddenError, UnauthenticatedError
from src.models.users import RefreshRequest, SessionCreate, SessionRead, TokenPair
from src.routes.access import Anyone, RuntimeDep
from src.services.runtime import Runtime

router = APIRouter(prefix="/session", dependencies=[Anyone])

COOKIE: Final = "madhur_refresh"
PATH: Final = "/session"

CookieToken = Annotated[str | None, Cookie(alias=COOKIE)]


async def from_the_player(
    request: Request,
    x_madhur_player: Annotated[str | None, Header()] = None,
    sec_fetch_site: Annotated[str | None, Header()] = None,
    origin: Annotated[str | None, Header()] = None,
) -> None:
    """Refuse a request that another site may have caused.

    ``Sec-Fetch-Site`` is the browser's own verdict and survives a proxy, but is sent only to https and
    localhost; elsewhere the origin must be the host that was asked.

    Raises:
        ForbiddenError: the header is missing, or the origin is not this one.
    """
    if sec_fetch_site is not None:
        same = sec_fetch_site == "same-origin"
    else:
        same = origin is not None and urlsplit(origin).netloc == request.headers.get("host")
    if x_madhur_player != "1" or not same:
        raise ForbiddenError("Only the player's own page may do this; other clients use /api/v1/auth.")


FromThePlayer: Final = Depends(from_the_player)


@router.post("/login", dependencies=[FromThePlayer])
async def log_in(runtime: RuntimeDep, request: Request, body: SessionCreate, response: Response) -> SessionRead:
    """Log in: an access token in the answer, a refresh token in the cookie."""
    pair = await accounts.log_in(runtime, body.username, body.password.get_secret_value())
    return _session(runtime, request, response, pair)


@router.post("/refresh", dependencies=[FromThePlayer])
async def refresh(runtime: RuntimeDep, request: Request, response: Response, token: CookieToken = None) -> SessionRead:
    """A new access token for the cookie, which is replaced: each works once.

    Raises:
        UnauthenticatedError: there is no cookie, or its log-in has ended.
    """
    if not token:
        raise UnauthenticatedError("You are not logged in.")
    pair = await accounts.refresh(runtime, RefreshRequest(refresh_token=token))
    return _session(runtime, request, response, pair)


@router.post("/logout", status_code=204, dependencies=[FromThePlayer])
async def log_out(runtime: RuntimeDep, response: Response, token: CookieToken = None) -> None:
    """End the log-in and take the cookie back."""
    if token:
        await accounts.log_out(runtime, RefreshRequest(refresh_token=token))
    response.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="strict")


def _session(runtime: Runtime, request: Request, response: Response, pair: TokenPair) -> SessionRead:
    # Behind a proxy that ends TLS our own scheme is http; the origin is what the browser sees.
    secure = request.headers.get("origin", str(request.base_url)).startswith("https:")
    response.set_cookie(
        COOKIE,
        pair.refresh_token,
        max_age=int(runtime.tokens.refresh_life.total_seconds()),
        path=PATH,
        secure=secure,
        httponly=True,
        samesite="strict",
    )
    response.headers["Cache-Control"] = "no-store"
    return SessionRead(access_token=pair.access_token, expires_in=pair.expires_in)
