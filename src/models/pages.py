"""Lists: every one of them is ``{items, next_cursor}``, paged by an opaque keyset cursor."""

import base64
import binascii
from typing import Generic, TypeVar

from pydantic import BaseModel, Field

from src.models.errors import InvalidRequestError

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """One page of a list. Pass ``next_cursor`` back as ``cursor`` for the next; null means the end."""

    items: list[T]
    next_cursor: str | None = Field(None, description="Pass as `cursor` to read on; null at the end.")


def encode_cursor(*parts: str) -> str:
    return base64.urlsafe_b64encode("\x1f".join(parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, n_parts: int) -> list[str]:
    """The parts of a cursor this service gave out.

    Raises:
        InvalidRequestError: it is not one of ours.
    """
    try:
        text = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeError):
        text = ""
    parts = text.split("\x1f")
    if not text or len(parts) != n_parts:
        raise InvalidRequestError.at(
            ["query", "cursor"], "not a cursor of this list; pass next_cursor unchanged, or leave it out"
        )
    return parts
