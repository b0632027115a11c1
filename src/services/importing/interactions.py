"""Importing what listeners did: plays, likes and skips, or total play counts."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from bson import ObjectId
from pymongo.errors import BulkWriteError

from src.config.database import DURABLE
from src.models.interactions import Interaction
from src.models.users import name_key
from src.services.catalogue.store import duplicate_faults
from src.services.importing.events import Event, bind_columns, event_of
from src.services.importing.readers import open_table
from src.services.importing.references import KnownSong, ListenerLookup, SongLookup
from src.services.importing.rejects import Rejects
from src.services.importing.rows import RowError
from src.services.taste import completion_of, rebuild_profiles

BATCH: Final = 1000


@dataclass(slots=True)
class InteractionReport:
    """What an import did. ``n_rows`` is the sum of ``n_stored``, ``n_known`` and ``n_rejected``.

    With ``dry_run`` the rows that would be sent to the database count as stored, and the accounts that
    would be created as created.
    """

    path: Path
    n_rows: int = 0
    n_stored: int = 0
    n_known: int = 0
    n_rejected: int = 0
    n_undated: int = 0
    n_listeners: int = 0
    n_created: int = 0
    first_rejects: list[tuple[int, str]] = field(default_factory=list)
    rejects_path: Path | None = None


def check_interactions(path: Path, mapping: Mapping[str, str], on_progress: Callable[[float], None]) -> None:
    """Read the whole file once without using it, so that a damaged one is refused before the first write.

    Raises:
        OperatorError: the file as a whole cannot be used.
    """
    with open_table(path) as table:
        bind_columns(path, table.columns, mapping)
        for count, _ in enumerate(table.records):
            if count % BATCH == 0:
                on_progress(table.progress())
    on_progress(1.0)


async def import_interactions(
    path: Path,
    mapping: Mapping[str, str],
    *,
    dry_run: bool,
    on_progress: Callable[[float], None],
    on_profile: Callable[[int, int], None],
) -> InteractionReport:
    """Store the interactions of a checked file, then compute the taste profiles of its listeners anew.

    Each row has an event id made of listener, song, kind, time and milliseconds played, so a row that
    was imported before is known and changes nothing, and an interrupted import is simply run again. A
    row without a time has none in its event id, and is stored as of the first import: repeats of such a
    row are one event (state ``count`` for totals).

    Args:
        mapping: columns by field, over those that `COLUMNS` finds.
        on_progress: called with the share of the file that is done, 0 to 1.
        on_profile: called with (done, total) listeners whose profile is computed.

    Raises:
        OperatorError: the file as a whole cannot be used.
    """
    report = InteractionReport(path)
    now = datetime.now(UTC)
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    songs, listeners = SongLookup(), ListenerLookup()
    missing: set[str] = set()
    with open_table(path) as table, Rejects(path, table.columns) as rejects:
        bound = bind_columns(path, table.columns, mapping)
        while records := list(islice(table.records, BATCH)):
            report.n_rows += len(records)
            events = []
            for record in records:
                try:
                    events.append(event_of(record, bound, now))
                except RowError as error:
                    rejects.add(record.line, str(error), record.values)
            known = await songs.find({event.song for event in events})
            found = [event for event in events if event.song in known]
            by_line = {record.line: record.values for record in records}
            for event in events:
                if event.song not in known:
                    reason = f"song: {event.song[1]!r} is not in the catalogue"
                    rejects.add(event.line, reason, by_line[event.line])
            if dry_run:
                missing.update(await listeners.find_missing(event.user for event in found))
                report.n_stored += len(found)
            else:
                await listeners.find_or_create((event.user for event in found), now)
                stored = await _store([_document(event, listeners, known, now) for event in found])
                report.n_stored += stored
                report.n_known += len(found) - stored
            report.n_undated += sum(event.at is None for event in found)
            on_progress(table.progress())
        report.n_rejected = rejects.count
        report.first_rejects = rejects.first
        report.rejects_path = rejects.path
    report.n_created = len(missing) if dry_run else listeners.n_created
    report.n_listeners = len(listeners.ids) + len(missing)
    if not dry_run:
        # All listeners of the file, not only those with new rows: an earlier run may have ended before this.
        await rebuild_profiles(list(listeners.ids.values()), on_profile)
    return report


def _document(
    event: Event, listeners: ListenerLookup, songs: Mapping[tuple[str, str], KnownSong], now: datetime
) -> dict[str, Any]:
    user_key, song = name_key(event.user), songs[event.song]
    document = {
        "user_id": listeners.ids[user_key],
        "song_id": song.id,
        "kind": event.kind.value,
        "ms_played": event.ms_played,
        "completion": completion_of(event.ms_played, song.duration_ms),
        "times": event.times,
        "occurred_at": min(event.at or now, now),
        "received_at": now,
        "event_id": _event_id(user_key, song.id, event),
    }
    return {name: value for name, value in document.items() if value is not None}


def _event_id(user_key: str, song_id: ObjectId, event: Event) -> str:
    at = event.at.isoformat(timespec="milliseconds") if event.at else ""
    parts = (user_key, str(song_id), event.kind.value, at, "" if event.ms_played is None else str(event.ms_played))
    return "import:" + hashlib.blake2b("|".join(parts).encode(), digest_size=16).hexdigest()


async def _store(documents: list[dict[str, Any]]) -> int:
    """Insert those whose event is not known; returns how many. On return they survive a crash."""
    if not documents:
        return 0
    collection = Interaction.get_pymongo_collection().with_options(write_concern=DURABLE)
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        return len(documents) - len(duplicate_faults(error))
    return len(documents)
