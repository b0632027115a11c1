"""Measuring strategies on held-out listening, by full ranking of the whole catalogue."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.bundle import Bundle
from src.services.recommender.context import Context
from src.services.recommender.metrics import (
    average_precision_at,
    coverage,
    exposure_gini,
    intra_list_diversity,
    ndcg_at,
    novelty,
    recall_at,
)
from src.services.recommender.pipeline import SCORERS, blended, combined

CUT: Final = 20
STRATEGIES: Final = ("hybrid", *SCORERS, "random")


@dataclass(frozen=True, slots=True)
class Case:
    """One listener: what is known, and what is to be found, which lies later in time."""

    context: Context
    hidden: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over the cases, at rank ``CUT``; ``ndcg_low`` and ``ndcg_high`` bound nDCG with 95% confidence."""

    recall: float
    ndcg: float
    ndcg_low: float
    ndcg_high: float
    map: float
    coverage: float
    gini: float
    novelty: float
    diversity: float

    def rounded(self) -> dict[str, float]:
        return {name: round(value, 4) for name, value in asdict(self).items()}


def evaluate(
    bundle: Bundle,
    cases: Sequence[Case],
    rng: np.random.Generator,
    n_users: int,
    on_progress: Callable[[int, int], None] | None = None,
) -> dict[str, Scores]:
    """Every strategy on every case.

    All songs compete but those the listener already knows. A strategy without opinion on a listener falls
    back as it does when serving. The interval is a bootstrap over listeners, 1,000 draws.

    Args:
        bundle: a model that has not seen ``hidden``.
        n_users: listeners the model was trained on, for novelty.
    """
    names = STRATEGIES
    lists = {name: np.full((len(cases), CUT), -1, np.int32) for name in names}
    per_case = {name: np.zeros((len(cases), 4)) for name in names}
    for i, case in enumerate(cases):
        for name in names:
            scores = _scores(bundle, case.context, name, rng)
            scores[~bundle.columns.active] = -np.inf
            scores[case.context.positives] = -np.inf
            top = top_rows(scores, CUT)
            lists[name][i, : len(top)] = top
            hits = np.isin(top, case.hidden)
            n = len(case.hidden)
            per_case[name][i] = (
                recall_at(hits, n),
                ndcg_at(hits, n),
                average_precision_at(hits, n),
                intra_list_diversity(bundle.vectors[top]),
            )
        if on_progress:
            on_progress(i + 1, len(cases))
    draws = rng.integers(0, len(cases), (1_000, len(cases))) if cases else np.empty((0, 0), np.int64)
    results = {}
    for name in names:
        recall, ndcg, precision, diversity = per_case[name].mean(axis=0) if cases else np.zeros(4)
        low, high = np.quantile(per_case[name][:, 1][draws].mean(axis=1), [0.025, 0.975]) if cases else (0, 0)
        shown = lists[name]
        results[name] = Scores(
            recall=float(recall),
            ndcg=float(ndcg),
            ndcg_low=float(low),
            ndcg_high=float(high),
            map=float(precision),
            coverage=coverage(shown, int(bundle.columns.active.sum())),
            gini=exposure_gini(shown, len(bundle)),
            novelty=novelty(shown[shown >= 0], bundle.model.n_listeners, n_users),
            diversity=float(diversity),
        )
    return results


def _scores(bundle: Bundle, context: Context, name: str, rng: np.random.Generator) -> NDArray[np.float32]:
    if name == "random":
        return rng.random(len(bundle), np.float32)
    return combined(blended(bundle, context, name)[0])


def top_rows(scores: NDArray[np.float32], k: int) -> NDArray[np.int32]:
    """Rows of the ``k`` highest finite scores, best first; equal scores by row."""
    finite = np.isfinite(scores)
    k = min(k, int(finite.sum()))
    if k == 0:
        return np.empty(0, np.int32)
    scores = np.where(finite, scores, -np.inf)  # NaN would sort as the highest
    rows = np.argpartition(scores, len(scores) - k)[len(scores) - k :]
    return rows[np.lexsort((rows, -scores[rows]))].astype(np.int32)
