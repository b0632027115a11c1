"""Speed of ``madhur import songs`` against a bare ``insert_many`` of the same documents.

Run as ``MADHUR_BENCH_SONGS=tracks.csv.gz python -m benchmarks.import_songs``. Three rounds, one after the
other on the same server: the floor inserts the finished documents, 1000 a batch, unordered, into a
collection with the same indexes; ours starts from the file: it reads, validates, merges repeats, stores
and writes the change log. The goal is at least 0.7 of the floor's documents per second.
"""

import asyncio
import os
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from src.config.database import BULK
from src.config.settings import Settings
from src.models.songs import CatalogueChange, Song
from src.services.database import open_database
from src.services.importing.songs import BATCH, stage_songs, store_songs
from src.services.importing.staging import SongStage, open_stage

ROUNDS = 3
GOAL = 0.7


@contextmanager
def staged(source: Path) -> Iterator[SongStage]:
    with open_stage() as stage:
        stage_songs(source, {}, stage, lambda _: None)
        yield stage


async def floor(database: AsyncDatabase[dict[str, Any]], documents: list[dict[str, Any]]) -> float:
    """Documents per second of a bare insert_many, with the driver's default acknowledgement."""
    collection = database.get_collection("bench_songs", write_concern=BULK)
    await collection.drop()
    await collection.create_indexes(Song.Settings.indexes)
    started = time.perf_counter()
    for start in range(0, len(documents), BATCH):
        await collection.insert_many(documents[start : start + BATCH], ordered=False)
    seconds = time.perf_counter() - started
    await collection.drop()
    return len(documents) / seconds


async def ours(source: Path) -> float:
    """Songs per second of the whole import, from the file on."""
    for model in (Song, CatalogueChange):
        await model.get_pymongo_collection().drop()
    await Song.get_pymongo_collection().create_indexes(Song.Settings.indexes)
    started = time.perf_counter()
    with staged(source) as stage:
        await store_songs(stage, lambda _: None)
    return stage.n_songs / (time.perf_counter() - started)


async def measure(source: Path, settings: Settings) -> None:
    async with open_database(settings) as database:
        floors, imports = [], []
        for number in range(1, ROUNDS + 1):
            imports.append(await ours(source))
            stored = await Song.get_pymongo_collection().find().to_list()
            floors.append(await floor(database, [{k: v for k, v in d.items() if k != "_id"} for d in stored]))
            print(
                f"round {number}: {len(stored):,} documents; insert_many {floors[-1]:,.0f}/s, "
                f"import {imports[-1]:,.0f}/s, ratio {imports[-1] / floors[-1]:.2f}"
            )
        await database.client.drop_database(settings.mongodb_database)
    ratio = statistics.median(ours / bare for ours, bare in zip(imports, floors, strict=True))
    print(f"median ratio {ratio:.2f} (goal: {GOAL} or more): {'reached' if ratio >= GOAL else 'NOT reached'}")


def main() -> None:
    source = os.environ.get("MADHUR_BENCH_SONGS")
    if not source:
        sys.exit("Set MADHUR_BENCH_SONGS to a file of songs in a layout that `madhur import songs` recognises.")
    with TemporaryDirectory() as folder:
        # Rejected rows are written beside the file as named, so name it in a folder of our own.
        link = Path(folder) / Path(source).name
        link.symlink_to(Path(source).absolute())
        settings = Settings(data_dir=Path(folder) / "var", mongodb_database="madhur_bench_import")
        asyncio.run(measure(link, settings))


if __name__ == "__main__":
    main()
