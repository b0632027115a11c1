"""Structured logs: lines for people while developing, one JSON object a line in production."""

import logging
import sys
from typing import Any

import structlog

from src.config.settings import Environment, Settings

SECRET_WORDS = ("password", "secret", "token", "authorization", "cookie")


def configure_logging(settings: Settings) -> None:
    """Send structlog's and the libraries' records through one pipeline that never shows a secret."""
    as_json = settings.log_json
    if as_json is None:
        as_json = settings.environment is Environment.PRODUCTION
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_secrets,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    # Our own access line carries the request id and the route; theirs would say it twice.
    logging.getLogger("uvicorn.access").disabled = True
    for noisy in ("pymongo", "asyncio", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _hide_secrets(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    for key in event:
        if any(word in key.lower() for word in SECRET_WORDS):
            event[key] = "[hidden]"
    return event
