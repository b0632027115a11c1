"""Recording what listeners do, with the taste profile moving in the same transaction."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from weakref import WeakValueDictionary

from beanie import PydanticObjectId
from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.errors import DuplicateKeyError

from src.config.database import DURABLE
from src.models.errors import ConflictError, InvalidRequestError, UnauthenticatedError
from src.models.interactions import Interaction, InteractionCreate, InteractionRead, Kind, TasteProfile
from src.models.songs import Song
from src.models.users import User
from src.services.taste import apply, build_profile, completion_of, read_interactions, to_document

MAX_AHEAD: Final = timedelta(minutes=5)
"""How far a client's clock may be ahead of ours."""

EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
ATTEMPTS: Final = 3

_writing: WeakValueDictionary[ObjectId, asyncio.Lock] = WeakValueDictionary()


async def record(
    user_id: ObjectId, events: Sequence[InteractionCreate], now: datetime, *, batch: bool
) -> list[InteractionRead]:
    """Store events of one listener, all or none, and move the listener's profile with them.

    An event whose ``event_id`` the listener has sent before changes nothing and is returned as stored.

    Args:
        batch: whether the request was a list, for the places named in errors.

    Raises:
        InvalidRequestError: unknown songs or impossible times; names every fault.
        UnauthenticatedError: the account is gone.
    """
    songs = await _songs({ObjectId(event.song_id) for event in events})
    _check(events, songs, now, batch)
    ordered = [_interaction(user_id, event, songs, now) for event in events]
    # One event twice in one batch is a replay of itself: the first counts.
    first = {interaction.event_id: interaction for interaction in reversed(ordered)}
    fresh = sorted(first.values(), key=lambda interaction: interaction.occurred_at)
    # Two requests of one listener in one process take turns here; across processes the transaction decides.
    async with writing(user_id):
        known = await _store(user_id, fresh, songs)
    answers, seen = [], set()
    for interaction in ordered:
        stored = known.get(interaction.event_id)
        replayed = stored is not None or interaction.event_id in seen
        seen.add(interaction.event_id)
        answers.append(read_interaction(stored or first[interaction.event_id], replayed=replayed))
    return answers


@asynccontextmanager
async def writing(user_id: ObjectId) -> AsyncIterator[None]:
    """A listener's turn to be written, in this process."""
    lock = _writing.setdefault(user_id, asyncio.Lock())
    async with lock:
        yield


def read_interaction(interaction: Interaction, *, replayed: bool) -> InteractionRead:
    return InteractionRead(
        id=str(interaction.id),
        event_id=interaction.event_id,
        song_id=str(interaction.song_id),
        kind=interaction.kind,
        ms_played=interaction.ms_played,
        occurred_at=interaction.occurred_at,
        replayed=replayed,
    )


async def _songs(song_ids: set[ObjectId]) -> dict[ObjectId, dict[str, Any]]:
    found = Song.get_pymongo_collection().find(
        {"_id": {"$in": list(song_ids)}}, {"audio_features": 1, "duration_ms": 1}
    )
    return {song["_id"]: song async for song in found}


def _check(
    events: Sequence[InteractionCreate], songs: dict[ObjectId, dict[str, Any]], now: datetime, batch: bool
) -> None:
    errors = []
    for i, event in enumerate(events):
        place = ["body", "interactions", i] if batch else ["body"]
        if ObjectId(event.song_id) not in songs:
            msg = f"there is no song {event.song_id} in the catalogue; search /api/v1/songs for its id"
            errors.append({"loc": [*place, "song_id"], "msg": msg, "type": "unknown_song"})
        if event.occurred_at is not None and event.occurred_at > now + MAX_AHEAD:
            msg = f"{event.occurred_at.isoformat()} is in the future; send the time it happened, or leave it out"
            errors.append({"loc": [*place, "occurred_at"], "msg": msg, "type": "time_in_future"})
        elif event.occurred_at is not None and event.occurred_at < EARLIEST:
            msg = f"{event.occurred_at.isoformat()} is before {EARLIEST.year}; is it in seconds, not milliseconds?"
            errors.append({"loc": [*place, "occurred_at"], "msg": msg, "type": "time_too_early"})
    if errors:
        first = f"{'.'.join(str(part) for part in errors[0]['loc'])}: {errors[0]['msg']}"
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise InvalidRequestError(first + more, errors=errors)


def _interaction(
    user_id: ObjectId, event: InteractionCreate, songs: dict[ObjectId, dict[str, Any]], now: datetime
) -> Interaction:
    song_id = PydanticObjectId(event.song_id)
    # MongoDB keeps milliseconds; what we answer now must be what we answer later.
    at = min(event.occurred_at or now, now).astimezone(UTC)
    at = at.replace(microsecond=at.microsecond // 1000 * 1000)
    new_id = PydanticObjectId()
    completion = None
    if event.kind in (Kind.PLAY, Kind.SKIP):
        completion = completion_of(event.ms_played, songs[song_id].get("duration_ms"))
    return Interaction(
        id=new_id,
        user_id=PydanticObjectId(user_id),
        song_id=song_id,
        kind=event.kind,
        ms_played=event.ms_played,
        completion=completion,
        occurred_at=at,
        received_at=now,
        event_id=event.event_id or f"server:{new_id}",
    )


async def _store(
    user_id: ObjectId, fresh: list[Interaction], songs: dict[ObjectId, dict[str, Any]]
) -> dict[str, Interaction]:
    """Insert what is new and move the profile, in one transaction; returns the events known before."""
    collection = Interaction.get_pymongo_collection()
    profiles = TasteProfile.get_pymongo_collection()
    users = User.get_pymongo_collection()

    async def body(session: AsyncClientSession) -> dict[str, Interaction]:
        # An access token outlives its account by minutes; what it writes then would never be deleted.
        if await users.find_one({"_id": user_id}, {"_id": 1}, session=session) is None:
            raise UnauthenticatedError
        ids = [interaction.event_id for interaction in fresh]
        found = collection.find({"user_id": user_id, "event_id": {"$in": ids}}, session=session)
        known = {d["event_id"]: Interaction.model_validate(d) async for d in found}
        new = [interaction for interaction in fresh if interaction.event_id not in known]
        if not new:
            return known
        await collection.insert_many(
            [{"_id": n.id, **n.model_dump(exclude={"id", "revision_id"}, exclude_none=True)} for n in new],
            session=session,
        )
        document = await profiles.find_one({"_id": user_id}, session=session)
        profile = TasteProfile.model_validate(document or {"_id": user_id})
        if profile.updated_at is not None and new[0].occurred_at < profile.updated_at:
            # Something from the past came late (a phone was offline): the order of events matters, so retell it.
            history = await read_interactions(user_id, session)
            audio = await _audio(history, songs, session)
            profile = build_profile(user_id, history, audio)
        else:
            for interaction in new:
                apply(profile, interaction, songs[interaction.song_id].get("audio_features") or {})
        await profiles.replace_one({"_id": user_id}, to_document(profile), upsert=True, session=session)
        return known

    client = collection.database.client
    for _ in range(ATTEMPTS):
        try:
            async with client.start_session() as session:
                known = await session.with_transaction(body, write_concern=DURABLE)
            # The embedded server acknowledges a commit before its journal is on disk, whatever the write
            # concern (docs/adr/0005); a single write that waits for the journal takes the commit with it.
            await profiles.update_one({"_id": user_id}, {"$inc": {"n_writes": 1}})
            return known
        except DuplicateKeyError:
            # The same event arrived by another process between our look and our insert: look again.
            continue
    raise ConflictError("The same events are being stored by another request; send them again.")


async def _audio(
    history: Sequence[Interaction], songs: dict[ObjectId, dict[str, Any]], session: AsyncClientSession
) -> dict[ObjectId, dict[str, float | None]]:
    audio = {song_id: song.get("audio_features") or {} for song_id, song in songs.items()}
    missing = list({event.song_id for event in history} - audio.keys())
    found = Song.get_pymongo_collection().find({"_id": {"$in": missing}}, {"audio_features": 1}, session=session)
    return audio | {song["_id"]: song.get("audio_features") or {} async for song in found}
