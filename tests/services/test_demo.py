"""Loading the demo into a real database."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.asynchronous.database import AsyncDatabase

from src.models.interactions import Interaction, TasteProfile
from src.models.songs import Song
from src.models.users import User
from src.services.demo.load import DemoSummary, load_demo

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
COLLECTIONS = ("songs", "catalogue_changes", "users", "interactions", "taste_profiles")


async def load(now: datetime = NOW) -> DemoSummary:
    return await load_demo(now, n_songs=300, n_listeners=12)


async def dump(database: AsyncDatabase[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    return {name: await database[name].find().sort("_id", 1).to_list() for name in COLLECTIONS}


async def test_stores_songs_listeners_interactions_and_profiles(database: AsyncDatabase[dict[str, Any]]) -> None:
    summary = await load()
    assert summary.songs == summary.new_songs == await Song.count() == 300
    assert summary.listeners == summary.new_listeners == await User.count() == 12
    assert summary.interactions == summary.new_interactions == await Interaction.count() > 100
    assert await TasteProfile.count() == 12


async def test_what_is_stored_reads_back_as_documents(database: AsyncDatabase[dict[str, Any]]) -> None:
    await load()
    songs = {song.id: song for song in await Song.find_all().to_list()}
    assert all("demo" in song.tags for song in songs.values())
    assert {song.provenance["audio_features"].source for song in songs.values()} == {"demo"}
    interactions = await Interaction.find_all().to_list()
    assert all(event.occurred_at < NOW == event.received_at for event in interactions)
    for event in interactions:
        assert event.song_id in songs
    for profile in await TasteProfile.find_all().to_list():
        own = [event for event in interactions if event.user_id == profile.id]
        assert profile.n_interactions == len(own) >= 5


async def test_nobody_can_log_in_as_a_demo_listener(database: AsyncDatabase[dict[str, Any]]) -> None:
    await load()
    users = await User.find_all().to_list()
    assert sorted(user.username for user in users) == [f"listener-{n:03}" for n in range(1, 13)]
    assert {user.password_hash for user in users} == {"!"}


async def test_loading_twice_changes_nothing(database: AsyncDatabase[dict[str, Any]]) -> None:
    await load()
    before = await dump(database)
    summary = await load(NOW + timedelta(days=3, hours=5))
    assert (summary.new_songs, summary.new_listeners, summary.new_interactions) == (0, 0, 0)
    assert await dump(database) == before


async def test_a_load_that_was_cut_short_is_completed(database: AsyncDatabase[dict[str, Any]]) -> None:
    whole = await load()
    before = await dump(database)
    lost = [event["_id"] for event in before["interactions"][50:]]
    await Interaction.get_pymongo_collection().delete_many({"_id": {"$in": lost}})
    await TasteProfile.get_pymongo_collection().delete_many({})
    again = await load()
    assert again.new_interactions == len(lost)
    assert await Interaction.count() == whole.interactions
    assert (await dump(database))["taste_profiles"] == before["taste_profiles"]


async def test_an_account_that_has_a_listeners_name_is_left_alone(database: AsyncDatabase[dict[str, Any]]) -> None:
    real = User(username="Listener-003", username_key="listener-003", password_hash="$argon2id$a-real-hash")
    await real.insert()
    summary = await load()
    assert summary.listeners == 11
    assert await Interaction.find(Interaction.user_id == real.id).count() == 0
    assert await TasteProfile.get(real.id) is None


async def test_reports_progress_to_the_end(database: AsyncDatabase[dict[str, Any]]) -> None:
    told: list[tuple[str, int, int]] = []
    summary = await load_demo(NOW, lambda *step: told.append(step), n_songs=300, n_listeners=12)
    last = {what: (done, total) for what, done, total in told}
    assert last == {
        "songs": (300, 300),
        "listeners": (12, 12),
        "interactions": (summary.interactions, summary.interactions),
        "taste profiles": (12, 12),
    }


async def test_a_time_without_zone_stores_nothing(database: AsyncDatabase[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="time zone"):
        await load(NOW.replace(tzinfo=None))
    assert await Song.count() == 0
