"""Popularity: what everybody plays now; the answer when nothing is known of a listener."""

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.bundle import Bundle
from src.services.recommender.context import Context


def score(bundle: Bundle, context: Context) -> NDArray[np.float32] | None:
    """Log-scaled, decayed popularity, the same for every listener."""
    return bundle.popularity
