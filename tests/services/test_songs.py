"""Lists of songs read page by page from a snapshot, while the catalogue changes under them."""

from datetime import UTC, datetime

import orjson
import pytest

from src.config.settings import Settings
from src.models.errors import ConflictError, NotFoundError
from src.models.songs import CatalogueChange, Song, SongCreate, SongPatch
from src.services import songs as service
from src.services.artifacts.holder import SnapshotHolder
from tests.conftest import SongJson, of_genre, song_facts, store_songs

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
async def holder(settings: Settings, songs: list[SongJson]) -> SnapshotHolder:
    holder = SnapshotHolder(settings)
    await holder.start()
    return holder


def page(holder: SnapshotHolder, limit: int, cursor: str | None = None) -> tuple[list[str], str | None]:
    found, more = service.list_songs(holder.snapshot, query=None, genre=None, bounds=(), limit=limit, cursor=cursor)
    return [orjson.loads(card)["id"] for card in found], more


@pytest.mark.parametrize("limit", [1, 7, 59, 60])
async def test_pages_make_up_the_list(holder: SnapshotHolder, limit: int) -> None:
    whole, none = page(holder, 100)
    assert none is None
    found, cursor = page(holder, limit)
    while cursor:
        more, cursor = page(holder, limit, cursor)
        found += more
    assert found == whole
    assert len(set(found)) == 60


async def test_a_cursor_stays_good_when_songs_before_it_go(holder: SnapshotHolder) -> None:
    whole, _ = page(holder, 100)
    first, cursor = page(holder, 10)
    for song_id in (*first[:5], whole[12]):
        await service.delete_song(song_id)
    await holder.refresh()
    second, _ = page(holder, 10, cursor)
    assert second == [song_id for song_id in whole[10:] if song_id != whole[12]][:10]


async def test_every_change_is_one_entry_of_the_log(holder: SnapshotHolder) -> None:
    before = await CatalogueChange.find_all().count()
    made = await service.create_song(SongCreate(title="T", artists=["A"]), NOW)
    await service.patch_song(made["id"], SongPatch(title="U"), NOW)
    await service.delete_song(made["id"])
    assert await CatalogueChange.find_all().count() == before + 3


async def test_a_refused_change_is_none(holder: SnapshotHolder, songs: list[SongJson]) -> None:
    before = await CatalogueChange.find_all().count()
    with pytest.raises(ConflictError):
        await service.create_song(SongCreate(title="T", artists=["A"], external_ids=songs[0]["external_ids"]), NOW)
    with pytest.raises(NotFoundError):
        await service.patch_song("0" * 24, SongPatch(title="U"), NOW)
    with pytest.raises(NotFoundError):
        await service.delete_song("0" * 24)
    assert await CatalogueChange.find_all().count() == before


async def test_the_source_of_what_an_operator_said_is_kept(songs: list[SongJson]) -> None:
    await service.patch_song(songs[0]["id"], SongPatch(genres=["by hand"]), NOW)
    (stored,) = await Song.find(Song.title == songs[0]["title"]).to_list()
    assert {name: entry.source for name, entry in stored.provenance.items()} == {"genres": "operator"}


async def test_only_what_an_operator_named_is_kept_from_imports(songs: list[SongJson]) -> None:
    song = of_genre(songs, "jazz")[0]
    await service.patch_song(song["id"], SongPatch(popularity=1.0), NOW)
    (imported,) = await store_songs([song_facts("jazz", 0, title="Retitled", popularity=50.0)])
    assert (imported["title"], imported["popularity"]) == ("Retitled", 1.0)
