"""What happens around every request: its id, origin, log line, metrics and headers, and the limit on its body."""

import re
import secrets
import time
from collections.abc import Iterator, Mapping, Set
from typing import Any, Final

import orjson
import structlog
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from prometheus_client import Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from src.config.settings import Settings
from src.models.errors import PayloadTooLargeError
from src.routes.proxies import TrustedProxies
from src.services.limits import Standing
from src.services.origin import MAX_DEVICE, Origin, origin

log = structlog.get_logger("madhur.access")

_REQUEST_ID: Final = re.compile(rb"^[0-9A-Za-z._-]{1,64}$")

_HEADERS: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
_HSTS: Final = (b"strict-transport-security", b"max-age=31536000")
# An answer of the API is data: nothing in it may ever run, load or be framed.
_API_POLICY: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_NO_STORE: Final = (b"cache-control", b"no-store")

_requests = Counter("madhur_requests_total", "Requests answered", ["method", "route", "status"])
_seconds = Histogram(
    "madhur_request_seconds",
    "Time to answer",
    ["route"],
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)


class _TooLargeError(Exception):
    pass


class RequestEnvelope:
    """Gives a request an id (or keeps the caller's), bounds its body, logs and counts its answer."""

    def __init__(self, app: ASGIApp, max_body_bytes: int, proxies: TrustedProxies) -> None:
        self._app = app
        self._max_body_bytes = max_body_bytes
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given.decode() if _REQUEST_ID.match(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = request_id
        address = self._proxies.apply(scope, headers)
        origin.set(Origin(address, headers.get(b"user-agent", b"").decode("latin-1")[:MAX_DEVICE]))
        status = 0
        received = 0
        too_large = False

        async def limited() -> Message:
            nonlocal received, too_large
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_body_bytes:
                too_large = True
                raise _TooLargeError
            return message

        async def stamped(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                if too_large:  # whoever read the body made an answer of their own of our error
                    raise _TooLargeError
                status = message["status"]
                sent = message.get("headers", [])
                message["headers"] = [
                    *sent,
                    (b"x-request-id", request_id.encode()),
                    *_HEADERS,
                    *_more_headers(scope, headers, {name for name, _ in sent}),
                ]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                length = headers.get(b"content-length", b"0")
                if length.isdigit() and int(length) > self._max_body_bytes:
                    raise _TooLargeError
                await self._app(scope, limited, stamped)
            except _TooLargeError:
                if status:
                    raise
                too_large = False
                await _refuse(self._max_body_bytes, request_id, stamped)
            finally:
                _account(scope, status or 500, time.perf_counter() - started)


def _more_headers(scope: Scope, asked: Mapping[bytes, bytes], sent: Set[bytes]) -> Iterator[tuple[bytes, bytes]]:
    if scope["scheme"] == "https":
        yield _HSTS
    if scope["path"].startswith("/api/"):
        yield _API_POLICY
        if b"authorization" in asked and b"cache-control" not in sent:
            yield _NO_STORE
    standing: Standing | None = scope["state"].get("standing")
    if standing is not None:
        yield b"ratelimit-policy", b'"requests";q=%d;w=%d' % (standing.limit, standing.window)
        yield b"ratelimit", b'"requests";r=%d;t=%d' % (standing.remaining, standing.reset)


def _account(scope: Scope, status: int, seconds: float) -> None:
    # The route's pattern, not the path: an id in a label would make a metric per song.
    route = getattr(scope.get("route"), "path", "unmatched")
    _requests.labels(scope["method"], route, status).inc()
    _seconds.labels(route).observe(seconds)
    log.info("request", method=scope["method"], path=scope["path"], status=status, ms=round(seconds * 1000, 1))


async def _refuse(limit: int, request_id: str, send: Send) -> None:
    error = PayloadTooLargeError(f"The body is larger than {limit:,} bytes; send it in parts.")
    body: dict[str, Any] = {
        "type": "urn:madhur:problem:payload-too-large",
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id,
    }
    headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": error.status, "headers": headers})
    await send({"type": "http.response.body", "body": orjson.dumps(body)})


def install_middleware(app: FastAPI, settings: Settings) -> None:
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "X-Request-ID"],
            expose_headers=["X-Request-ID", "RateLimit", "RateLimit-Policy", "Retry-After"],
        )
    proxies = TrustedProxies(settings.trusted_proxies)
    app.add_middleware(RequestEnvelope, max_body_bytes=settings.max_body_bytes, proxies=proxies)
