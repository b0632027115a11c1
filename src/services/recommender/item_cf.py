"""Item-based collaborative filtering: which songs go together in listeners' histories.

The fit turns listeners' histories into sparse item-item weights; a listener is served from history alone
(fold-in), so one unknown at training time is served as well as any.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from src.services.recommender.ragged import Ragged

BLOCK_ITEMS: Final = 1024


def fit_cosine(interactions: sparse.csr_matrix, *, shrinkage: float = 10.0, n_neighbours: int = 100) -> Ragged:
    """Cosine between songs with shrinkage, the ``n_neighbours`` strongest of each.

    The similarity of two songs that few listeners share is drawn towards 0 by ``n / (n + shrinkage)``,
    ``n`` the number of listeners they share (Bell & Koren 2007). Products are formed ``BLOCK_ITEMS`` songs
    at a time, so memory follows the block and not the square of the catalogue (Sarwar et al. 2001).

    Args:
        interactions: (n_users, n_items), values above 0.

    Returns:
        Row per song of history: the songs it speaks for and the weight of each, strongest first.
    """
    n_items = interactions.shape[1]
    matrix = interactions.astype(np.float32).tocsc()
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel())
    unit = matrix @ sparse.diags((1 / np.maximum(norms, 1e-9)).astype(np.float32), format="csc")
    unit_rows = unit.tocsr()
    binary_rows = unit_rows.copy()
    binary_rows.data = np.ones_like(binary_rows.data)
    indptr = [0]
    indices: list[NDArray[np.int32]] = []
    data: list[NDArray[np.float32]] = []
    for start in range(0, n_items, BLOCK_ITEMS):
        block = unit[:, start : start + BLOCK_ITEMS]
        similarity = (block.T @ unit_rows).tocsr()
        ones = block.copy()
        ones.data = np.ones_like(ones.data)
        shared = (ones.T @ binary_rows).tocsr()
        # Same pattern once both are in canonical order; what cosine rounds to 0 stays stored.
        similarity.sort_indices()
        shared.sort_indices()
        similarity.data *= shared.data / (shared.data + np.float32(shrinkage))
        for i in range(similarity.shape[0]):
            here = slice(similarity.indptr[i], similarity.indptr[i + 1])
            columns, values = similarity.indices[here], similarity.data[here]
            other = columns != start + i
            columns, values = columns[other], values[other]
            if len(values) > n_neighbours:
                best = np.argpartition(values, -n_neighbours)[-n_neighbours:]
                columns, values = columns[best], values[best]
            order = np.lexsort((columns, -values))
            indices.append(columns[order].astype(np.int32))
            data.append(values[order].astype(np.float32))
            indptr.append(indptr[-1] + len(order))
    return Ragged(
        np.array(indptr, np.int64),
        np.concatenate(indices) if indices else np.empty(0, np.int32),
        np.concatenate(data) if data else np.empty(0, np.float32),
    )
