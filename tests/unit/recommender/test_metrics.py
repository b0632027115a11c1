"""Metrics against tables worked by hand."""

from math import log2, sqrt

import numpy as np
import pytest

from src.services.recommender.metrics import (
    average_precision_at,
    coverage,
    exposure_gini,
    intra_list_diversity,
    ndcg_at,
    novelty,
    recall_at,
)

D = [1 / log2(rank + 1) for rank in range(1, 6)]

# hits by rank, number of relevant songs, recall, nDCG, average precision
TABLE = [
    ("11000", 2, 1.0, 1.0, 1.0),
    ("00000", 3, 0.0, 0.0, 0.0),
    ("10100", 2, 1.0, (D[0] + D[2]) / (D[0] + D[1]), (1 + 2 / 3) / 2),
    ("00001", 1, 1.0, D[4], 1 / 5),
    ("01010", 4, 0.5, (D[1] + D[3]) / sum(D[:4]), (1 / 2 + 2 / 4) / 4),
    ("11111", 40, 1.0, 1.0, 1.0),
    ("10000", 40, 0.2, D[0] / sum(D), 1 / 5),
    ("00000", 0, 0.0, 0.0, 0.0),
    ("", 3, 0.0, 0.0, 0.0),
]


@pytest.mark.parametrize(("ranks", "n_relevant", "recall", "ndcg", "precision"), TABLE)
def test_accuracy_of_one_list(ranks: str, n_relevant: int, recall: float, ndcg: float, precision: float) -> None:
    hits = np.array([c == "1" for c in ranks], np.bool_)

    assert recall_at(hits, n_relevant) == pytest.approx(recall)
    assert ndcg_at(hits, n_relevant) == pytest.approx(ndcg)
    assert average_precision_at(hits, n_relevant) == pytest.approx(precision)


LISTS = np.array([[0, 1, 2], [0, 1, -1], [0, -1, -1]], np.int32)


def test_coverage_counts_songs_shown_to_anybody() -> None:
    assert coverage(LISTS, 6) == 0.5
    assert coverage(np.full((2, 3), -1, np.int32), 6) == 0
    assert coverage(np.empty((0, 3), np.int32), 0) == 0


def test_gini_of_exposure() -> None:
    # Shown 3, 2, 1, 0 times: sum over pairs of |difference| is 20, over 2 * n^2 * mean = 2 * 16 * 1.5.
    assert exposure_gini(LISTS, 4) == pytest.approx(20 / 48)
    assert exposure_gini(np.array([[0, 1], [2, 3]], np.int32), 4) == pytest.approx(0)
    assert exposure_gini(np.zeros((9, 1), np.int32), 100) == pytest.approx(0.99)
    assert exposure_gini(np.full((2, 3), -1, np.int32), 4) == 0


def test_novelty_is_the_mean_self_information() -> None:
    n_listeners = np.array([8, 4, 1, 0], np.int32)

    assert novelty(np.array([0], np.int32), n_listeners, 8) == 0
    assert novelty(np.array([0, 1, 2], np.int32), n_listeners, 8) == pytest.approx((0 + 1 + 3) / 3)
    assert novelty(np.array([3], np.int32), n_listeners, 8) == 3
    assert novelty(np.empty(0, np.int32), n_listeners, 8) == 0
    assert novelty(np.array([0], np.int32), n_listeners, 0) == 0


def test_diversity_is_the_mean_distance_of_pairs() -> None:
    vectors = np.array([[0, 0], [3, 4], [0, 0]], np.float32)

    assert intra_list_diversity(vectors) == pytest.approx((5 + 5 + 0) / 3)
    assert intra_list_diversity(np.array([[0], [1], [2]], np.float32)) == pytest.approx(4 / 3)
    assert intra_list_diversity(np.array([[1, 1], [2, 2]], np.float32)) == pytest.approx(sqrt(2))
    assert intra_list_diversity(vectors[:1]) == intra_list_diversity(vectors[:0]) == 0
