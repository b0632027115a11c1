"""When something happened, as files write it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

_MILLISECONDS_FROM: Final = 100_000_000_000
"""A larger number counts milliseconds: as seconds it would be after the year 5138."""


def moment(value: Any, *, earliest: datetime, latest: datetime) -> datetime | None:
    """A point in time, in UTC, from ISO 8601 text or a Unix time in seconds or milliseconds.

    Without a time zone it is taken as UTC. Unix time 0 is what players without a clock write: not known.

    Args:
        earliest, latest: bounds of what can have happened.

    Raises:
        ValueError: it is none of these, or out of bounds.
    """
    found = _parsed(value)
    if found is None:
        return None
    found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    if found.timestamp() == 0:
        return None
    if found < earliest:
        raise ValueError(f"{value} is before {earliest.year}")
    if found > latest:
        raise ValueError(f"{value} is in the future")
    return found.replace(microsecond=found.microsecond // 1000 * 1000)  # as precise as BSON stores it


def _parsed(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    written = str(value).strip()
    if not written or written.lower() == "nan":
        return None
    try:
        seconds = float(written)
    except ValueError:
        pass
    else:
        if len(written) != 8 or not written.isdigit():  # eight digits are an ISO 8601 basic date
            return _from_unix(seconds, written)
    try:
        return datetime.fromisoformat(written)
    except ValueError:
        raise ValueError(f"{written!r} is neither an ISO 8601 time nor a Unix time") from None


def _from_unix(seconds: float, written: str) -> datetime:
    if abs(seconds) >= _MILLISECONDS_FROM:
        seconds /= 1000
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    except OverflowError:
        raise ValueError(f"{written!r} is not a Unix time in seconds or milliseconds") from None
