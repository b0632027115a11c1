"""What is known of songs as pseudo-listeners: an artist "has listened to" every song that is theirs.

Stacked under the listeners, such rows let an item-item model learn from content as it learns from
listening (Jeunen, Van Balen & Goethals, "Closed-Form Models for Collaborative Filtering with Side-Information",
RecSys 2020).
"""

from typing import Final

import numpy as np
from scipy import sparse

from src.services.recommender.catalogue import Columns
from src.services.recommender.ragged import Ragged

TOKEN_WEIGHTS: Final = {"artists": 2.0, "tags": 2.0, "genres": 1.0}
"""How much of a listener a pseudo-listener of each kind is."""


def pseudo_listeners(columns: Columns) -> sparse.csr_matrix:
    """One weighted row per artist, tag and genre that at least two songs have, float32 (n_tokens, n_items)."""
    n_items = len(columns)
    blocks = []
    for kind, weight in TOKEN_WEIGHTS.items():
        names: Ragged = getattr(columns, kind)
        _, token, frequency = np.unique(names.indices, return_inverse=True, return_counts=True)
        linking = frequency > 1
        number = np.cumsum(linking) - 1
        kept = linking[token]
        pairs = (number[token[kept]], names.owners()[kept])
        block = sparse.csr_matrix(
            (np.ones(int(kept.sum()), np.float32), pairs), shape=(int(linking.sum()), n_items), dtype=np.float32
        )
        block.data[:] = weight  # also where a name stands twice on one song
        blocks.append(block)
    return sparse.csr_matrix(sparse.vstack(blocks, format="csr", dtype=np.float32))


def listener_rows(interactions: sparse.csr_matrix) -> sparse.csr_matrix:
    """Each listener's weights over their own mean: a heavy and a light listener count alike, one per song."""
    rows = interactions.astype(np.float32).tocsr(copy=True)
    counts = np.diff(rows.indptr)
    totals = np.asarray(rows.sum(axis=1)).ravel()
    rows.data *= np.repeat(counts / np.where(totals > 0, totals, 1), counts).astype(np.float32)
    return rows
