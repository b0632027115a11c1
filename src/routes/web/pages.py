"""``/`` and ``/static/player/``: the page and what it is made of."""

from typing import Annotated, Final

from fastapi import APIRouter, Header, Response

from src.models.errors import NotFoundError
from src.routes.access import Anyone
from src.routes.web.assets import Asset, read_assets

router = APIRouter()

ASSETS: Final = read_assets()
ETAG: Final = f'"{ASSETS.digest}"'

CONTENT_SECURITY_POLICY: Final = "; ".join(
    [
        "default-src 'self'",
        # Art and previews are wherever the catalogue says they are.
        "img-src 'self' https:",
        "media-src 'self' https:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        # No text ever becomes markup: the browser refuses innerHTML and its kin altogether.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
PAGE_HEADERS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",
    "ETag": ETAG,
}
FOR_EVER: Final = "public, max-age=31536000, immutable"

Accepted = Annotated[str, Header()]


@router.get("/", dependencies=[Anyone])
async def page(accept_encoding: Accepted = "", if_none_match: Annotated[str | None, Header()] = None) -> Response:
    """The player."""
    if if_none_match is not None and ETAG in if_none_match:
        return Response(status_code=304, headers=PAGE_HEADERS)
    return _answer(ASSETS.page, PAGE_HEADERS, accept_encoding)


@router.get("/static/player/{digest}/{path:path}", dependencies=[Anyone])
async def asset(digest: str, path: str, accept_encoding: Accepted = "") -> Response:
    """A script, style sheet or picture of the player.

    Raises:
        NotFoundError: there is none, or it belongs to another version of the player.
    """
    found = ASSETS.files.get(path) if digest == ASSETS.digest else None
    if found is None:
        raise NotFoundError("This version of the player has no such file; load the page again.")
    return _answer(found, {"Cache-Control": FOR_EVER}, accept_encoding)


def _answer(asset: Asset, headers: dict[str, str], accept_encoding: str) -> Response:
    headers = headers | {"Vary": "Accept-Encoding"}
    if "gzip" in accept_encoding:
        return Response(asset.gzipped, headers=headers | {"Content-Encoding": "gzip"}, media_type=asset.media_type)
    return Response(asset.body, headers=headers, media_type=asset.media_type)
