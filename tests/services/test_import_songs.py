"""The catalogue's store: songs are written once, kept up to date, and every change is logged."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bson import ObjectId
from pymongo.asynchronous.database import AsyncDatabase

from src.models.songs import CatalogueChange, Song, SongFacts
from src.services.catalogue.identity import import_key
from src.services.catalogue.store import UpsertResult, append_change, song_document, upsert_songs
from src.services.importing.songs import StoreReport, stage_songs, store_songs
from src.services.importing.staging import open_stage

Database = AsyncDatabase[dict[str, Any]]
pytestmark = pytest.mark.usefixtures("database")


def spotify(number: int) -> str:
    return f"{number:022d}"


def isrc(number: int) -> str:
    return f"USRC1{number:07d}"


def facts(number: int, **more: Any) -> dict[str, Any]:
    return {"title": f"T{number}", "artists": ["A"], "external_ids": {"spotify": spotify(number)}, **more}


def document(number: int, **more: Any) -> dict[str, Any]:
    known = facts(number, **more)
    return song_document(known, import_key(known))


async def stored() -> dict[str, dict[str, Any]]:
    return {song["title"]: song async for song in Song.get_pymongo_collection().find()}


async def log() -> list[dict[str, Any]]:
    return await CatalogueChange.get_pymongo_collection().find().sort("_id", 1).to_list()


async def test_new_songs_are_stored_as_the_model_reads_them_and_logged() -> None:
    result = await upsert_songs([document(n, genres=["rock"]) for n in range(3)])
    assert result == UpsertResult(inserted=3)
    songs = await Song.find().to_list()
    assert sorted(song.title for song in songs) == ["T0", "T1", "T2"]
    assert {song.external_ids.spotify for song in songs} == {spotify(n) for n in range(3)}
    (entry,) = await log()
    assert entry["_id"] == 1
    assert {song.change_batch for song in songs} == {entry["batch"]}


async def test_a_validated_song_and_its_dictionary_make_the_same_document() -> None:
    known = facts(1, genres=["rock"])
    from_model = song_document(SongFacts.model_validate(known), import_key(known))
    assert from_model == song_document(known, import_key(known))


async def test_storing_again_changes_nothing_at_all() -> None:
    documents = [document(n, genres=["rock"], audio_features={"energy": 0.1 * n}) for n in range(5)]
    await upsert_songs(documents)
    before = await stored()
    assert await upsert_songs(documents) == UpsertResult(unchanged=5)
    assert await stored() == before
    assert len(await log()) == 1


async def test_changed_facts_are_updated_under_a_new_batch() -> None:
    await upsert_songs([document(1, genres=["rock"], popularity=1.0), document(2)])
    created = (await stored())["T1"]["created_at"]
    result = await upsert_songs([document(1, genres=["pop"], popularity=2.0), document(2), document(3)])
    assert result == UpsertResult(inserted=1, updated=1, unchanged=1)
    songs, entries = await stored(), await log()
    assert (songs["T1"]["genres"], songs["T1"]["popularity"]) == (["rock", "pop"], 2.0)
    assert songs["T1"]["created_at"] == created
    assert [songs[title]["change_batch"] for title in ("T2", "T1", "T3")] == [
        entries[0]["batch"],
        entries[1]["batch"],
        entries[1]["batch"],
    ]


async def test_repeats_within_a_batch_are_one_song() -> None:
    result = await upsert_songs([document(1, genres=["a"]), document(2), document(1, genres=["b"])])
    assert result == UpsertResult(inserted=2)
    assert (await stored())["T1"]["genres"] == ["a", "b"]


async def test_what_an_operator_set_is_never_overwritten() -> None:
    await upsert_songs([document(1, popularity=1.0)])
    by_hand = {"source": "operator", "fetched_at": datetime.now(UTC)}
    await Song.get_pymongo_collection().update_one({}, {"$set": {"album": "Mine", "provenance.album": by_hand}})
    result = await upsert_songs([document(1, album="Theirs", popularity=2.0)])
    assert result == UpsertResult(updated=1)
    song = (await stored())["T1"]
    assert (song["album"], song["popularity"]) == ("Mine", 2.0)


async def test_an_id_another_song_holds_is_dropped_and_told_every_time() -> None:
    first = document(1, external_ids={"spotify": spotify(1), "isrc": isrc(1)})
    second = document(2, external_ids={"spotify": spotify(2), "isrc": isrc(1)})
    dropped = [(f"spotify:{spotify(2)}", "isrc", isrc(1))]
    assert await upsert_songs([first, second]) == UpsertResult(inserted=2, dropped_ids=dropped)
    assert await upsert_songs([first, second]) == UpsertResult(unchanged=2, dropped_ids=dropped)
    songs = await stored()
    assert songs["T1"]["external_ids"] == {"spotify": spotify(1), "isrc": isrc(1)}
    assert songs["T2"]["external_ids"] == {"spotify": spotify(2)}


async def test_of_two_stored_songs_that_newly_claim_one_id_the_first_gets_it() -> None:
    await upsert_songs([document(1), document(2)])
    claims = [document(n, external_ids={"spotify": spotify(n), "isrc": isrc(1)}, album="Alb") for n in (1, 2)]
    result = await upsert_songs(claims)
    assert result == UpsertResult(updated=2, dropped_ids=[(f"spotify:{spotify(2)}", "isrc", isrc(1))])
    songs = await stored()
    assert songs["T1"]["external_ids"]["isrc"] == isrc(1)
    assert (songs["T2"]["album"], songs["T2"]["external_ids"]) == ("Alb", {"spotify": spotify(2)})


async def test_a_song_is_found_by_the_id_that_names_it_under_another_key() -> None:
    nameless = song_document(facts(1), "digest:" + "0" * 32)
    await upsert_songs([nameless])
    assert await upsert_songs([document(1, album="Alb")]) == UpsertResult(updated=1)
    assert (await stored())["T1"]["album"] == "Alb"


async def test_two_writers_of_the_same_songs_leave_one_of_each() -> None:
    documents = [document(n, genres=["a"]) for n in range(200)]
    other = [document(n, genres=["b"]) for n in range(200)]
    results = await asyncio.gather(*(upsert_songs(batch) for batch in (documents, other, documents)))
    assert sum(result.inserted for result in results) == 200
    songs = await stored()
    assert len(songs) == 200
    assert all(sorted(song["genres"]) == ["a", "b"] for song in songs.values())
    batches = {entry["batch"] for entry in await log()}
    assert {song["change_batch"] for song in songs.values()} <= batches


async def test_songs_whose_writer_died_before_logging_are_logged_by_the_next_import() -> None:
    await upsert_songs([document(1)])
    await CatalogueChange.get_pymongo_collection().delete_many({})
    assert await upsert_songs([document(1)]) == UpsertResult(unchanged=1)
    (entry,) = await log()
    assert entry["batch"] == (await stored())["T1"]["change_batch"]


async def test_numbers_of_the_log_have_no_gap_with_many_writers() -> None:
    numbers = await asyncio.gather(*(append_change(f"batch {n}") for n in range(20)))
    assert sorted(numbers) == list(range(1, 21))
    assert [entry["_id"] for entry in await log()] == list(range(1, 21))


@pytest.mark.parametrize("present", [0, 1, 2, 3, 7, 8, 9])
async def test_the_next_number_is_found_however_long_the_log_is(present: int) -> None:
    if present:
        entries = [{"_id": n, "batch": str(n)} for n in range(1, present + 1)]
        await CatalogueChange.get_pymongo_collection().insert_many(entries)
    gone = ObjectId()
    assert await append_change("next", [gone]) == present + 1
    entry = (await log())[-1]
    assert (entry["batch"], entry["deleted_ids"]) == ("next", [gone])


async def test_no_songs_at_all_write_nothing() -> None:
    assert await upsert_songs([]) == UpsertResult()
    assert await log() == []


async def import_file(path: Path) -> StoreReport:
    with open_stage() as stage:
        stage_songs(path, {}, stage, lambda done: None)
        return await store_songs(stage, lambda done: None)


async def test_far_apart_repeats_are_one_song_and_an_import_repeats_without_change(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    rows = [f"{spotify(n)},A,T{n},{50 + again},g{again}" for again in range(2) for n in range(1500)]
    path.write_text("\n".join(["track_id,artists,track_name,popularity,track_genre", *rows]))
    assert await import_file(path) == StoreReport(inserted=1500)
    before = await stored()
    assert before["T7"]["genres"] == ["g0", "g1"]
    assert before["T7"]["popularity"] == 50.0
    assert await import_file(path) == StoreReport(unchanged=1500)
    assert await stored() == before
    assert len(await log()) == 2


async def test_an_import_that_was_cut_short_is_finished_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    rows = [f"{spotify(n)},A,T{n}" for n in range(1500)]
    path.write_text("\n".join(["track_id,artists,track_name", *rows]))

    def cut(done: int) -> None:
        raise ConnectionError(f"after {done} songs")

    with open_stage() as stage:
        stage_songs(path, {}, stage, lambda done: None)
        with pytest.raises(ConnectionError, match="after 1000 songs"):
            await store_songs(stage, cut)
    assert await import_file(path) == StoreReport(inserted=500, unchanged=1000)
