"""Loading the demo into the database. Loading it again changes nothing."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from beanie import PydanticObjectId
from bson import ObjectId
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError

from src.config.database import BULK, DURABLE
from src.models.interactions import Interaction
from src.models.songs import Song, SongFacts
from src.models.users import User, name_key
from src.services.catalogue.store import song_document, upsert_songs
from src.services.demo.catalogue import generate_catalogue
from src.services.demo.listeners import DemoEvent, generate_listeners
from src.services.taste import rebuild_profiles

Document = dict[str, Any]
Progress = Callable[[str, int, int], None]
"""Called with what is being loaded, how many are done, and of how many."""

CATALOGUE_SEED: Final = 7
LISTENERS_SEED: Final = 11
SOURCE: Final = "demo"
NO_PASSWORD: Final = "!"  # noqa: S105  (the hash of no password: nobody can log in as a demo listener)
BATCH: Final = 1000
LOOKUP: Final = 100
"""Keys asked for at once: the embedded database takes four seconds for 3000, a quarter second in hundreds."""
_DUPLICATE_KEY: Final = 11000


@dataclass(frozen=True)
class DemoSummary:
    """What the demo holds, and how much of it this load added."""

    songs: int
    listeners: int
    interactions: int
    new_songs: int
    new_listeners: int
    new_interactions: int


async def load_demo(
    now: datetime, on_progress: Progress | None = None, *, n_songs: int = 3000, n_listeners: int = 400
) -> DemoSummary:
    """Generate the demo and store what of it is missing.

    Songs are known by their import key, listeners by name, interactions by event id, so a load that was
    cut short is completed by the next. A listener whose name a real account has taken is left out.

    Args:
        now: the end of the 180 days of listening; must know its time zone.
        on_progress: see ``Progress``.
        n_songs, n_listeners: size of the demo. Do not load two sizes into one database: the songs and
            events of the one take the places of the other's.
    """
    report = on_progress or (lambda *_: None)
    songs = await asyncio.to_thread(generate_catalogue, CATALOGUE_SEED, n_songs)
    events = await asyncio.to_thread(generate_listeners, songs, LISTENERS_SEED, now, n_listeners)

    new_songs = await _store_songs(songs, now, report)
    song_ids = await _ids(Song.get_pymongo_collection(), "import_key", [_import_key(n) for n in range(n_songs)])

    names = [f"listener-{n:03}" for n in range(1, n_listeners + 1)]
    new_listeners = await _insert_missing(User.get_pymongo_collection(), [_user(name, now) for name in names])
    keys = [name_key(name) for name in names]
    user_ids = await _ids(User.get_pymongo_collection(), "username_key", keys, password_hash=NO_PASSWORD)
    report("listeners", len(user_ids), n_listeners)

    by_index = [song_ids[_import_key(n)] for n in range(n_songs)]
    listeners = [user_ids.get(key) for key in keys]
    interactions = _interactions(events, listeners, by_index, now)
    new_interactions = await _insert_missing(Interaction.get_pymongo_collection(), interactions, report)
    await rebuild_profiles(list(user_ids.values()), lambda done, total: report("taste profiles", done, total))
    return DemoSummary(n_songs, len(user_ids), len(interactions), new_songs, new_listeners, new_interactions)


def _import_key(n: int) -> str:
    return f"{SOURCE}:{n}"


async def _store_songs(songs: Sequence[SongFacts], now: datetime, report: Progress) -> int:
    """Store the songs; returns how many were new."""
    provenance = {"audio_features": {"source": SOURCE, "fetched_at": now}}
    n_new = 0
    for start in range(0, len(songs), BATCH):
        batch = enumerate(songs[start : start + BATCH], start)
        documents = [{**song_document(song, _import_key(n)), "provenance": provenance} for n, song in batch]
        n_new += (await upsert_songs(documents)).inserted
        report("songs", start + len(documents), len(songs))
    return n_new


async def _ids(
    collection: AsyncCollection[Document], field: str, values: Sequence[str], **also: str
) -> dict[str, ObjectId]:
    """Value of ``field`` to id, of the documents that have one of the values."""
    ids: dict[str, ObjectId] = {}
    for start in range(0, len(values), LOOKUP):
        found = collection.find({field: {"$in": list(values[start : start + LOOKUP])}, **also}, {field: 1})
        ids |= {document[field]: document["_id"] async for document in found}
    return ids


def _user(name: str, now: datetime) -> Document:
    user = User(username=name, username_key=name_key(name), password_hash=NO_PASSWORD, created_at=now)
    return _stored(user.model_dump(exclude_none=True))


def _interactions(
    events: Sequence[DemoEvent],
    listeners: Sequence[ObjectId | None],
    song_ids: Sequence[ObjectId],
    now: datetime,
) -> list[Document]:
    """Documents of the events whose listener exists, numbered within each listener."""
    documents: list[Document] = []
    numbers = [0] * len(listeners)
    for event in events:
        user_id = listeners[event.listener_index]
        if user_id is None:
            continue
        numbers[event.listener_index] += 1
        interaction = Interaction(
            user_id=PydanticObjectId(user_id),
            song_id=PydanticObjectId(song_ids[event.song_index]),
            kind=event.kind,
            ms_played=event.ms_played,
            completion=event.completion,
            occurred_at=event.occurred_at,
            received_at=now,
            event_id=f"{SOURCE}:{numbers[event.listener_index]}",
        )
        documents.append(_stored(interaction.model_dump(exclude_none=True)))
    return documents


def _stored(fields: Mapping[str, Any]) -> Document:
    return {name: value for name, value in fields.items() if name not in ("id", "revision_id")}


async def _insert_missing(
    collection: AsyncCollection[Document], documents: Sequence[Document], report: Progress | None = None
) -> int:
    """Insert what no unique index refuses; returns how many that were. The last batch waits for the disk."""
    n_new = 0
    for start in range(0, len(documents), BATCH):
        batch = documents[start : start + BATCH]
        end = start + len(batch)
        concern = DURABLE if end == len(documents) else BULK
        try:
            await collection.with_options(write_concern=concern).insert_many(batch, ordered=False)
        except BulkWriteError as error:
            faults = error.details["writeErrors"]
            if error.details["writeConcernErrors"] or any(fault["code"] != _DUPLICATE_KEY for fault in faults):
                raise
            n_new += len(batch) - len(faults)
        else:
            n_new += len(batch)
        if report:
            report("interactions", end, len(documents))
    return n_new
