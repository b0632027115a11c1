"""The holder: follows the pointer and the catalogue, and never lets go of what works."""

import asyncio
from datetime import UTC, datetime

import pytest
from bson import ObjectId

from src.config.settings import Settings
from src.services.artifacts.holder import SnapshotHolder
from src.services.artifacts.releases import models_dir, promote
from src.services.runtime import open_runtime
from src.services.songs import delete_song
from src.services.training import train
from tests.conftest import PATIENCE_SECONDS, SongJson, song_facts, store_songs

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def trained(settings: Settings) -> str:
    version = (await train(settings, NOW)).version
    assert version is not None
    return version


async def started(settings: Settings) -> SnapshotHolder:
    holder = SnapshotHolder(settings)
    await holder.start()
    return holder


async def test_an_empty_database_is_served_untrained(settings: Settings, database: object) -> None:
    holder = await started(settings)
    assert (holder.snapshot.version, len(holder.snapshot.bundle), holder.problem) == ("untrained", 0, None)


async def test_the_live_release_is_loaded_at_the_start(settings: Settings, songs: list[SongJson]) -> None:
    version = await trained(settings)
    holder = await started(settings)
    assert holder.snapshot.version == version
    assert len(holder.snapshot.bundle) == len(songs)


async def test_a_new_release_and_a_roll_back_are_followed(settings: Settings, songs: list[SongJson]) -> None:
    first = await trained(settings)
    holder = await started(settings)
    second = await trained(settings)
    await holder.refresh()
    assert holder.snapshot.version == second
    await promote(first)
    await holder.refresh()
    assert holder.snapshot.version == first


async def test_without_news_the_snapshot_is_the_same_object(settings: Settings, songs: list[SongJson]) -> None:
    await trained(settings)
    holder = await started(settings)
    before = holder.snapshot
    await holder.refresh()
    assert holder.snapshot is before


async def test_songs_that_changed_after_the_training_are_in_when_it_is_loaded(
    settings: Settings, songs: list[SongJson]
) -> None:
    version = await trained(settings)
    (changed, added) = await store_songs([song_facts("rock", 0, album="Reissue"), song_facts("rock", 99)])
    await delete_song(songs[1]["id"])
    holder = await started(settings)
    assert holder.snapshot.version == version
    rows = holder.snapshot.rows_of([ObjectId(song["id"]).binary for song in (changed, added, songs[1])])
    assert (rows >= 0).tolist() == [True, True, False]
    assert holder.snapshot.cards.read(int(rows[0]))["album"] == "Reissue"


async def test_a_damaged_live_release_at_the_start_is_served_around(settings: Settings, songs: list[SongJson]) -> None:
    version = await trained(settings)
    array = next(path for path in sorted((models_dir(settings) / version).glob("*.npy")) if path.stat().st_size > 200)
    array.write_bytes(array.read_bytes()[:-1])
    holder = await started(settings)
    assert holder.snapshot.version == "untrained"
    assert len(holder.snapshot.bundle) == len(songs)
    assert array.name in (holder.problem or "")
    healed = await trained(settings)
    await holder.refresh()
    assert (holder.snapshot.version, holder.problem) == (healed, None)


async def test_a_problem_is_over_when_the_pointer_moves_back(settings: Settings, songs: list[SongJson]) -> None:
    first = await trained(settings)
    holder = await started(settings)
    second = await trained(settings)
    (models_dir(settings) / second / "manifest.json").unlink()
    await holder.refresh()
    assert (holder.snapshot.version, holder.problem is None) == (first, False)
    await promote(first)
    await holder.refresh()
    assert (holder.snapshot.version, holder.problem) == (first, None)


async def test_a_release_of_songs_that_are_all_gone_still_loads(settings: Settings, songs: list[SongJson]) -> None:
    await trained(settings)
    for song in songs:
        await delete_song(song["id"])
    holder = await started(settings)
    assert holder.problem is None
    assert not holder.snapshot.bundle.columns.active.any()


async def test_a_process_stops_even_when_a_cancellation_is_swallowed(
    settings: Settings, songs: list[SongJson], monkeypatch: pytest.MonkeyPatch
) -> None:
    swallowed: list[None] = []

    async def stubborn(_: SnapshotHolder) -> None:
        while True:
            try:
                await asyncio.sleep(3_600)
            except asyncio.CancelledError:
                if swallowed:
                    raise
                swallowed.append(None)

    monkeypatch.setattr(SnapshotHolder, "run", stubborn)
    async with asyncio.timeout(PATIENCE_SECONDS), open_runtime(settings):
        await asyncio.sleep(0)
    assert swallowed
