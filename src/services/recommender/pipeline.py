"""The one pipeline: score, mask, blend, choose a list.

Always in this order: candidates and scores from each scorer -> mask (heard, banned, filters) -> blend
-> mood and targets -> diversify. ``reasons`` explains what comes out.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.bundle import Bundle
from src.services.recommender.context import Context, Request
from src.services.recommender.diversify import rerank
from src.services.recommender.filters import allowed, nearness
from src.services.recommender.scorers import content, item_cf, popularity

Scorer = Callable[[Bundle, Context], NDArray[np.float32]]

SCORERS: Final[Mapping[str, Scorer]] = {
    "content": content.score,
    "item_cf": item_cf.score,
    "popularity": popularity.score,
}

MOOD_THRESHOLD: Final = 0.5
"""Membership from which a song counts as fitting a mood."""

COLD: Final = {"popularity": 0.8, "content": 0.2}
"""Without history: what is popular, and near the catalogue's mean sound."""

WISH_SHARE: Final = np.float32(0.4)
"""Part of the score that a mood and targets take together when asked for."""

LEADING_SHARE: Final = np.float32(0.75)
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
    total = np.zeros(len(bundle), np.float32)
    for part in parts.values():
        total += part
    candidates = _best(total, mask, 5 * request.limit + 60)
    if request.heard.size and fallback != "heard_everything":
        versions = np.isin(bundle.columns.recording[candidates], bundle.columns.recording[request.heard])
        if not versions.all():
            candidates = candidates[~versions]
    chosen = candidates[_choose(bundle, request, candidates, total[candidates])]
    return Answer(
        rows=chosen.astype(np.int32),
        scores=np.clip(total[chosen], 0, 1),
        contributions={name: part[chosen] for name, part in parts.items()},
        fallback=fallback,
    )


def blended(bundle: Bundle, context: Context, strategy: str) -> tuple[dict[str, NDArray[np.float32]], str | None]:
    """Each scorer's share of the score, float32 (n_items,) without NaN, and the reason of a fallback."""
    if strategy in SCORERS:
        opinion = SCORERS[strategy](bundle, context)
        if not np.isnan(opinion).all():
            return {strategy: np.nan_to_num(opinion)}, None
        parts, reason = _cold(bundle) if context.is_cold else blended(bundle, context, "hybrid")
        if strategy == "item_cf" and not bundle.model.has_item_cf:
            return parts, "no_model"
        return parts, reason or ("no_history" if context.is_cold else "no_opinion")
    if context.is_cold:
        return _cold(bundle)
    weights = bundle.model.blend.weights(context.n_history)
    opinions = {name: scorer(bundle, context) for name, scorer in SCORERS.items() if weights.get(name)}
    # A scorer without any opinion leaves its weight to the others.
    weights = {name: weights[name] for name, o in opinions.items() if not np.isnan(o).all()}
    whole = sum(weights.values()) or 1.0
    return {name: np.nan_to_num(opinions[name]) * np.float32(weight / whole) for name, weight in weights.items()}, None


def _cold(bundle: Bundle) -> tuple[dict[str, NDArray[np.float32]], str]:
    typical = content.audio_similarity(bundle, np.zeros(bundle.vectors.shape[1], np.float32))
    return {
        "popularity": bundle.popularity * np.float32(COLD["popularity"]),
        "content": typical * np.float32(COLD["content"]),
    }, "no_history"


def _with_wishes(
    bundle: Bundle, request: Request, parts: dict[str, NDArray[np.float32]], mask: NDArray[np.bool_]
) -> tuple[dict[str, NDArray[np.float32]], NDArray[np.bool_]]:
    """Mood and targets as further parts; a mood also narrows the mask while enough songs fit it."""
    wishes: dict[str, NDArray[np.float32]] = {}
    if request.mood is not None:
        fit = np.nan_to_num(bundle.moods[request.mood])
        fitting = mask & (fit >= MOOD_THRESHOLD)
        if np.count_nonzero(fitting) >= request.limit:
            mask = fitting
        wishes["mood"] = fit
    if request.targets:
        wishes["targets"] = nearness(bundle, request.targets)
    if wishes:
        whole = LEADING_SHARE if request.mood_leads else WISH_SHARE
        rest, share = 1 - whole, whole / np.float32(len(wishes))
        parts = {name: part * rest for name, part in parts.items()}
        parts |= {name: wish * share for name, wish in wishes.items()}
    return parts, mask


def _best(total: NDArray[np.float32], mask: NDArray[np.bool_], n: int) -> NDArray[np.intp]:
    """The rows with the highest scores under the mask, best first; equal scores by row."""
    masked = np.where(mask, total, -np.inf)
    n = min(n, int(np.count_nonzero(mask)))
    if n == 0:
        return np.empty(0, np.intp)
    rows = np.argpartition(masked, len(masked) - n)[len(masked) - n :] if n < len(masked) else np.arange(n)
    return rows[np.lexsort((rows, -masked[rows]))]


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
    sound = 1 / (1 + squared / content.SCALE)
    same = bundle.main_artist[rows][:, None] == bundle.main_artist[rows][None, :]
    return np.asarray(0.7 * sound + 0.3 * same, np.float32)
