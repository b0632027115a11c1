"""The catalogue's songs one by one: reading, listing, and an operator's changes."""

from datetime import datetime
from typing import Any

import numpy as np
from bson import ObjectId
from numpy.typing import NDArray
from pymongo import ReturnDocument
from pymongo.errors import DuplicateKeyError

from src.models.errors import ConflictError, InvalidRequestError, NotFoundError
from src.models.pages import decode_cursor, encode_cursor
from src.models.songs import Song, SongCreate, SongPatch
from src.services.catalogue.columns import PROJECTION, read_song
from src.services.catalogue.identity import import_key
from src.services.catalogue.names import name_key
from src.services.catalogue.snapshot import Snapshot
from src.services.catalogue.store import append_change, song_document
from src.services.recommender.catalogue import COLUMN

OPERATOR = "operator"

Bounds = tuple[tuple[str, float, float], ...]


async def get_song(song_id: str) -> dict[str, Any]:
    """The ``SongRead`` of a song, from the database.

    Raises:
        NotFoundError: there is none with this id.
    """
    document = await Song.get_pymongo_collection().find_one({"_id": ObjectId(song_id)}, PROJECTION)
    if document is None:
        raise not_found(song_id)
    return read_song(document)


def not_found(song_id: str) -> NotFoundError:
    return NotFoundError(f"There is no song {song_id} in the catalogue.")


def list_songs(
    snapshot: Snapshot, *, query: str | None, genre: str | None, bounds: Bounds, limit: int, cursor: str | None
) -> tuple[list[bytes], str | None]:
    """A page of songs as JSON, best match and most popular first, and the cursor of the next.

    The order is by rank and then by row, so a cursor stays good while songs come and go.
    """
    n = len(snapshot.bundle)
    mask = snapshot.bundle.columns.active.copy()
    rank = snapshot.bundle.popularity
    if query and query.strip():
        found = snapshot.search.find(query, n)
        mask &= found >= 0
        rank = rank + found  # a whole word outranks any popularity
    if genre is not None:
        mask &= _has_genre(snapshot, genre)
    for feature, low, high in bounds:
        values = snapshot.bundle.columns.audio[:, COLUMN[feature]]
        mask &= (values >= low) & (values <= high)
    if cursor is not None:
        mask &= _after(rank, cursor)
    rows = _first(rank, mask, limit + 1)
    page = rows[:limit].tolist()
    more = encode_cursor(float(rank[page[-1]]).hex(), str(page[-1])) if len(rows) > limit else None
    return [snapshot.cards.json(row) for row in page], more


def _has_genre(snapshot: Snapshot, genre: str) -> NDArray[np.bool_]:
    genres = snapshot.bundle.columns.genres
    mask = np.zeros(len(genres), np.bool_)
    mask[genres.owners()[genres.indices == np.uint64(name_key(genre))]] = True
    return mask


def _after(rank: NDArray[np.float32], cursor: str) -> NDArray[np.bool_]:
    last_rank, last_row = decode_cursor(cursor, 2)
    try:
        with np.errstate(over="ignore"):  # ours are float32; anything else is made up
            value, row = np.float32(float.fromhex(last_rank)), int(last_row)
    except (ValueError, OverflowError):
        raise InvalidRequestError.at(["query", "cursor"], "not a cursor of this list") from None
    return np.asarray((rank < value) | ((rank == value) & (np.arange(len(rank)) > row)))


def _first(rank: NDArray[np.float32], mask: NDArray[np.bool_], n: int) -> NDArray[np.intp]:
    rows = np.flatnonzero(mask)
    if len(rows) > n:
        # Equal ranks at the boundary must not be cut by chance: keep them all until they are ordered.
        least = np.partition(rank[rows], len(rows) - n)[len(rows) - n]
        rows = rows[rank[rows] >= least]
    return rows[np.lexsort((rows, -rank[rows]))][:n]


def list_genres(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Every genre with the number of its songs, most first."""
    genres = snapshot.bundle.columns.genres
    keys, counts = np.unique(genres.indices[snapshot.bundle.columns.active[genres.owners()]], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return [{"name": snapshot.genre_names[int(keys[i])], "n_songs": int(counts[i])} for i in order]


async def create_song(facts: SongCreate, now: datetime) -> dict[str, Any]:
    """Add a song; every fact in it counts as the operator's and no import overwrites it.

    Raises:
        ConflictError: the catalogue has it already.
    """
    values = facts.model_dump(exclude_none=True)
    batch = str(ObjectId())
    document = song_document(facts, import_key(values))
    document |= {"change_batch": batch, "created_at": now, "updated_at": now}
    document["provenance"] = {name: _by_operator(now) for name in facts.model_fields_set}
    try:
        await Song.get_pymongo_collection().insert_one(document)
    except DuplicateKeyError as error:
        raise _taken(error) from None
    await append_change(batch)
    return read_song(document)


async def patch_song(song_id: str, patch: SongPatch, now: datetime) -> dict[str, Any]:
    """Change the named facts of a song; audio features and external ids merge.

    Raises:
        NotFoundError: there is no such song.
        ConflictError: another song has the external id.
    """
    changes = patch.model_dump(exclude_unset=True)
    if not changes:
        return await get_song(song_id)
    batch = str(ObjectId())
    assigned: dict[str, Any] = {"change_batch": batch, "updated_at": now}
    removed: dict[str, str] = {}
    for name, value in changes.items():
        assigned[f"provenance.{name}"] = _by_operator(now)
        nested = name in ("audio_features", "external_ids")
        for path, leaf in ({f"{name}.{key}": v for key, v in value.items()} if nested else {name: value}).items():
            if leaf is None:
                removed[path] = ""
            else:
                assigned[path] = leaf
    update = {"$set": assigned} | ({"$unset": removed} if removed else {})
    try:
        document = await Song.get_pymongo_collection().find_one_and_update(
            {"_id": ObjectId(song_id)}, update, PROJECTION, return_document=ReturnDocument.AFTER
        )
    except DuplicateKeyError as error:
        raise _taken(error) from None
    if document is None:
        raise not_found(song_id)
    await append_change(batch)
    return read_song(document)


async def delete_song(song_id: str) -> None:
    """Take a song out of the catalogue; what listeners did with it stays in their history.

    Raises:
        NotFoundError: there is no such song.
    """
    deleted = await Song.get_pymongo_collection().delete_one({"_id": ObjectId(song_id)})
    if not deleted.deleted_count:
        raise not_found(song_id)
    await append_change(str(ObjectId()), [ObjectId(song_id)])


def _by_operator(now: datetime) -> dict[str, Any]:
    return {"source": OPERATOR, "fetched_at": now}


def _taken(error: DuplicateKeyError) -> ConflictError:
    index = (error.details or {}).get("keyPattern") or {}
    name = next(iter(index), "import_key").removeprefix("external_ids.")
    what = "this artist, title and duration" if name == "import_key" else f"this {name} id"
    return ConflictError(f"The catalogue already has a song with {what}.")
