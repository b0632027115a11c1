"""The player: a web page for listeners, a client of the public API (docs/adr/0006)."""

from fastapi import APIRouter

from src.routes.web import pages, session

router = APIRouter(include_in_schema=False)
router.include_router(pages.router)
router.include_router(session.router)
