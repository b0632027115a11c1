"""The application: lifespan, routers, error renderers."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI

from src.config.allocator import keep_freed_memory
from src.config.logging import configure_logging
from src.config.settings import Settings
from src.routes import accounts, administration, listening, logins, operations, songs, web
from src.routes.middleware import install_middleware
from src.routes.problems import install_problem_handlers
from src.services.runtime import open_runtime

_ROUTERS = (
    accounts.router,
    logins.router,
    listening.router,
    songs.router,
    operations.router,
    administration.router,
    web.router,
)

DESCRIPTION = """\
What should this listener hear next, in this mood, and why.

Log in with **Authorize** (register first), like a few songs with `POST /api/v1/interactions`, then ask
`GET /api/v1/recommendations`. Errors are RFC 9457 problem details; lists are `{items, next_cursor}`.
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service as an ASGI application; its lifespan opens and closes the database."""
    chosen = settings or Settings()
    configure_logging(chosen)
    keep_freed_memory()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_runtime(chosen) as runtime:
            app.state.runtime = runtime
            yield

    app = FastAPI(
        title="Madhur",
        summary="Self-hosted music recommendations",
        description=DESCRIPTION,
        version=version("madhur"),
        lifespan=lifespan,
        swagger_ui_parameters={"persistAuthorization": True, "displayRequestDuration": True},
    )
    install_problem_handlers(app)
    install_middleware(app, chosen)
    for router in _ROUTERS:
        app.include_router(router)
    return app
