"""Item-based collaborative filtering: songs that go with the listener's history."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.bundle import Bundle
from src.services.recommender.context import Context

NEGATIVE_SHARE: Final = np.float32(0.3)
"""How much going with what was skipped or disliked takes away."""


def score(bundle: Bundle, context: Context) -> NDArray[np.float32]:
    """Sum of the weights from the listener's songs, over the largest such sum.

    NaN for songs that no song of the history speaks for.
    """
    weights = bundle.model.item_weights
    if not bundle.model.has_item_cf or not len(context.positives):
        return np.full(len(bundle), np.nan, np.float32)
    total = weights.weighted_sum(context.positives, context.weights, len(bundle))
    if len(context.negatives):
        total -= NEGATIVE_SHARE * weights.weighted_sum(context.negatives, context.negative_weights, len(bundle))
    top = total.max(initial=0.0)
    if top <= 0:
        return np.full(len(bundle), np.nan, np.float32)
    total[total <= 0] = np.nan
    total /= top
    return total
