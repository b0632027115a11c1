"""Popularity: log-scaled, decayed plays, with the source's own figure as a prior."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

HALF_LIFE_DAYS: Final = 60.0
"""A play counts half after this long."""

PRIOR_PLAYS: Final = 3.0
"""How many recent plays the catalogue's own popularity figure of 1.0 is worth."""


def decayed_counts(
    rows: NDArray[np.int32],
    weights: NDArray[np.float32],
    age_days: NDArray[np.float32],
    n_items: int,
    half_life_days: float = HALF_LIFE_DAYS,
) -> NDArray[np.float32]:
    """Plays of each song, each halved every ``half_life_days`` of its age, float32 (n_items,)."""
    decayed = weights * np.exp2(-np.maximum(age_days, 0) / half_life_days)
    return np.bincount(rows, weights=decayed, minlength=n_items).astype(np.float32)


def fit_popularity(counts: NDArray[np.float32], stated: NDArray[np.float32]) -> NDArray[np.float32]:
    """Popularity from 0 to 1 on a log scale, where each doubling of plays adds the same.

    Args:
        counts: decayed plays, float32 (n_items,).
        stated: popularity by the catalogue's source, 0 to 1, NaN where it says nothing.
    """
    prior = np.expm1(np.nan_to_num(stated) * np.log1p(PRIOR_PLAYS))
    scaled = np.log1p(counts + prior)
    top = float(scaled.max()) if len(scaled) else 0.0
    return np.asarray(scaled / top if top > 0 else scaled, np.float32)
