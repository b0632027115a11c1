"""User-based collaborative filtering: what the listeners of nearest taste play.

Two inverted lists are learned, neither with a user id: the listeners of each song, to find who is near a
history given in the request, and the songs of each listener, to see what they play besides.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from src.services.recommender.ragged import Ragged

MAX_LISTENERS: Final = 20_000
"""Most listeners that are kept, evenly taken from all: taste repeats itself, memory does not come back."""

MAX_HISTORY: Final = 300
"""Most songs kept of one listener, those of most weight."""

POPULARITY_POWER: Final = 0.2
"""How much a well-known song is held back: its weight is divided by ``(1 + listeners) ** POPULARITY_POWER``."""


def fit_listeners(interactions: sparse.csr_matrix) -> tuple[Ragged, Ragged]:
    """The listeners of each song and the songs of each listener.

    With idf ``w_i = log(1 + n_users / n_i)`` and ``x_u`` the history of listener ``u``, the cosine of a history
    ``h`` with ``x_u`` is, up to ``|w h|``, the sum over the songs of ``h_i * listeners[i, u]``.

    Args:
        interactions: (n_users, n_items), values above 0.

    Returns:
        ``listeners``, row per song: listener numbers and ``w_i² x_ui / |w x_u|``; ``histories``, row per listener:
        songs and ``x_ui / (1 + n_i) ** POPULARITY_POWER``.
    """
    n_users, n_items = interactions.shape
    kept = interactions.astype(np.float32).tocsr()
    if n_users > MAX_LISTENERS:
        kept = kept[np.linspace(0, n_users - 1, MAX_LISTENERS).astype(np.int64)]
    kept = _heaviest(kept)
    n_listeners = np.bincount(interactions.indices, minlength=n_items)
    idf = np.log1p(n_users / np.maximum(n_listeners, 1))
    owners = np.repeat(np.arange(kept.shape[0], dtype=np.int32), np.diff(kept.indptr))
    weighted = kept.data * idf[kept.indices]
    norms = np.sqrt(np.bincount(owners, weights=weighted**2, minlength=kept.shape[0]))
    shares = weighted * idf[kept.indices] / np.maximum(norms[owners], 1e-9)
    held_back = kept.data * (1.0 + n_listeners[kept.indices]) ** -POPULARITY_POWER
    listeners = Ragged.of_pairs(kept.indices, owners, n_items, shares.astype(np.float32))
    songs = kept.indices.astype(np.int32)
    return listeners, Ragged.of_pairs(owners, songs, kept.shape[0], held_back.astype(np.float32))


def _heaviest(histories: sparse.csr_matrix) -> sparse.csr_matrix:
    """The ``MAX_HISTORY`` songs of most weight of each row."""
    lengths = np.diff(histories.indptr)
    if not len(lengths) or lengths.max() <= MAX_HISTORY:
        return histories
    owners = np.repeat(np.arange(len(lengths)), lengths)
    order = np.lexsort((histories.indices, -histories.data, owners))
    chosen = order[np.arange(len(order)) - histories.indptr[owners] < MAX_HISTORY]
    pairs = (owners[chosen], histories.indices[chosen])
    return sparse.csr_matrix((histories.data[chosen], pairs), shape=histories.shape)


def nearest_listeners(
    listeners: Ragged, n_listeners: int, rows: NDArray[np.int32], weights: NDArray[np.float32], k: int
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The ``k`` listeners nearest to a history: their numbers and how near, above 0, up to a common factor."""
    nearness = listeners.weighted_sum(rows, weights, n_listeners)
    if len(nearness) > k:
        chosen = np.argpartition(nearness, -k)[-k:]
    else:
        chosen = np.arange(len(nearness))
    chosen = np.sort(chosen[nearness[chosen] > 0])
    return chosen, nearness[chosen]
