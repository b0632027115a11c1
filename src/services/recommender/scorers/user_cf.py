"""User-based collaborative filtering: what the listeners of nearest taste play."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.bundle import Bundle
from src.services.recommender.context import Context
from src.services.recommender.user_cf import nearest_listeners

N_NEAREST: Final = 50
SHARPNESS: Final = 3
"""The power of a listener's nearness: the nearest of them speak much louder than the fiftieth."""

MAX_POSITIVES: Final = 100
"""The heaviest songs of the history that are looked up; it bounds the cost of a long history."""


def score(bundle: Bundle, context: Context) -> NDArray[np.float32] | None:
    """Sum of the songs of the nearest listeners, over the largest such sum; 0 where none of them plays a song.

    Nearness is the cosine of idf-weighted histories (Herlocker et al. 1999; Breese et al. 1998).
    """
    model = bundle.model
    if not model.has_user_cf or not len(context.positives):
        return None
    rows, weights = context.positives, context.weights
    if len(rows) > MAX_POSITIVES:
        heaviest = np.argpartition(weights, -MAX_POSITIVES)[-MAX_POSITIVES:]
        rows, weights = rows[heaviest], weights[heaviest]
    nearest, nearness = nearest_listeners(model.listeners, len(model.histories), rows, weights, N_NEAREST)
    if not len(nearest):
        return None
    total = model.histories.weighted_sum(nearest, (nearness / nearness.max()) ** SHARPNESS, len(bundle))
    total *= 1 / total.max()
    return total
