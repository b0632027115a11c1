"""The one exception tree. Services raise these; each protocol has one renderer for them.

A subclass fixes the HTTP status and a stable machine-readable ``code``; an instance carries the
sentence a person reads: what is wrong, where, and how to mend it.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from src.config.errors import OperatorError as OperatorError


class MadhurError(Exception):
    """Base of every error a client is meant to see. ``detail`` is safe to show to anybody."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong on our side"

    def __init__(self, detail: str, *, headers: dict[str, str] | None = None, **extensions: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.headers = headers or {}
        self.extensions = extensions


class NotFoundError(MadhurError):
    status, code, title = 404, "not_found", "Not found"


class ConflictError(MadhurError):
    status, code, title = 409, "conflict", "Already exists"


class UnauthenticatedError(MadhurError):
    """No valid credentials. The answer never says which part of them was wrong."""

    status, code, title = 401, "unauthenticated", "Not logged in"

    def __init__(self, detail: str = "Log in: the request carries no valid access token.") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": "Bearer"})


class ForbiddenError(MadhurError):
    status, code, title = 403, "forbidden", "Not allowed"


class TooManyRequestsError(MadhurError):
    """A limit was reached; ``Retry-After`` says for how many seconds."""

    status, code, title = 429, "too_many_requests", "Too many requests"

    def __init__(self, detail: str, *, retry_after: int) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class UnavailableError(MadhurError):
    status, code, title = 503, "unavailable", "Temporarily unavailable"


class PayloadTooLargeError(MadhurError):
    status, code, title = 413, "payload_too_large", "Request body too large"


class InvalidRequestError(MadhurError):
    """The request is well-formed but a value in it cannot be used.

    Args:
        errors: one entry per fault, each ``{"loc": [...], "msg": str, "type": str}``, the shape
            FastAPI uses for its own validation errors.
    """

    status, code, title = 422, "invalid_request", "Invalid request"

    def __init__(self, detail: str, *, errors: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(detail, errors=list(errors))

    @classmethod
    def at(cls, loc: Sequence[str | int], msg: str, kind: str = "value_error") -> "InvalidRequestError":
        """One fault at one place."""
        where = ".".join(str(part) for part in loc)
        return cls(f"{where}: {msg}", errors=[{"loc": list(loc), "msg": msg, "type": kind}])
