"""Item-item weights by regression: each song explained by its nearest songs, in closed form.

EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019) solves one ridge regression per
song over all the others, which takes the square of the catalogue in memory and its cube in time. The local
form solves the same regression over each song's nearest songs only (compare the restricted neighbourhoods
of SLIM, Ning & Karypis, ICDM 2011): time and memory grow with the number of songs.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from src.services.recommender.ragged import Ragged

BLOCK_ITEMS: Final = 128
MAX_ROW: Final = 2_000
"""Most songs that one song of a history speaks for; it bounds what serving a well-known song costs."""


def fit_local_ease(
    rows: sparse.csr_matrix,
    ridge: NDArray[np.float64],
    *,
    n_neighbours: int = 100,
) -> Ragged:
    """Weights with which each song's neighbours predict it.

    For song ``j`` with neighbours ``N``, the ``n_neighbours`` songs of highest cosine with it, the weights
    solve ``(G[N, N] + diag(ridge[N])) b = G[N, j]``, ``G = rows.T @ rows``.

    Args:
        rows: listeners, and pseudo-listeners below them, float32 (n_rows, n_items).
        ridge: float64 (n_items,), above 0: how strongly the weights from each song are drawn to 0.

    Returns:
        Row per song of history: the songs it speaks for and the weight of each, strongest first. Weights may
        be below 0.

    Raises:
        ValueError: a ridge is not above 0.
    """
    if not (ridge > 0).all():
        raise ValueError("ridge must be above 0")
    n_items = rows.shape[1]
    matrix = rows.astype(np.float32).tocsc()
    norms = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=0)).ravel())
    unit = (matrix @ sparse.diags((1 / np.where(norms > 0, norms, 1)).astype(np.float32), format="csc")).tocsr()
    unit_t, matrix_t = unit.T.tocsr(), matrix.T.tocsr()
    sources = [np.empty(0, np.int32)]
    weights = [np.empty(0, np.float32)]
    for start in range(0, n_items, BLOCK_ITEMS):
        likeness = (unit_t[start : start + BLOCK_ITEMS] @ unit).tocsr()
        for i in range(likeness.shape[0]):
            here = slice(likeness.indptr[i], likeness.indptr[i + 1])
            near = _nearest(likeness.indices[here], likeness.data[here], start + i, n_neighbours)
            sources.append(near)
            weights.append(_regress(matrix_t, ridge, near, start + i))
    lengths = [len(near) for near in sources[1:]]
    targets = np.repeat(np.arange(n_items, dtype=np.int32), lengths)
    return _strongest_first(np.concatenate(sources), targets, np.concatenate(weights), n_items)


def _nearest(
    columns: NDArray[np.int32], values: NDArray[np.float32], song: int, n_neighbours: int
) -> NDArray[np.int32]:
    other = (columns != song) & (values > 0)
    columns, values = columns[other], values[other]
    if len(columns) > n_neighbours:
        columns = columns[np.argpartition(values, -n_neighbours)[-n_neighbours:]]
    return np.sort(columns).astype(np.int32)


def _regress(
    matrix_t: sparse.csr_matrix, ridge: NDArray[np.float64], near: NDArray[np.int32], song: int
) -> NDArray[np.float32]:
    if not len(near):
        return np.empty(0, np.float32)
    columns = matrix_t[np.append(near, song)]
    gram = (columns @ columns.T).toarray().astype(np.float64)[:-1]
    system, target = gram[:, :-1], gram[:, -1]
    system[np.diag_indices_from(system)] += ridge[near]
    factor = linalg.cho_factor(system, check_finite=False)
    return np.asarray(linalg.cho_solve(factor, target, check_finite=False), np.float32)


def _strongest_first(
    sources: NDArray[np.int32], targets: NDArray[np.int32], weights: NDArray[np.float32], n_items: int
) -> Ragged:
    order = np.lexsort((targets, -np.abs(weights), sources))
    starts = np.searchsorted(sources[order], np.arange(n_items))
    order = order[np.arange(len(order)) - starts[sources[order]] < MAX_ROW]
    return Ragged.of_pairs(sources[order], targets[order], n_items, weights[order])
