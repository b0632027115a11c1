"""Interactions from files: stored once, for listeners that are created, with profiles computed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bson import ObjectId

from src.models.interactions import Interaction, Kind, TasteProfile
from src.models.users import Role, User
from src.services.catalogue.store import song_document, upsert_songs
from src.services.importing.interactions import InteractionReport, import_interactions

pytestmark = pytest.mark.usefixtures("database")

SPOTIFY = [f"{n:022d}" for n in range(4)]


@pytest.fixture
async def songs(database: Any) -> list[ObjectId]:
    """Four songs of 200 s in the catalogue."""
    documents = [
        song_document(
            {"title": f"T{n}", "artists": ["A"], "duration_ms": 200_000, "external_ids": {"spotify": id_}},
            f"spotify:{id_}",
        )
        for n, id_ in enumerate(SPOTIFY)
    ]
    await upsert_songs(documents)
    return [song["_id"] async for song in database.songs.find().sort("import_key", 1)]


async def run(path: Path, *, dry_run: bool = False) -> InteractionReport:
    return await import_interactions(
        path, {}, dry_run=dry_run, on_progress=lambda done: None, on_profile=lambda done, total: None
    )


def write(folder: Path, *lines: str) -> Path:
    path = folder / "plays.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


async def test_rows_become_interactions_of_the_listener_they_name(tmp_path: Path, songs: list[ObjectId]) -> None:
    path = write(
        tmp_path,
        "user,song,kind,time,ms_played",
        f"Ada,{SPOTIFY[0]},play,2017-07-14T02:40:00Z,100000",
        f"ada,{songs[1]},like,1500000000,",
        f"bo,spotify:{SPOTIFY[2]},skip,1500000000000,5000",
    )
    report = await run(path)
    assert (report.n_rows, report.n_stored, report.n_known, report.n_rejected) == (3, 3, 0, 0)
    assert (report.n_listeners, report.n_created, report.n_undated) == (2, 2, 0)
    ada = await User.find_one(User.username_key == "ada")
    assert ada is not None
    assert (ada.username in ("Ada", "ada"), ada.password_hash, ada.role) == (True, "!", Role.LISTENER)
    found = await Interaction.find(Interaction.user_id == ada.id).sort("kind").to_list()
    assert [(i.song_id, i.kind, i.ms_played, i.completion) for i in found] == [
        (songs[1], Kind.LIKE, None, None),
        (songs[0], Kind.PLAY, 100_000, 0.5),
    ]
    assert {i.occurred_at for i in found} == {datetime(2017, 7, 14, 2, 40, tzinfo=UTC)}
    profile = await TasteProfile.get(ada.id)
    assert profile is not None
    assert profile.liked == [songs[1]]
    assert profile.n_interactions == 2


async def test_importing_again_changes_nothing_even_where_the_file_says_no_time(
    tmp_path: Path, songs: list[ObjectId]
) -> None:
    path = write(tmp_path, "user_id,track_id,plays", *(f"{n % 2},{id_},{n + 1}" for n, id_ in enumerate(SPOTIFY)))
    first = await run(path)
    assert (first.n_stored, first.n_undated, first.n_created) == (4, 4, 2)
    before = await Interaction.get_pymongo_collection().find().sort("_id", 1).to_list()
    again = await run(path)
    assert (again.n_stored, again.n_known, again.n_created) == (0, 4, 0)
    assert await Interaction.get_pymongo_collection().find().sort("_id", 1).to_list() == before
    assert sorted(document["times"] for document in before) == [1, 2, 3, 4]


async def test_profiles_are_computed_for_listeners_whose_rows_are_all_known(
    tmp_path: Path, songs: list[ObjectId]
) -> None:
    path = write(tmp_path, "user,song,kind", f"ada,{SPOTIFY[0]},like")
    await run(path)
    await TasteProfile.get_pymongo_collection().delete_many({})  # as if it had ended before the profiles
    await run(path)
    (profile,) = await TasteProfile.find().to_list()
    assert profile.liked == [songs[0]]


async def test_an_account_that_exists_is_used_and_kept(tmp_path: Path, songs: list[ObjectId]) -> None:
    await User(username="Ada", username_key="ada", password_hash="real").insert()
    report = await run(write(tmp_path, "user,song", f"ADA,{SPOTIFY[0]}"))
    assert report.n_created == 0
    (user,) = await User.find().to_list()
    assert (user.username, user.password_hash) == ("Ada", "real")


async def test_bad_rows_are_rejected_with_their_line_and_the_good_ones_are_kept(
    tmp_path: Path, songs: list[ObjectId]
) -> None:
    path = write(
        tmp_path,
        "user,song,kind",
        f"ada,{'9' * 22},like",
        f"ada,{SPOTIFY[0]},loved",
        f"bo,{'f' * 24},play",
        f"cy,{SPOTIFY[1]},like",
    )
    report = await run(path)
    assert (report.n_stored, report.n_rejected) == (1, 3)
    assert sorted(report.first_rejects) == [
        (2, f"song: '{'9' * 22}' is not in the catalogue"),
        (3, "kind: 'loved' is none of play, like, unlike, skip, dislike"),
        (4, f"song: '{'f' * 24}' is not in the catalogue"),
    ]
    assert [user.username for user in await User.find().to_list()] == ["cy"]


async def test_a_dry_run_writes_nothing_and_tells_what_would_be(tmp_path: Path, songs: list[ObjectId]) -> None:
    report = await run(write(tmp_path, "user,song", *(f"u{n},{SPOTIFY[n]}" for n in range(3))), dry_run=True)
    assert (report.n_stored, report.n_listeners, report.n_created) == (3, 3, 3)
    for model in (User, Interaction, TasteProfile):
        assert await model.get_pymongo_collection().count_documents({}) == 0


async def test_parquet_with_typed_columns_is_read(tmp_path: Path, songs: list[ObjectId]) -> None:
    path = tmp_path / "plays.parquet"
    at = pa.array([1_500_000_000_000] * 1200, pa.timestamp("ms", "UTC"))
    ms = pa.array(range(1200), pa.int64())
    pq.write_table(pa.table({"user": [7] * 1200, "item": [SPOTIFY[0]] * 1200, "ts": at, "ms_played": ms}), path)
    report = await run(path)
    assert (report.n_rows, report.n_stored, report.n_listeners) == (1200, 1200, 1)
    interaction = await Interaction.find_one()
    assert interaction is not None
    assert interaction.occurred_at == datetime(2017, 7, 14, 2, 40, tzinfo=UTC)
