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


def fit_cosine(
    interactions: sparse.csr_matrix, *, shrinkage: float = 10.0, n_neighbours: int = 100, asymmetry: float = 0.5
) -> Ragged:
    """Cosine between songs with shrinkage, the ``n_neighbours`` strongest of each.

    The similarity of two songs that few listeners share is drawn towards 0 by ``n / (n + shrinkage)``,
    ``n`` the number of listeners they share (Bell & Koren 2007). With ``asymmetry`` above 0.5 the song of the
    history is normalised more and the song recommended less, which favours well-known ones (Aiolli, RecSys 2013).

    Args:
        interactions: (n_users, n_items), values above 0.

    Returns:
        Row per song of history: the songs it speaks for and the weight of each, strongest first.
    """
    matrix = interactions.astype(np.float32).tocsc()
    squares = np.maximum(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel(), 1e-18)
    history = matrix @ sparse.diags((squares**-asymmetry).astype(np.float32), format="csc")
    songs = matrix @ sparse.diags((squares ** (asymmetry - 1)).astype(np.float32), format="csc")
    return _strongest_products(history, songs, shrinkage, n_neighbours)


def fit_bm25(interactions: sparse.csr_matrix, *, n_neighbours: int = 100, k1: float = 1.2, b: float = 0.2) -> Ragged:
    """Products of BM25-weighted histories: long histories and well-known songs say less (Robertson & Zaragoza 2009).

    Returns:
        As ``fit_cosine``.
    """
    matrix = interactions.astype(np.float32).tocsr(copy=True)
    lengths = np.asarray(matrix.sum(axis=1)).ravel()
    relative = 1 - b + b * lengths / max(float(lengths.mean()) if len(lengths) else 0.0, 1e-9)
    n_listeners = np.bincount(matrix.indices, minlength=matrix.shape[1])
    idf = np.maximum(np.log(matrix.shape[0] + 1) - np.log1p(n_listeners), 1e-3)
    damped = k1 * np.repeat(relative, np.diff(matrix.indptr)) + matrix.data
    matrix.data = (matrix.data * (k1 + 1) / damped * idf[matrix.indices]).astype(np.float32)
    weighted = matrix.tocsc()
    return _strongest_products(weighted, weighted, 0.0, n_neighbours)


def _strongest_products(
    history: sparse.csc_matrix, songs: sparse.csc_matrix, shrinkage: float, n_neighbours: int
) -> Ragged:
    """The ``n_neighbours`` largest entries of each row of ``history.T @ songs``, shrunk, without the diagonal.

    Both have one pattern. Products are formed ``BLOCK_ITEMS`` songs at a time, so memory follows the block and
    not the square of the catalogue (Sarwar et al. 2001).
    """
    n_items = songs.shape[1]
    song_rows = songs.tocsr()
    binary_rows = song_rows.copy()
    binary_rows.data = np.ones_like(binary_rows.data)
    indptr = [0]
    indices: list[NDArray[np.int32]] = []
    data: list[NDArray[np.float32]] = []
    for start in range(0, n_items, BLOCK_ITEMS):
        block = history[:, start : start + BLOCK_ITEMS]
        similarity = (block.T @ song_rows).tocsr()
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
