"""From a row of a file of interactions to one event."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from src.models.errors import OperatorError
from src.models.interactions import Kind
from src.services.importing import values
from src.services.importing.layouts import find_column
from src.services.importing.moments import moment
from src.services.importing.readers import Record
from src.services.importing.references import song_reference, username
from src.services.importing.rows import RowError
from src.services.interactions import EARLIEST, MAX_AHEAD

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "user": ("user", "user_id", "userid", "username", "user_name", "listener", "listener_id"),
    "song": (
        "song",
        "song_id",
        "track_id",
        "track",
        "item",
        "item_id",
        "track_uri",
        "spotify_track_uri",
        "spotify_id",
        "isrc",
        "recording_mbid",
        "mbid",
        "import_key",
    ),
    "kind": ("kind", "event", "event_type", "action", "type"),
    "count": ("count", "plays", "play_count", "playcount", "listens"),
    "time": ("time", "timestamp", "occurred_at", "ts", "uts", "listened_at", "played_at", "date"),
    "ms_played": ("ms_played", "msplayed", "played_ms"),
}
"""By field, the columns it is looked for in, in this order; ``--map`` names another."""


class Event(NamedTuple):
    """One valid row. ``at`` is None when the file does not say when."""

    line: int
    user: str
    song: tuple[str, str]
    kind: Kind
    times: int
    at: datetime | None
    ms_played: int | None


def bind_columns(source: object, columns: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """The column of each field that the file has.

    Raises:
        OperatorError: there is none for the user or the song, or a mapped column is not there.
    """
    present = {name.strip().casefold(): name for name in columns}
    bound = {
        name: present[known]
        for name, candidates in COLUMNS.items()
        if (known := next((column for column in candidates if column in present), None))
    }
    bound |= {name: find_column(source, column, columns) for name, column in mapping.items()}
    missing = [name for name in ("user", "song") if name not in bound]
    if missing:
        hint = " ".join(f"--map {name}=COLUMN" for name in missing)
        raise OperatorError(
            f"{source}: unknown layout. Columns found: {', '.join(columns)}. "
            f"Missing: {' and '.join(missing)}; say which column holds what: {hint}"
        )
    return bound


def event_of(record: Record, bound: Mapping[str, str], now: datetime) -> Event:
    """What a row says. Without a kind it is a play, without a count it happened once.

    Args:
        bound: from `bind_columns`.

    Raises:
        RowError: the row cannot be used; the message gives every reason.
    """
    if record.fault:
        raise RowError(record.fault)
    converters: dict[str, Callable[[Any], Any]] = {
        "user": username,
        "song": song_reference,
        "kind": _kind,
        "count": values.whole(1, 1_000_000_000),
        "time": lambda value: moment(value, earliest=EARLIEST, latest=now + MAX_AHEAD),
        "ms_played": values.rounded(0, 24 * 3600 * 1000),
    }
    found: dict[str, Any] = {}
    faults: dict[str, str] = {}
    for name, column in bound.items():
        value = record.values.get(column)
        if value is None or value == "":
            continue
        try:
            found[name] = converters[name](value)
        except ValueError as error:
            faults[name] = str(error)
    for name in ("user", "song"):
        if found.get(name) is None:
            faults.setdefault(name, "is missing")
    kind = found.get("kind", Kind.PLAY)
    times = found.get("count") or 1
    ms_played = found.get("ms_played")
    if times > 1 and kind is not Kind.PLAY:
        faults["count"] = f"goes with plays, not with {kind}"
    if ms_played is not None and kind not in (Kind.PLAY, Kind.SKIP):
        faults["ms_played"] = f"goes with play or skip, not with {kind}"
    if faults:
        raise RowError("; ".join(f"{name}: {reason}" for name, reason in faults.items()))
    return Event(record.line, found["user"], found["song"], kind, times, found.get("time"), ms_played)


def _kind(value: Any) -> Kind:
    try:
        return Kind(str(value).strip().lower())
    except ValueError:
        raise ValueError(f"{str(value)[:40]!r} is none of {', '.join(Kind)}") from None
