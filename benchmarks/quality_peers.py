"""What a user could take instead: public recommenders and textbook models, each with the settings it is tuned over.

A peer is ``score(train, history, columns, setting) -> (n_listeners, n_items)``; none has seen the listeners
of ``history`` when it is fitted.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from src.services.recommender.catalogue import Columns
from src.services.recommender.side_information import pseudo_listeners
from src.services.recommender.text import fit_text

Scores = NDArray[np.float32]
Fit = Callable[[sparse.csr_matrix, sparse.csr_matrix, Columns, Any], Scores]


@dataclass(frozen=True)
class Peer:
    name: str
    score: Fit
    settings: Sequence[Any] = (None,)


def _counts(train: sparse.csr_matrix) -> NDArray[np.float64]:
    return np.maximum(np.bincount(train.indices, minlength=train.shape[1]), 1).astype(float)


def _unit(rows: sparse.csr_matrix) -> sparse.csr_matrix:
    lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    return sparse.csr_matrix(sparse.diags(1 / np.maximum(lengths, 1e-9)) @ rows)


def popularity(train: sparse.csr_matrix, history: sparse.csr_matrix, columns: Columns, setting: None) -> Scores:
    return np.tile(np.bincount(train.indices, minlength=train.shape[1]).astype(np.float32), (history.shape[0], 1))


def chance(train: sparse.csr_matrix, history: sparse.csr_matrix, columns: Columns, setting: None) -> Scores:
    return np.random.default_rng(0).random(history.shape, np.float32)


def implicit_items(recommender: str) -> Fit:
    """An item-item recommender of ``implicit``, served from the history in the request."""

    def score(
        train: sparse.csr_matrix, history: sparse.csr_matrix, columns: Columns, setting: dict[str, Any]
    ) -> Scores:
        import implicit.nearest_neighbours as models

        model = getattr(models, recommender)(num_threads=1, **setting)
        model.fit(train.astype(np.float64), show_progress=False)
        return np.asarray((history @ model.similarity).toarray(), np.float32)

    return score


def implicit_als(
    train: sparse.csr_matrix, history: sparse.csr_matrix, columns: Columns, setting: dict[str, Any]
) -> Scores:
    """Weighted matrix factorisation (Hu, Koren & Volinsky 2008); a listener is folded in by one half step."""
    from implicit.cpu.als import AlternatingLeastSquares

    model = AlternatingLeastSquares(**setting, iterations=15, num_threads=1, random_state=0)
    model.fit(train, show_progress=False)
    users = model.recalculate_user(np.arange(history.shape[0]), history)
    return np.asarray(users @ model.item_factors.T, np.float32)


def implicit_bpr(
    train: sparse.csr_matrix, history: sparse.csr_matrix, columns: Columns, setting: dict[str, Any]
) -> Scores:
    """BPR (Rendle et al. 2009). It has no fold-in: a listener is the mean of the songs of their history."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking

    random.seed(0)
    model = BayesianPersonalizedRanking(**setting, iterations=100, num_threads=1, random_state=0)
    model.fit(train, show_progress=False)
    return np.asarray((_unit(history) @ model.item_factors) @ model.item_factors.T, np.float32)


def _ease(rows: sparse.csr_matrix, history: sparse.csr_matrix, ridge: float) -> Scores:
    """EASE (Steck 2019) by the matrix inversion lemma, exact: rows squared instead of songs squared in memory."""
    scaled = (rows / ridge).tocsr()
    kernel = np.asfortranarray((scaled @ rows.T).toarray().astype(np.float32))
    kernel[np.diag_indices_from(kernel)] += 1
    factor = linalg.cholesky(kernel, lower=True, overwrite_a=True, check_finite=False)
    half = linalg.solve_triangular(factor, scaled.toarray().astype(np.float32), lower=True, check_finite=False)
    diagonal = 1 / ridge - np.einsum("ri,ri->i", half, half, dtype=np.float64)
    seen = linalg.solve_triangular(factor, (scaled @ history.T).toarray().astype(np.float32), lower=True)
    return np.asarray(seen.T @ half / np.maximum(diagonal, 1e-7 / ridge).astype(np.float32), np.float32)


def ease(train: sparse.csr_matrix, history: sparse.csr_matrix, columns: Columns, ridge: float) -> Scores:
    return _ease(train, history, ridge)


def ease_side(
    train: sparse.csr_matrix, history: sparse.csr_matrix, columns: Columns, setting: tuple[float, float]
) -> Scores:
    """EASE with side information (Jeunen, Van Balen & Goethals 2020): all names with one weight, as published."""
    ridge, weight = setting
    side = pseudo_listeners(columns)
    side.data[:] = weight
    return _ease(sparse.vstack([train, side], format="csr"), history, ridge)


def rp3beta(
    train: sparse.csr_matrix, history: sparse.csr_matrix, columns: Columns, setting: tuple[float, float]
) -> Scores:
    """A random walk of three steps, popularity held back by ``beta`` (Paudel et al. 2017)."""
    alpha, beta = setting
    by_user = (sparse.diags(1 / np.maximum(np.asarray(train.sum(axis=1)).ravel(), 1e-9)) @ train).tocsr()
    mass = np.maximum(np.asarray(train.sum(axis=0)).ravel(), 1e-9)
    by_item = (sparse.diags(1 / mass) @ train.T).tocsr()
    by_user.data **= alpha
    by_item.data **= alpha
    return np.asarray((history @ by_item @ by_user @ sparse.diags(mass**-beta)).toarray(), np.float32)


def user_knn(
    train: sparse.csr_matrix, history: sparse.csr_matrix, columns: Columns, setting: tuple[int, float, float, float]
) -> Scores:
    """The ``k`` listeners of nearest idf-weighted history, their nearness to a power, popularity held back."""
    k, power, idf_power, held_back = setting
    counts = _counts(train)
    idf = sparse.diags(np.log1p(train.shape[0] / counts) ** idf_power)
    near = (_unit((history @ idf).tocsr()) @ _unit((train @ idf).tocsr()).T).toarray()
    least = np.partition(near, -k, axis=1)[:, -k][:, None]
    near = np.where(near >= least, np.maximum(near, 0), 0) ** power
    return np.asarray(near @ train @ sparse.diags((1 + counts) ** -held_back), np.float32)


def content(train: sparse.csr_matrix, history: sparse.csr_matrix, columns: Columns, setting: None) -> Scores:
    """TF-IDF cosine of artists, genres and tags, added up over the history."""
    vectors = fit_text(columns).vectors
    tokens = sparse.csr_matrix((vectors.data, vectors.indices, vectors.indptr))
    return np.asarray((history @ tokens @ tokens.T).toarray(), np.float32)


PEERS: Final = (
    Peer("random", chance),
    Peer("popularity", popularity),
    Peer("content (TF-IDF)", content),
    Peer("implicit Cosine", implicit_items("CosineRecommender"), [{"K": k} for k in (50, 200, 1000)]),
    Peer(
        "implicit BM25",
        implicit_items("BM25Recommender"),
        [{"K": k, "K1": k1, "B": b} for k, k1, b in product((100, 1000), (1.2, 20.0), (0.2, 0.5, 0.8))],
    ),
    Peer(
        "implicit ALS",
        implicit_als,
        [
            {"factors": f, "alpha": alpha, "regularization": r}
            for f, alpha, r in product((64, 128), (3.0, 10.0), (5.0, 15.0))
        ],
    ),
    Peer(
        "implicit BPR",
        implicit_bpr,
        [{"factors": 64, "learning_rate": rate, "regularization": r} for rate, r in product((0.05,), (0.001, 0.01))],
    ),
    Peer("user-kNN", user_knn, list(product((50, 200), (1.0, 3.0), (0.0, 1.0), (0.0, 0.2)))),
    Peer("RP3beta", rp3beta, list(product((0.8, 1.0, 1.2), (0.0, 0.15, 0.3, 0.45)))),
    Peer("EASE", ease, [30.0, 60.0, 100.0, 200.0, 300.0, 500.0]),
    Peer("EASE + side information", ease_side, list(product((10.0, 30.0, 60.0, 100.0, 200.0), (1.0, 2.0, 3.0)))),
)
