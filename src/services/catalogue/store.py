"""Writing songs in bulk, and the catalogue's change log.

Every batch is written first and logged after, as `src.models.songs.CatalogueChange` describes. The
log entry is the write that waits for the journal of a majority; what was written before it on the
same replica set is then on disk too, so a whole batch costs one such wait. A process killed between
the two leaves songs whose batch is not in the log: importing them again finds and logs it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from bson import ObjectId
from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import BulkWriteError, DuplicateKeyError

from src.config.database import BULK, DURABLE
from src.models.errors import ConflictError
from src.models.songs import CatalogueChange, ExternalIds, Song, SongFacts
from src.services.catalogue.identity import named_id
from src.services.catalogue.merging import changes, merge_repeat

Document = dict[str, Any]

_DUPLICATE_KEY: Final = 11000
_MAX_ROUNDS: Final = 8
_last_seen: dict[str, int] = {}


@dataclass(slots=True)
class UpsertResult:
    """What became of the songs of a batch; the three counts add up to the distinct songs given.

    ``dropped_ids`` are external ids that another song already holds, as (import key of the song that
    was stored without it, name of the id, value).
    """

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    dropped_ids: list[tuple[str, str, str]] = field(default_factory=list)


def song_document(facts: SongFacts | Mapping[str, Any], import_key: str) -> Document:
    """A document for `upsert_songs`, in the form the `Song` model stores.

    Args:
        facts: a song, or its dictionary if it is known to be valid.
        import_key: see `src.services.catalogue.identity.import_key`.
    """
    known = facts.model_dump(exclude_none=True) if isinstance(facts, SongFacts) else facts
    defaults: Document = {"genres": [], "tags": [], "audio_features": {}, "external_ids": {}, "links": {}}
    return {**defaults, **known, "import_key": import_key, "provenance": {}}


def duplicate_faults(error: BulkWriteError) -> list[Mapping[str, Any]]:
    """The write errors of an unordered bulk write, if every one of them is a duplicate key.

    Raises:
        BulkWriteError: the error itself, when anything else went wrong.
    """
    faults: list[Mapping[str, Any]] = error.details["writeErrors"]
    if error.details.get("writeConcernErrors") or any(fault["code"] != _DUPLICATE_KEY for fault in faults):
        raise error
    return faults


async def append_change(batch: str, deleted_ids: Sequence[ObjectId] = ()) -> int:
    """Log that the songs of ``batch`` were written, or those named were deleted; returns the entry's number.

    On return the entry, and what this client wrote before it, survives a crash. Numbers have no gap:
    of two writers that want the same one, the unique ``_id`` lets one win and the other takes the next.
    """
    log = CatalogueChange.get_pymongo_collection().with_options(write_concern=DURABLE)
    number = await last_number(log) + 1
    while True:
        try:
            await log.insert_one(
                {"_id": number, "batch": batch, "deleted_ids": list(deleted_ids), "at": datetime.now(UTC)}
            )
        except DuplicateKeyError:
            number += 1
        else:
            return number


async def last_number(log: AsyncCollection[Document]) -> int:
    """The number of the latest entry, 0 when there is none.

    As numbers have no gap, a galloping search of point reads finds it, from the last one this process
    saw: two or three reads as a rule. The embedded database would scan the log for a sort or a count.
    """

    async def exists(number: int) -> bool:
        return await log.find_one({"_id": number}, {"_id": True}) is not None

    last = _last_seen.get(log.full_name, 0)
    if last and not await exists(last):
        last = 0  # the log was emptied, or is that of another server
    step = 1
    while await exists(last + step):
        last += step
        step *= 2
    above = last + step
    while above - last > 1:
        middle = (last + above) // 2
        if await exists(middle):
            last = middle
        else:
            above = middle
    _last_seen[log.full_name] = last
    return last


async def upsert_songs(documents: Sequence[Document]) -> UpsertResult:
    """Insert the songs that are new and bring the others up to date, as one batch of the change log.

    A stored song is the same when it has the same import key, or holds the external id that the key is
    made of. Storing the same documents again changes nothing, not even ``updated_at``. An external id
    that a different song holds is dropped, the song is kept. Safe beside other writers.

    Args:
        documents: about 1000 of `song_document`; repeats among them are merged, the first value wins.

    Raises:
        ConflictError: other writers kept changing the same songs.
    """
    batch = str(ObjectId())
    now = datetime.now(UTC)
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)  # as precise as BSON stores it
    stamp = {"change_batch": batch, "created_at": now, "updated_at": now}
    songs = [{**song, **stamp} for song in _distinct(documents)]
    collection = Song.get_pymongo_collection().with_options(write_concern=BULK)
    result = UpsertResult()
    unlogged: set[str] = set()
    pending = await _insert(collection, songs)
    result.inserted = len(songs) - len(pending)
    for _ in range(_MAX_ROUNDS):
        if not pending:
            break
        pending = await _settle(collection, pending, result, unlogged)
    if result.inserted or result.updated:
        await append_change(batch)
    await _log_orphans(unlogged - {batch})
    if pending:
        raise ConflictError(f"{len(pending)} songs kept being changed by others while being stored. Try again.")
    result.unchanged = len(songs) - result.inserted - result.updated
    return result


def _distinct(documents: Iterable[Document]) -> list[Document]:
    songs: dict[str, Document] = {}
    for document in documents:
        known = songs.setdefault(document["import_key"], document)
        if known is not document:
            merged = dict(known)
            merge_repeat(merged, document)
            songs[document["import_key"]] = merged
    return list(songs.values())


async def _insert(collection: AsyncCollection[Document], songs: list[Document]) -> list[Document]:
    """Insert what no unique index refuses; returns what one refused."""
    if not songs:
        return []
    try:
        await collection.insert_many(songs, ordered=False)
    except BulkWriteError as error:
        return [songs[fault["index"]] for fault in duplicate_faults(error)]
    return []


async def _settle(
    collection: AsyncCollection[Document], songs: list[Document], result: UpsertResult, unlogged: set[str]
) -> list[Document]:
    """One round with songs that an insert refused. Returns those to try again: another writer was faster."""
    stored = await _find_stored(collection, songs)
    unlogged.update(known["change_batch"] for known in stored.values() if known.get("change_batch"))
    result.dropped_ids += await _drop_taken_ids(collection, songs, stored)

    newcomers = [song for song in songs if song["import_key"] not in stored]
    refused = await _insert(collection, newcomers)
    result.inserted += len(newcomers) - len(refused)

    updates: list[UpdateOne] = []
    changed: list[Document] = []
    for song in songs:
        known = stored.get(song["import_key"])
        if known is None or not (update := changes(known, song)):
            continue
        stamp = {"change_batch": song["change_batch"], "updated_at": song["updated_at"]}
        update["$set"] = {**update.get("$set", {}), **stamp}
        # Only if nobody changed the song since it was read; the time is no index, so `_id` finds it.
        updates.append(UpdateOne({"_id": known["_id"], "updated_at": known.get("updated_at")}, update))
        changed.append(song)
    if not updates:
        return refused
    try:
        written = await collection.bulk_write(updates, ordered=False)
        n_matched, n_modified = written.matched_count, written.modified_count
    except BulkWriteError as error:
        duplicate_faults(error)
        n_matched, n_modified = error.details["nMatched"], error.details["nModified"]
    result.updated += n_modified
    # Not known which one did not match; those that did show no difference in the next round.
    return refused if n_matched == len(updates) else refused + changed


async def _find_stored(collection: AsyncCollection[Document], songs: list[Document]) -> dict[str, Document]:
    """The stored song of each import key that has one."""
    keys = [song["import_key"] for song in songs]
    stored = {found["import_key"]: found async for found in collection.find({"import_key": {"$in": keys}})}
    by_id: dict[str, dict[str, str]] = {}
    for key in keys:
        if key not in stored and (named := named_id(key)):
            by_id.setdefault(named[0], {})[named[1]] = key
    for name, key_of in by_id.items():
        async for found in collection.find({f"external_ids.{name}": {"$in": list(key_of)}}):
            stored[key_of[found["external_ids"][name]]] = found
    return stored


async def _drop_taken_ids(
    collection: AsyncCollection[Document], songs: list[Document], stored: Mapping[str, Document]
) -> list[tuple[str, str, str]]:
    """Take from each song the external ids that a different song holds."""
    dropped: list[tuple[str, str, str]] = []
    for name in ExternalIds.model_fields:
        wanting: dict[str, list[Document]] = {}
        for song in songs:
            own = stored.get(song["import_key"], {}).get("external_ids", {}).get(name)
            value = song["external_ids"].get(name)
            if value is not None and value != own:
                wanting.setdefault(value, []).append(song)
        if not wanting:
            continue
        path = f"external_ids.{name}"
        async for holder in collection.find({path: {"$in": list(wanting)}}, {path: True}):
            value = holder["external_ids"][name]
            for song in wanting[value]:
                if stored.get(song["import_key"], {}).get("_id") != holder["_id"]:
                    song["external_ids"] = {n: v for n, v in song["external_ids"].items() if n != name}
                    dropped.append((song["import_key"], name, value))
    return dropped


async def _log_orphans(batches: set[str]) -> None:
    """Log those batches that no entry names: their writer died between writing and logging."""
    if not batches:
        return
    log = CatalogueChange.get_pymongo_collection()
    logged = {entry["batch"] async for entry in log.find({"batch": {"$in": list(batches)}}, {"batch": True})}
    for batch in sorted(batches - logged):
        await append_change(batch)
