"""Errors of the native API as RFC 9457 problem details."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from pymongo.errors import ConnectionFailure, ServerSelectionTimeoutError
from starlette.exceptions import HTTPException

from src.models.errors import MadhurError, NotFoundError

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"


class Problem(BaseModel):
    """RFC 9457 problem details."""

    type: str = Field(description="Stable identifier of the kind of problem.")
    title: str
    status: int
    detail: str = Field(description="What is wrong, where, and how to mend it.")
    code: str = Field(description="The kind of problem as one word, for programs.")
    request_id: str | None = None
    errors: list[dict[str, Any]] | None = Field(None, description="Each fault with its place, for 422.")


def problem_response(
    request: Request, status: int, code: str, title: str, detail: str, headers: dict[str, str], **more: Any
) -> Response:
    body = {
        "type": f"urn:madhur:problem:{code.replace('_', '-')}",
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": getattr(request.state, "request_id", None),
        **more,
    }
    return Response(orjson.dumps(body, default=str), status, headers, MEDIA_TYPE)


async def _domain(request: Request, error: Exception) -> Response:
    assert isinstance(error, MadhurError)
    return problem_response(
        request, error.status, error.code, error.title, error.detail, error.headers, **error.extensions
    )


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        {"loc": list(fault["loc"]), "msg": fault["msg"].removeprefix("Value error, "), "type": fault["type"]}
        for fault in error.errors()
    ]
    where = ".".join(str(part) for part in faults[0]["loc"]) if faults else "request"
    detail = f"{where}: {faults[0]['msg']}" if faults else "The request is not valid."
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return problem_response(request, 422, "invalid_request", "Invalid request", detail + more, {}, errors=faults)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        code, title = NotFoundError.code, NotFoundError.title
        detail = f"There is nothing at {request.url.path}; /docs lists every address."
    elif error.status_code == 401:
        code, title, detail = "unauthenticated", "Not logged in", str(error.detail)
    else:
        code, title, detail = "http_error", str(error.detail), str(error.detail)
    return problem_response(request, error.status_code, code, title, detail, dict(error.headers or {}))


async def _database_away(request: Request, error: Exception) -> Response:
    log.error("database does not answer", error=str(error))
    detail = "The database does not answer; try again in a moment."
    return problem_response(request, 503, "unavailable", "Temporarily unavailable", detail, {"Retry-After": "2"})


async def _unforeseen(request: Request, error: Exception) -> Response:
    # Called outside the request's envelope, which names it in the log and in the answer; so do both here. The
    # server logs the traceback beside it.
    request_id = getattr(request.state, "request_id", "")
    log.error("unforeseen error", kind=type(error).__name__, request_id=request_id)
    detail = "Something went wrong on our side; the log has it under this request_id."
    headers = {"X-Request-ID": request_id}
    return problem_response(request, 500, "internal_error", "Internal error", detail, headers)


Handler = Callable[[Request, Exception], Awaitable[Response]]

_HANDLERS: Final[list[tuple[type[Exception], Handler]]] = [
    (MadhurError, _domain),
    (RequestValidationError, _validation),
    (HTTPException, _http),
    (ConnectionFailure, _database_away),
    (ServerSelectionTimeoutError, _database_away),
    (Exception, _unforeseen),
]


def install_problem_handlers(app: FastAPI) -> None:
    for kind, handler in _HANDLERS:
        app.add_exception_handler(kind, handler)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI entries for the problems a route may answer with; 429 any of them."""
    titles = {
        401: "Not logged in",
        403: "Not allowed",
        404: "Not found",
        409: "Already exists",
        413: "Request body too large",
        422: "Invalid request",
        429: "Too many requests",
        503: "Temporarily unavailable",
    }
    return {
        # Not as `model`, which would promise application/json.
        status: {"description": titles[status], "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}}}
        for status in (*statuses, 429)
    }
