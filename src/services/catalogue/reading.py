"""Reading the catalogue from the database into snapshots, whole or only what changed."""

import asyncio

from src.models.songs import CatalogueChange, Song
from src.services.catalogue.columns import PROJECTION, Songs, collect
from src.services.catalogue.snapshot import Snapshot
from src.services.catalogue.store import last_number

MAX_CHANGES = 50
"""Entries of the change log taken in one step (an import writes one per thousand songs or so)."""


CHUNK = 2_000
"""Songs read at a time."""


async def read_catalogue() -> tuple[Songs, int]:
    """All songs, and the number of the change-log entry up to which they are certainly complete."""
    change = await last_number(CatalogueChange.get_pymongo_collection())
    found = Song.get_pymongo_collection().find({}, PROJECTION, batch_size=CHUNK)
    parts: list[Songs] = []
    # In chunks: a hundred thousand documents as dictionaries would take a gigabyte.
    while documents := await found.to_list(CHUNK):
        parts.append(await asyncio.to_thread(collect, documents))
    return await asyncio.to_thread(Songs.joined, parts), change


async def catch_up(snapshot: Snapshot) -> Snapshot:
    """The snapshot with the next entries of the change log in; the same one when there are none."""
    log = CatalogueChange.get_pymongo_collection()
    batches: list[str] = []
    deleted: list[bytes] = []
    change = snapshot.change
    while len(batches) < MAX_CHANGES and (entry := await log.find_one({"_id": change + 1})) is not None:
        change += 1
        batches.append(entry["batch"])
        deleted.extend(song_id.binary for song_id in entry["deleted_ids"])
    if not batches:
        return snapshot
    songs = Song.get_pymongo_collection().find({"change_batch": {"$in": batches}}, PROJECTION)
    documents = await songs.to_list()

    def merge() -> Snapshot:
        return snapshot.merged(collect(documents), deleted, change)

    return await asyncio.to_thread(merge)
