"""Where the present request comes from: for limits, the list of sessions and the audit log.

A context variable, as the request's id in the log is one: what is needed deep inside on every path in, and
decides nothing about who the caller is.
"""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

MAX_DEVICE: Final = 200


@dataclass(frozen=True, slots=True)
class Origin:
    """Network address of the client (of the proxy when that is not trusted), and its ``User-Agent``."""

    address: str = ""
    device: str = ""


origin: ContextVar[Origin] = ContextVar("origin", default=Origin())  # noqa: B039 - immutable
