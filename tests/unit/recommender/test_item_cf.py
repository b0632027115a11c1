"""Item-item weights against a dense oracle."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy import sparse

from src.services.recommender import item_cf
from src.services.recommender.item_cf import fit_cosine
from tests.unit.recommender.worlds import as_dense, as_lists

# Zeros are frequent, so that there are listeners and songs without any event.
weight = st.sampled_from([0.0, 0.0, 0.0, 0.1, 0.5, 1.0, 1.75, 2.0])
histories = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9).flatmap(
    lambda shape: hnp.arrays(np.float32, shape, elements=weight)
)


def oracle(histories: NDArray[np.float32], shrinkage: float) -> NDArray[np.float64]:
    """Cosine of every two columns times n / (n + shrinkage), n the rows where both are above 0."""
    n = histories.shape[1]
    result = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            a, b = histories[:, i].astype(float), histories[:, j].astype(float)
            shared = int(((a > 0) & (b > 0)).sum())
            if i != j and shared:
                result[i, j] = a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) * shared / (shared + shrinkage)
    return result


@settings(deadline=None)
@given(histories, st.sampled_from([0.0, 1.0, 10.0]), st.integers(1, 10))
def test_weights_are_shrunk_cosines_in_blocks_of_any_size(plays, shrinkage: float, block: int) -> None:
    with patch.object(item_cf, "BLOCK_ITEMS", block):
        fitted = fit_cosine(sparse.csr_matrix(plays), shrinkage=shrinkage, n_neighbours=100)

    expected = oracle(plays, shrinkage)
    assert len(fitted) == plays.shape[1]
    np.testing.assert_allclose(as_dense(fitted, plays.shape[1]), expected, atol=1e-6)
    assert [sorted(row) for row in as_lists(fitted)] == [np.flatnonzero(row).tolist() for row in expected]
    assert (fitted.indices.dtype, fitted.data.dtype, fitted.indptr.dtype) == (np.int32, np.float32, np.int64)


@settings(deadline=None)
@given(histories, st.integers(1, 4))
def test_the_strongest_neighbours_are_kept_strongest_first(plays: NDArray[np.float32], n_neighbours: int) -> None:
    fitted = fit_cosine(sparse.csr_matrix(plays), shrinkage=2.0, n_neighbours=n_neighbours)

    expected = oracle(plays, 2.0)
    for i, row in enumerate(as_lists(fitted)):
        values = fitted.data[fitted.indptr[i] : fitted.indptr[i + 1]]
        strongest = np.sort(expected[i][expected[i] > 0])[::-1][:n_neighbours]
        np.testing.assert_allclose(values, strongest, atol=1e-6)
        np.testing.assert_allclose(values, expected[i][row], atol=1e-6)
        assert (np.diff(values) <= 0).all()
        assert i not in row


def test_songs_that_few_share_are_drawn_towards_nothing() -> None:
    plays = np.zeros((8, 4), np.float32)
    plays[:6, :2] = 1
    plays[6, 2:] = 1
    dense = as_dense(fit_cosine(sparse.csr_matrix(plays), shrinkage=10.0), 4)

    assert dense[0, 1] == pytest.approx(6 / 16)
    assert dense[2, 3] == pytest.approx(1 / 11)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (3, 3)])
def test_without_events_nothing_is_learned(shape: tuple[int, int]) -> None:
    fitted = fit_cosine(sparse.csr_matrix(shape, dtype=np.float32))
    assert (len(fitted), len(fitted.indices), len(fitted.data)) == (shape[1], 0, 0)


def test_the_input_is_not_written_to() -> None:
    matrix = sparse.csr_matrix(np.array([[1, 2, 0], [0, 1, 1]], np.float32))
    for array in (matrix.data, matrix.indices, matrix.indptr):
        array.setflags(write=False)
    fit_cosine(matrix)
    assert matrix.toarray().tolist() == [[1, 2, 0], [0, 1, 1]]
