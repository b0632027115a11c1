"""The taste profile: what a listener's interactions add up to. Pure but for ``rebuild_profiles``."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from beanie import PydanticObjectId
from bson import ObjectId
from pymongo.asynchronous.client_session import AsyncClientSession

from src.config.database import DURABLE
from src.models.audio import RANGES, UNIT_FEATURES
from src.models.interactions import Interaction, Kind, Signal, TasteProfile
from src.models.songs import Song

MAX_POSITIVES: Final = 200
MAX_NEGATIVES: Final = 100
MAX_HEARD: Final = 500
MAX_LIKED: Final = 2_000
MAX_BANNED: Final = 2_000
MAX_REBUILT: Final = 5_000
"""Interactions a rebuilt profile looks back on."""

LIKE_WEIGHT: Final = 1.0
PLAY_WEIGHT: Final = 0.25
"""A play in full; a partial one counts by its share, and 30 seconds or half the song are the least."""
MAX_WEIGHT: Final = 2.0
SKIP_WEIGHT: Final = 0.5
DISLIKE_WEIGHT: Final = 1.0

MIN_PLAYED_MS: Final = 30_000
HALF_LIFE_DAYS: Final = 90.0
"""A like's share in the mean audio halves after this long."""

MEAN_FEATURES: Final = (*UNIT_FEATURES, "tempo_bpm", "loudness_db")


def completion_of(ms_played: int | None, duration_ms: int | None) -> float | None:
    """Share of the song that was played, 0 to 1; None where it cannot be known."""
    if ms_played is None or not duration_ms:
        return None
    return min(ms_played / duration_ms, 1.0)


def play_weight(ms_played: int | None, completion: float | None, times: int = 1) -> float:
    """What plays of a song add to its standing: 0 for one broken off at once, more slowly for many."""
    if completion is not None:
        share = completion if completion >= 0.5 or (ms_played or 0) >= MIN_PLAYED_MS else 0.0
    elif ms_played is not None:
        share = 1.0 if ms_played >= MIN_PLAYED_MS else 0.0
    else:
        share = 1.0
    return float(PLAY_WEIGHT * share * times**0.5)


def apply(profile: TasteProfile, event: Interaction, audio: Mapping[str, float | None]) -> None:
    """Move a profile by one interaction, which must not be older than those already in it.

    Args:
        audio: the song's audio features, for the running mean.
    """
    song, at = event.song_id, event.occurred_at
    profile.n_interactions += 1
    profile.updated_at = at
    if event.kind in (Kind.PLAY, Kind.SKIP):
        _remember(profile.heard, song, MAX_HEARD)
    match event.kind:
        case Kind.LIKE:
            already = song in profile.liked
            _remember(profile.liked, song, MAX_LIKED)
            _forget(profile.banned, song)
            _drop(profile.negatives, song)
            _add(profile, song, 0.0 if already else LIKE_WEIGHT, at, audio)
        case Kind.PLAY:
            weight = play_weight(event.ms_played, event.completion, event.times)
            if weight > 0 and song not in profile.banned:
                _drop(profile.negatives, song)
                _add(profile, song, weight, at, audio)
        case Kind.SKIP:
            if song not in profile.liked:
                _put(profile.negatives, song, SKIP_WEIGHT, at, MAX_NEGATIVES)
        case Kind.DISLIKE:
            _forget(profile.liked, song)
            _remember(profile.banned, song, MAX_BANNED)
            _withdraw(profile, song, MAX_WEIGHT, at, audio)
            _put(profile.negatives, song, DISLIKE_WEIGHT, at, MAX_NEGATIVES)
        case Kind.UNLIKE:
            if song in profile.liked:
                _forget(profile.liked, song)
                _withdraw(profile, song, LIKE_WEIGHT, at, audio)
            if song in profile.banned:
                _forget(profile.banned, song)
                _drop(profile.negatives, song)


def _remember(songs: list[PydanticObjectId], song: PydanticObjectId, most: int) -> None:
    _forget(songs, song)
    songs.append(song)
    del songs[:-most]


def _forget(songs: list[PydanticObjectId], song: PydanticObjectId) -> None:
    if song in songs:
        songs.remove(song)


def _drop(signals: list[Signal], song: PydanticObjectId) -> Signal | None:
    for i, signal in enumerate(signals):
        if signal.song_id == song:
            return signals.pop(i)
    return None


def _put(signals: list[Signal], song: PydanticObjectId, weight: float, at: datetime, most: int) -> None:
    _drop(signals, song)
    signals.append(Signal(song_id=song, weight=weight, at=at))
    del signals[:-most]


def _add(
    profile: TasteProfile, song: PydanticObjectId, weight: float, at: datetime, audio: Mapping[str, float | None]
) -> None:
    before = _drop(profile.positives, song)
    held = before.weight if before else 0.0
    total = min(held + weight, MAX_WEIGHT)
    _put(profile.positives, song, total, at, MAX_POSITIVES)
    # What the song had in the mean is dated anew, as its signal is: else withdrawing it would take out more than is in.
    faded = held * _decay(at, before.at) if before else 0.0
    _shift_mean(profile, total - faded, at, audio)


def _withdraw(
    profile: TasteProfile, song: PydanticObjectId, weight: float, at: datetime, audio: Mapping[str, float | None]
) -> None:
    before = _drop(profile.positives, song)
    if before is None:
        return
    rest = before.weight - weight
    if rest > 1e-6:
        profile.positives.append(Signal(song_id=song, weight=rest, at=before.at))
        profile.positives.sort(key=lambda signal: signal.at)
    _shift_mean(profile, -min(weight, before.weight) * _decay(at, before.at), at, audio)


def _shift_mean(profile: TasteProfile, weight: float, at: datetime, audio: Mapping[str, float | None]) -> None:
    decay = 1.0 if profile.audio_at is None else _decay(at, profile.audio_at)
    profile.audio_at = at
    for name in MEAN_FEATURES:
        value = audio.get(name)
        share = weight if value is not None else 0.0
        total = profile.audio_weight.get(name, 0.0) * decay + share
        if total <= 1e-6:
            profile.audio_weight.pop(name, None)
            profile.audio_sum.pop(name, None)
        else:
            profile.audio_weight[name] = total
            profile.audio_sum[name] = profile.audio_sum.get(name, 0.0) * decay + share * (value or 0.0)


def _decay(later: datetime, earlier: datetime) -> float:
    days = max((later - earlier).total_seconds() / 86_400, 0.0)
    return float(2 ** (-days / HALF_LIFE_DAYS))


def audio_mean(profile: Mapping[str, Any]) -> dict[str, float]:
    """Decayed mean audio of a raw profile document, feature -> value within the feature's range."""
    weights = profile.get("audio_weight") or {}
    sums = profile.get("audio_sum") or {}
    # A song whose features changed between like and dislike takes out another value than it brought in.
    return {name: _within(name, sums[name] / weight) for name, weight in weights.items() if weight > 0}


def _within(feature: str, value: float) -> float:
    floor, ceiling = RANGES[feature]
    return min(max(value, floor), ceiling)


async def audio_of(song_ids: Sequence[ObjectId]) -> dict[ObjectId, dict[str, float | None]]:
    """Audio features of songs by id; a song that is gone is left out."""
    songs = Song.get_pymongo_collection().find({"_id": {"$in": list(song_ids)}}, {"audio_features": 1})
    return {song["_id"]: song.get("audio_features") or {} async for song in songs}


def build_profile(
    user_id: ObjectId,
    interactions: Sequence[Interaction],
    audio: Mapping[ObjectId, Mapping[str, float | None]],
) -> TasteProfile:
    """The profile that ``interactions``, oldest first, add up to."""
    profile = TasteProfile(id=PydanticObjectId(user_id))
    for interaction in interactions:
        apply(profile, interaction, audio.get(interaction.song_id, {}))
    return profile


def to_document(profile: TasteProfile) -> dict[str, Any]:
    """A profile as it is stored."""
    document = profile.model_dump(exclude={"id", "revision_id"}, exclude_none=True)
    return {"_id": profile.id, **document}


async def rebuild_profiles(user_ids: Sequence[ObjectId], on_progress: Callable[[int, int], None] | None = None) -> None:
    """Compute profiles anew from the newest ``MAX_REBUILT`` stored interactions of each listener.

    Args:
        on_progress: called with (done, total) after each listener.
    """
    client = TasteProfile.get_pymongo_collection().database.client
    audio: dict[ObjectId, dict[str, float | None]] = {}
    for done, user_id in enumerate(user_ids, start=1):
        # In a transaction, so that a like that arrives meanwhile is either read here or makes this one retry.
        async with client.start_session() as session:
            await session.with_transaction(partial(_rebuild, user_id, audio), write_concern=DURABLE)
        if on_progress:
            on_progress(done, len(user_ids))


async def _rebuild(
    user_id: ObjectId, audio: dict[ObjectId, dict[str, float | None]], session: AsyncClientSession
) -> None:
    interactions = await read_interactions(user_id, session)
    missing = {event.song_id for event in interactions} - audio.keys()
    if missing:
        audio |= await audio_of(list(missing))
    profile = build_profile(user_id, interactions, audio)
    await TasteProfile.get_pymongo_collection().replace_one(
        {"_id": user_id}, to_document(profile), upsert=True, session=session
    )


async def read_interactions(user_id: ObjectId, session: AsyncClientSession | None = None) -> list[Interaction]:
    """The newest ``MAX_REBUILT`` interactions of a listener, oldest first."""
    found = await (
        Interaction.get_pymongo_collection()
        .find({"user_id": user_id}, session=session)
        .sort([("occurred_at", -1), ("_id", -1)])
        .limit(MAX_REBUILT)
        .to_list()
    )
    return [Interaction.model_validate(document) for document in reversed(found)]
