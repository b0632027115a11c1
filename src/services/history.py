"""A listener's history, newest first."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bson import ObjectId
from bson.errors import InvalidId

from src.models.errors import InvalidRequestError
from src.models.interactions import HistoryItem, Interaction, Kind
from src.models.pages import Page, decode_cursor, encode_cursor
from src.models.songs import Song
from src.services.catalogue.columns import PROJECTION, read_song

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


async def read_history(user_id: ObjectId, *, kind: Kind | None, limit: int, cursor: str | None) -> Page[HistoryItem]:
    """A page of one listener's interactions with their songs."""
    query: dict[str, Any] = {"user_id": user_id}
    if kind is not None:
        query["kind"] = kind.value
    if cursor is not None:
        at, last_id = _place(cursor)
        query["$or"] = [{"occurred_at": {"$lt": at}}, {"occurred_at": at, "_id": {"$lt": last_id}}]
    found = await (
        Interaction.get_pymongo_collection()
        .find(query)
        .sort([("occurred_at", -1), ("_id", -1)])
        .limit(limit + 1)
        .to_list()
    )
    page = found[:limit]
    song_ids = list({entry["song_id"] for entry in page})
    songs = Song.get_pymongo_collection().find({"_id": {"$in": song_ids}}, PROJECTION)
    by_id = {song["_id"]: read_song(song) async for song in songs}
    items = [
        HistoryItem(
            id=str(entry["_id"]),
            kind=entry["kind"],
            ms_played=entry.get("ms_played"),
            occurred_at=entry["occurred_at"],
            song=by_id.get(entry["song_id"]),
            song_id=str(entry["song_id"]),
        )
        for entry in page
    ]
    more = None
    if len(found) > limit:
        last = page[-1]
        milliseconds = (last["occurred_at"] - _EPOCH) // timedelta(milliseconds=1)
        more = encode_cursor(str(milliseconds), str(last["_id"]))
    return Page(items=items, next_cursor=more)


def _place(cursor: str) -> tuple[datetime, ObjectId]:
    milliseconds, last_id = decode_cursor(cursor, 2)
    try:
        return _EPOCH + timedelta(milliseconds=int(milliseconds)), ObjectId(last_id)
    except (ValueError, OverflowError, InvalidId):
        raise InvalidRequestError.at(["query", "cursor"], "not a cursor of this list") from None
