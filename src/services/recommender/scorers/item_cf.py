"""Item-based collaborative filtering: songs that go with the listener's history."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.bundle import Bundle
from src.services.recommender.context import Context

NEGATIVE_SHARE: Final = np.float32(0.3)
"""How much going with what was skipped or disliked takes away."""


def score(bundle: Bundle, context: Context) -> NDArray[np.float32] | None:
    """Sum of the weights from the listener's songs, over the largest such sum; 0 where no song speaks for it."""
    weights = bundle.model.item_weights
    if not bundle.model.has_item_cf or not len(context.positives):
        return None
    rows, strengths = context.positives, context.weights
    if len(context.negatives):
        rows = np.concatenate([rows, context.negatives])
        strengths = np.concatenate([strengths, -NEGATIVE_SHARE * context.negative_weights])
    total = weights.weighted_sum(rows, strengths, len(bundle))
    top = total.max(initial=0.0)
    if top <= 0:
        return None
    np.maximum(total, 0, out=total)
    total *= 1 / top
    return total
