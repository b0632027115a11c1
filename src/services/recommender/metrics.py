"""Ranking metrics, with binary relevance and full ranking (no sampled negatives).

Definitions follow Järvelin & Kekäläinen (2002) for nDCG and Herlocker et al. (2004) for the others. Sampled
metrics are not offered: they do not order systems as full ranking does (Krichene & Rendle, KDD 2020).
"""

import numpy as np
from numpy.typing import NDArray


def recall_at(hits: NDArray[np.bool_], n_relevant: int) -> float:
    """Share of what could be found that was: hits over ``min(n_relevant, k)``.

    Args:
        hits: bool (k,), whether the song at each rank is relevant, best rank first.
    """
    return float(hits.sum() / min(n_relevant, len(hits))) if n_relevant and len(hits) else 0.0


def ndcg_at(hits: NDArray[np.bool_], n_relevant: int) -> float:
    """Discounted gain ``1 / log2(rank + 1)`` over that of the best possible order."""
    if not n_relevant or not len(hits):
        return 0.0
    discounts = 1 / np.log2(np.arange(2, len(hits) + 2))
    return float((hits * discounts).sum() / discounts[: min(n_relevant, len(hits))].sum())


def average_precision_at(hits: NDArray[np.bool_], n_relevant: int) -> float:
    """Mean of the precision at each hit, over ``min(n_relevant, k)``."""
    if not n_relevant or not len(hits):
        return 0.0
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return float((precision * hits).sum() / min(n_relevant, len(hits)))


def coverage(lists: NDArray[np.int32], n_items: int) -> float:
    """Share of the catalogue that is in at least one list; ``lists`` int32 (n_users, k), -1 for no song."""
    shown = np.unique(lists[lists >= 0])
    return len(shown) / n_items if n_items else 0.0


def exposure_gini(lists: NDArray[np.int32], n_items: int) -> float:
    """Gini coefficient of how often each song is shown: 0 all alike, towards 1 a few take all."""
    counts = np.sort(np.bincount(lists[lists >= 0], minlength=n_items)).astype(np.float64)
    total = counts.sum()
    if total == 0:
        return 0.0
    ranks = np.arange(1, n_items + 1)
    return float((2 * (ranks * counts).sum() / total - (n_items + 1)) / n_items)


def novelty(songs: NDArray[np.int32], n_listeners: NDArray[np.int32], n_users: int) -> float:
    """Mean self-information in bits, ``-log2`` of the share of listeners who know the song (Vargas & Castells 2011).

    A song nobody knows counts as known by one.
    """
    if not len(songs):
        return 0.0
    share = np.maximum(n_listeners[songs], 1) / max(n_users, 1)
    return float(-np.log2(np.minimum(share, 1)).mean())


def intra_list_diversity(vectors: NDArray[np.float32]) -> float:
    """Mean Euclidean distance between the songs of one list by sound; ``vectors`` float32 (k, d)."""
    k = len(vectors)
    if k < 2:
        return 0.0
    squared = ((vectors[:, None, :] - vectors[None, :, :]) ** 2).sum(axis=2)
    return float(np.sqrt(squared).sum() / (k * (k - 1)))
