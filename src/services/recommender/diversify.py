"""Choosing a list rather than songs: maximal marginal relevance with a cap per artist."""

import numpy as np
from numpy.typing import NDArray


def rerank(
    relevance: NDArray[np.float32],
    similarity: NDArray[np.float32],
    groups: NDArray[np.uint64],
    artists: NDArray[np.uint64],
    *,
    limit: int,
    diversity: float,
    max_per_artist: int,
) -> NDArray[np.intp]:
    """Greedy maximal marginal relevance (Carbonell & Goldstein 1998).

    Each step takes the candidate with the highest ``(1 - diversity) * relevance - diversity * s``, ``s``
    its greatest similarity to what was already taken. One candidate of each group is taken at most, and
    ``max_per_artist`` of each artist unless too few songs would remain (artist 0 is "unknown": no cap).

    Args:
        relevance: float32 (m,), candidates best first, 0 to 1.
        similarity: float32 (m, m), 0 to 1.
        groups: uint64 (m,), equal for versions of one recording.
        artists: uint64 (m,), main artist.

    Returns:
        Places of the chosen candidates in the order to show them, intp (at most ``limit``,).
    """
    m = len(relevance)
    worth = (1 - diversity) * relevance.astype(np.float64)
    nearest = np.zeros(m)
    open_ = np.ones(m, np.bool_)
    capped = np.zeros(m, np.bool_)
    taken: dict[int, int] = {}
    chosen: list[int] = []
    while len(chosen) < limit:
        free = open_ & ~capped
        if not free.any():
            if not open_.any():
                break
            free = open_  # the cap yields before the list stays short
        value = np.where(free, worth - diversity * nearest, -np.inf)
        best = int(value.argmax())
        chosen.append(best)
        open_ &= groups != groups[best]
        np.maximum(nearest, similarity[best], out=nearest)
        artist = int(artists[best])
        taken[artist] = taken.get(artist, 0) + 1
        if artist and taken[artist] >= max_per_artist:
            capped |= artists == artists[best]
    return np.array(chosen, np.intp)
