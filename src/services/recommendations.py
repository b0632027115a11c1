"""From a listener and a question to an explained list."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
import orjson
from bson import ObjectId
from numpy.typing import NDArray

from src.models.audio import AUDIO_FEATURES, RANGES, SHORT_NAMES
from src.models.errors import InvalidRequestError
from src.models.interactions import TasteProfile
from src.models.recommendations import RecommendationQuery, SessionQuery, Strategy
from src.services.catalogue.names import name_key
from src.services.catalogue.snapshot import Snapshot
from src.services.recommender.context import Context, Request
from src.services.recommender.moods import MOOD_NAMES
from src.services.recommender.pipeline import Answer, recommend
from src.services.recommender.reasons import explain
from src.services.taste import audio_mean
from src.services.wording import in_words

HALF_LIFE_DAYS: Final = 30.0
"""A like counts half in a recommendation after this long without hearing the song again."""

FALLBACKS: Final = {
    "no_history": "Nothing is known of your taste yet: this is what is popular. Like a few songs.",
    "no_model": "No model has been trained on interactions yet: this is by content and popularity.",
    "no_opinion": "This strategy has no opinion from your history: this is the hybrid answer.",
    "heard_everything": "You have heard every song that fits: these are worth hearing again.",
}

Profile = Mapping[str, Any]


async def find_profile(user_id: ObjectId) -> Profile | None:
    """The raw taste profile of a listener; the only database read of a recommendation."""
    return await TasteProfile.get_pymongo_collection().find_one({"_id": user_id})


def recommend_to_listener(
    snapshot: Snapshot, profile: Profile | None, query: RecommendationQuery, now: datetime
) -> bytes:
    """The ``RecommendationsRead`` JSON for a listener.

    Raises:
        InvalidRequestError: the query names what does not exist, or contradicts itself.
    """
    profile = profile or {}
    positives = profile.get("positives") or []
    negatives = profile.get("negatives") or []
    context = _context(
        snapshot,
        [(signal["song_id"].binary, _decayed(signal, now)) for signal in positives],
        [(signal["song_id"].binary, _decayed(signal, now)) for signal in negatives],
        _seeds(snapshot, query.seed_song_ids, "seed_song_ids"),
        audio_mean(profile),
    )
    opinions = {signal["song_id"] for signal in (*positives, *negatives)}
    heard = [song.binary for field in ("heard", "liked") for song in profile.get(field) or [] if song not in opinions]
    banned = [song.binary for song in profile.get("banned") or []]
    return _answer(snapshot, context, query, heard, banned)


def recommend_to_session(snapshot: Snapshot, query: SessionQuery) -> bytes:
    """The ``RecommendationsRead`` JSON for a list of likes and skips, the latest last.

    Raises:
        InvalidRequestError: as ``recommend_to_listener``.
    """
    liked = _seeds(snapshot, query.liked_song_ids, "liked_song_ids")
    skipped = _seeds(snapshot, query.skipped_song_ids, "skipped_song_ids")
    seeds = _seeds(snapshot, query.seed_song_ids, "seed_song_ids")
    context = _context(snapshot, [(s, 1.0) for s in liked], [(s, 0.5) for s in skipped], seeds, {})
    return _answer(snapshot, context, query, [], [])


def _decayed(signal: Mapping[str, Any], now: datetime) -> float:
    days = max((now - signal["at"]).total_seconds() / 86_400, 0.0)
    return float(signal["weight"] * 2 ** (-days / HALF_LIFE_DAYS))


def _seeds(snapshot: Snapshot, song_ids: Sequence[str], field: str) -> list[bytes]:
    ids = [bytes.fromhex(song_id) for song_id in song_ids]
    missing = np.flatnonzero(snapshot.rows_of(ids) < 0)
    if len(missing):
        raise InvalidRequestError.at([field, int(missing[0])], f"there is no song {song_ids[missing[0]]}")
    return ids


def _context(
    snapshot: Snapshot,
    positives: Sequence[tuple[bytes, float]],
    negatives: Sequence[tuple[bytes, float]],
    seeds: Sequence[bytes],
    taste: dict[str, float],
) -> Context:
    # A seed is asked for now: it leads, however long the history.
    strongest = max(1.0, sum(weight for _, weight in positives))
    weighted = [*positives, *((seed, strongest) for seed in seeds)]
    rows, weights = _known(snapshot, weighted)
    negative_rows, negative_weights = _known(snapshot, negatives)
    return Context(rows, weights, negative_rows, negative_weights, taste)


def _known(
    snapshot: Snapshot, weighted: Sequence[tuple[bytes, float]]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    rows = snapshot.rows_of([song_id for song_id, _ in weighted])
    weights = np.array([weight for _, weight in weighted], np.float32)
    known = rows >= 0
    return rows[known], np.maximum(weights[known], np.float32(1e-6))


def request_of(
    snapshot: Snapshot,
    context: Context,
    query: RecommendationQuery,
    heard: Sequence[bytes],
    banned: Sequence[bytes],
) -> Request:
    """The query in rows and numbers.

    Args:
        heard: songs known to the listener besides those of the context.

    Raises:
        InvalidRequestError: an unknown mood, genre or feature, or bounds that contradict each other.
    """
    if query.strategy is Strategy.MOOD and query.mood is None:
        raise InvalidRequestError.at(["mood"], f"strategy mood needs a mood, one of: {', '.join(MOOD_NAMES)}")
    if query.mood is not None and query.mood not in MOOD_NAMES:
        raise InvalidRequestError.at(["mood"], f"there is no mood {query.mood!r}; there are: {', '.join(MOOD_NAMES)}")
    keys = [name_key(genre) for genre in query.genres]
    for genre, key in zip(query.genres, keys, strict=True):
        if key not in snapshot.genre_names:
            raise InvalidRequestError.at(
                ["genres"], f"no song has the genre {genre!r}; GET /api/v1/genres lists those there are"
            )
    seeds = [bytes.fromhex(song_id) for song_id in query.seed_song_ids]
    excluded = [bytes.fromhex(song_id) for song_id in query.exclude_song_ids]
    return Request(
        limit=query.limit,
        strategy="hybrid" if query.strategy is Strategy.MOOD else query.strategy.value,
        mood=None if query.mood is None else MOOD_NAMES.index(query.mood),
        mood_leads=query.strategy is Strategy.MOOD,
        genres=np.array(keys, np.uint64),
        bounds=bounds_of(query),
        targets=_targets_of(query),
        explicit=query.explicit,
        excluded=_rows(snapshot, [*banned, *excluded, *seeds]),
        heard=np.concatenate([context.positives, context.negatives, _rows(snapshot, heard)]),
        diversity=query.diversity,
    )


def _rows(snapshot: Snapshot, ids: Sequence[bytes]) -> NDArray[np.int32]:
    rows = snapshot.rows_of(list(ids))
    return rows[rows >= 0]


def _feature(name: str, side: str) -> str:
    feature = SHORT_NAMES.get(name, name)
    if feature not in AUDIO_FEATURES:
        raise InvalidRequestError.at([side, name], f"no audio feature {name!r}; there are: {', '.join(AUDIO_FEATURES)}")
    return feature


def bounds_of(query: RecommendationQuery) -> tuple[tuple[str, float, float], ...]:
    low = {_feature(name, "minimum"): value for name, value in query.minimum.items()}
    high = {_feature(name, "maximum"): value for name, value in query.maximum.items()}
    bounds = []
    for feature in {**low, **high}:
        least, most = low.get(feature, -np.inf), high.get(feature, np.inf)
        if least > most:
            raise InvalidRequestError.at(
                [f"min_{feature}"], f"{least:g} is above max_{feature}, {most:g}; no song can meet both"
            )
        floor, ceiling = RANGES[feature]
        if least > ceiling or most < floor:
            side, value = (f"min_{feature}", least) if least > ceiling else (f"max_{feature}", most)
            raise _outside(side, value, feature)
        # Within the range, which every stored value is: beyond it a number may not fit a float32.
        bounds.append((feature, float(max(least, floor)), float(min(most, ceiling))))
    return tuple(bounds)


def _targets_of(query: RecommendationQuery) -> dict[str, float]:
    targets = {_feature(name, "target"): value for name, value in query.target.items()}
    for feature, value in targets.items():
        floor, ceiling = RANGES[feature]
        if not floor <= value <= ceiling:
            raise _outside(f"target_{feature}", value, feature)
    return targets


def _outside(name: str, value: float, feature: str) -> InvalidRequestError:
    floor, ceiling = RANGES[feature]
    return InvalidRequestError.at([name], f"{value:g} is outside {floor:g} to {ceiling:g}")


def _answer(
    snapshot: Snapshot,
    context: Context,
    query: RecommendationQuery,
    heard: Sequence[bytes],
    banned: Sequence[bytes],
) -> bytes:
    request = request_of(snapshot, context, query, heard, banned)
    answer = recommend(snapshot.bundle, context, request)
    return orjson.dumps(
        {
            "items": items_json(snapshot, context, request, answer),
            "strategy": query.strategy.value,
            "is_fallback": answer.fallback is not None,
            "fallback_reason": FALLBACKS[answer.fallback] if answer.fallback else None,
            "model_version": snapshot.version,
        }
    )


def items_json(snapshot: Snapshot, context: Context, request: Request, answer: Answer) -> list[dict[str, Any]]:
    explained = explain(snapshot.bundle, context, answer)
    # A few songs of the history explain most of the list: read each once.
    liked = {reason.because for reasons in explained for reason in reasons if reason.because >= 0}
    known = {row: snapshot.cards.read(row) for row in liked}
    items = []
    for i, row in enumerate(answer.rows.tolist()):
        card = snapshot.cards.json(row)
        song = orjson.loads(card)
        reasons = [
            {
                "source": reason.source,
                "text": in_words(snapshot, row, song, reason, request, known, cold=context.is_cold),
                "weight": round(reason.weight, 4),
                "because_song_id": snapshot.song_id(reason.because) if reason.because >= 0 else None,
            }
            for reason in explained[i]
        ]
        sources = {name: round(float(part[i]), 4) for name, part in answer.contributions.items() if part[i] > 0}
        items.append(
            {
                "song": orjson.Fragment(card),
                "score": round(float(answer.scores[i]), 4),
                "sources": sources,
                "reasons": reasons,
            }
        )
    return items
