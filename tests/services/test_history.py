"""History pages by the place after the last item, whatever happens in between."""

from datetime import UTC, datetime, timedelta

import pytest
from bson import ObjectId

from src.models.errors import InvalidRequestError
from src.models.interactions import HistoryItem, InteractionCreate, Kind
from src.models.pages import encode_cursor
from src.services.history import read_history
from src.services.interactions import record
from tests.conftest import SongJson, add_user

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)


async def like(user: ObjectId, song: SongJson, at: datetime) -> None:
    await record(user, [InteractionCreate(song_id=song["id"], kind=Kind.LIKE, occurred_at=at)], NOON, batch=False)


async def read_all(user: ObjectId, limit: int, kind: Kind | None = None) -> list[HistoryItem]:
    page = await read_history(user, kind=kind, limit=limit, cursor=None)
    items = list(page.items)
    while page.next_cursor:
        page = await read_history(user, kind=kind, limit=limit, cursor=page.next_cursor)
        assert page.items
        items += page.items
    return items


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7])
async def test_every_page_size_gives_the_same_list(songs: list[SongJson], limit: int) -> None:
    user = await add_user("ada")
    for n, song in enumerate(songs[:6]):
        await like(user, song, NOON - timedelta(milliseconds=n // 4))
    items = await read_all(user, limit)
    assert [item.id for item in items] == [item.id for item in await read_all(user, 100)]
    assert len(items) == 6


async def test_a_last_page_that_is_full_has_no_next(songs: list[SongJson]) -> None:
    user = await add_user("ada")
    for song in songs[:4]:
        await like(user, song, NOON)
    page = await read_history(user, kind=None, limit=4, cursor=None)
    assert (len(page.items), page.next_cursor) == (4, None)


async def test_what_happened_before_1970_pages_as_well(songs: list[SongJson]) -> None:
    cursor = encode_cursor("-1000", str(ObjectId()))
    assert (await read_history(ObjectId(), kind=None, limit=4, cursor=cursor)).items == []


@pytest.mark.parametrize("parts", [("x", "0" * 24), ("1", "x"), ("9" * 30, "0" * 24), ("1",), ("1", "2", "3")])
async def test_a_made_up_cursor_is_refused(songs: list[SongJson], parts: tuple[str, ...]) -> None:
    with pytest.raises(InvalidRequestError, match=r"query\.cursor"):
        await read_history(ObjectId(), kind=None, limit=4, cursor=encode_cursor(*parts))
