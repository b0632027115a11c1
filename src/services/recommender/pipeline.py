"""The one pipeline: score, mask, blend, choose a list.

Always in this order: candidates and scores from each scorer -> mask (heard, banned, filters) -> blend
-> mood and targets -> diversify. ``reasons`` explains what comes out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.audio import AUDIO_SCALE
from src.services.recommender.bundle import Bundle
from src.services.recommender.context import Context, Request
from src.services.recommender.diversify import rerank
from src.services.recommender.filters import allowed, nearness
from src.services.recommender.scorers import content, item_cf, popularity, user_cf

Scorer = Callable[[Bundle, Context], NDArray[np.float32] | None]

Parts = dict[str, tuple[float, NDArray[np.float32]]]
"""Scorer -> its weight and its scores, float32 (n_items,)."""

SCORERS: Final[Mapping[str, Scorer]] = {
    "content": content.score,
    "item_cf": item_cf.score,
    "user_cf": user_cf.score,
    "popularity": popularity.score,
}

MOOD_THRESHOLD: Final = 0.5
"""Membership from which a song counts as fitting a mood."""

COLD: Final = {"popularity": 0.8, "content": 0.2}
"""Without history: what is popular, and near the catalogue's mean sound."""

WISH_SHARE: Final = 0.4
"""Part of the score that a mood and targets take together when asked for."""

LEADING_SHARE: Final = 0.75
"""The same for a request that is first of all about the mood."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A recommended list, best first.

    Attributes:
        rows: int32 (k,). ``scores``: float32 (k,), 0 to 1.
        contributions: scorer -> float32 (k,), its part of each score; the parts add up to the score.
        fallback: why the answer is not the personal one that was asked for, or None:
            "no_history", "no_model", "no_opinion" or "heard_everything".
    """

    rows: NDArray[np.int32]
    scores: NDArray[np.float32]
    contributions: dict[str, NDArray[np.float32]]
    fallback: str | None


def recommend(bundle: Bundle, context: Context, request: Request) -> Answer:
    """Songs for a listener.

    Never empty while a song meets the request's hard conditions: with nothing known of the listener, or
    nothing learned, it falls back to what is popular near the catalogue's mean, and says so.
    """
    mask = allowed(bundle, request)
    fallback = None
    unheard = mask.copy()
    unheard[request.heard] = False
    if unheard.any():
        mask = unheard
    elif mask.any():
        fallback = "heard_everything"
    parts, reason = blended(bundle, context, request.strategy)
    fallback = fallback or reason
    parts, mask = _with_wishes(bundle, request, parts, mask)
    total = combined(parts)
    candidates = _best(total, mask, 5 * request.limit + 60)
    if request.heard.size and fallback != "heard_everything":
        versions = np.isin(bundle.columns.recording[candidates], bundle.columns.recording[request.heard])
        if versions.all():
            fallback = fallback or "heard_everything"
        else:
            candidates = candidates[~versions]
    chosen = candidates[_choose(bundle, request, candidates, total[candidates])]
    return Answer(
        rows=chosen.astype(np.int32),
        scores=np.clip(total[chosen], 0, 1),
        contributions={name: np.float32(weight) * part[chosen] for name, (weight, part) in parts.items()},
        fallback=fallback,
    )


def combined(parts: Parts) -> NDArray[np.float32]:
    """The weighted sum of the parts, float32 (n_items,)."""
    terms = iter(parts.values())
    weight, scores = next(terms)
    total = scores * np.float32(weight)
    for weight, scores in terms:
        total += scores * np.float32(weight)
    return total


def blended(bundle: Bundle, context: Context, strategy: str) -> tuple[Parts, str | None]:
    """What each scorer says and how much it counts, and the reason of a fallback. The weights add up to 1."""
    if strategy in SCORERS:
        opinion = SCORERS[strategy](bundle, context)
        if opinion is not None:
            return {strategy: (1.0, opinion)}, None
        parts, reason = blended(bundle, context, "hybrid")
        model = bundle.model
        if (strategy == "item_cf" and not model.has_item_cf) or (strategy == "user_cf" and not model.has_user_cf):
            return parts, "no_model"
        return parts, reason or "no_opinion"
    if context.is_cold:
        return _cold(bundle), "no_history"
    opinions: Parts = {}
    for name, weight in bundle.model.blend.weights(context.n_history).items():
        scores = SCORERS[name](bundle, context) if weight else None
        if scores is not None:
            opinions[name] = (weight, scores)
    # A scorer without any opinion leaves its weight to the others.
    if not opinions:
        return _cold(bundle), "no_opinion"
    whole = sum(weight for weight, _ in opinions.values())
    return {name: (weight / whole, scores) for name, (weight, scores) in opinions.items()}, None


def _cold(bundle: Bundle) -> Parts:
    typical = content.audio_similarity(bundle, np.zeros(bundle.vectors.shape[1], np.float32))
    return {"popularity": (COLD["popularity"], bundle.popularity), "content": (COLD["content"], typical)}


def _with_wishes(
    bundle: Bundle, request: Request, parts: Parts, mask: NDArray[np.bool_]
) -> tuple[Parts, NDArray[np.bool_]]:
    """Mood and targets as further parts; a mood also narrows the mask while enough songs fit it."""
    wishes: dict[str, NDArray[np.float32]] = {}
    if request.mood is not None:
        fit = bundle.moods[request.mood]
        fitting = mask & (fit >= MOOD_THRESHOLD)
        if np.count_nonzero(fitting) >= request.limit:
            mask = fitting
        wishes["mood"] = fit
    if request.targets:
        wishes["targets"] = nearness(bundle, request.targets)
    if wishes:
        whole = LEADING_SHARE if request.mood_leads else WISH_SHARE
        parts = {name: (weight * (1 - whole), scores) for name, (weight, scores) in parts.items()}
        parts |= {name: (whole / len(wishes), wish) for name, wish in wishes.items()}
    return parts, mask


def _best(total: NDArray[np.float32], mask: NDArray[np.bool_], n: int) -> NDArray[np.intp]:
    """The rows with the highest scores under the mask, best first, equal ones by row.

    Of equal ones at the cut any may be taken.
    """
    rows = np.flatnonzero(mask)
    values = total[rows]
    if n < len(rows):
        # Among the allowed rows only: numpy's selection is slow where most values are one and the same.
        best = np.argpartition(values, len(rows) - n)[len(rows) - n :]
        rows, values = rows[best], values[best]
    return rows[np.lexsort((rows, -values))]


def _choose(bundle: Bundle, request: Request, rows: NDArray[np.intp], scores: NDArray[np.float32]) -> NDArray[np.intp]:
    spread = float(scores.max() - scores.min()) if len(scores) else 0.0
    relevance = (scores - scores.min()) / spread if spread > 0 else np.zeros(len(scores), np.float32)
    return rerank(
        relevance.astype(np.float32),
        song_similarity(bundle, rows),
        bundle.columns.recording[rows],
        bundle.main_artist[rows],
        limit=request.limit,
        diversity=request.diversity,
        max_per_artist=request.max_per_artist,
    )


def song_similarity(bundle: Bundle, rows: NDArray[np.intp]) -> NDArray[np.float32]:
    """Likeness of some songs to each other by sound and main artist, 0 to 1, float32 (m, m)."""
    vectors, norms = bundle.vectors[rows], bundle.squared_norms[rows]
    squared = np.maximum(norms[:, None] + norms[None, :] - 2 * vectors @ vectors.T, 0)
    sound = 1 / (1 + squared / AUDIO_SCALE)
    same = bundle.main_artist[rows][:, None] == bundle.main_artist[rows][None, :]
    return np.asarray(0.7 * sound + 0.3 * same, np.float32)
