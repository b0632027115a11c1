"""Local EASE against the closed form it restricts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy import sparse

from src.services.recommender import ease
from src.services.recommender.catalogue import Columns
from src.services.recommender.ease import fit_local_ease
from src.services.recommender.fit import Parameters, fit_item_weights
from src.services.recommender.side_information import TOKEN_WEIGHTS, listener_rows, pseudo_listeners
from tests.unit.recommender.worlds import as_dense, columns_of, events_of, ragged

value = st.sampled_from([0.0, 0.0, 0.0, 0.5, 1.0, 2.0])
histories = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9).flatmap(
    lambda shape: hnp.arrays(np.float32, shape, elements=value)
)


def dense_ease(rows: NDArray[np.float32], ridge: float) -> NDArray[np.float64]:
    """Steck's closed form: ``P = (X'X + ridge)^-1``, ``B = -P / diag(P)`` by column, zero diagonal."""
    inverse = np.linalg.inv(rows.astype(float).T @ rows + ridge * np.eye(rows.shape[1]))
    weights = -inverse / np.diag(inverse)[None, :]
    np.fill_diagonal(weights, 0)
    return weights


def test_with_all_songs_as_neighbours_it_is_the_dense_closed_form() -> None:
    rng = np.random.default_rng(3)
    rows = rng.integers(0, 3, (12, 8)).astype(np.float32)
    rows[0] = 1  # every two songs share a listener, so that no neighbour is left out
    fitted = fit_local_ease(sparse.csr_matrix(rows), np.full(8, 2.5), n_neighbours=8)
    np.testing.assert_allclose(as_dense(fitted, 8), dense_ease(rows, 2.5), atol=1e-5)


@settings(deadline=None)
@given(histories, st.integers(1, 8), st.integers(1, 5))
def test_each_song_is_regressed_on_its_nearest(rows: NDArray[np.float32], n_neighbours: int, block: int) -> None:
    n = rows.shape[1]
    ridge = np.linspace(1.0, 2.0, n)
    original, ease.BLOCK_ITEMS = ease.BLOCK_ITEMS, block
    try:
        found = as_dense(fit_local_ease(sparse.csr_matrix(rows), ridge, n_neighbours=n_neighbours), n)
    finally:
        ease.BLOCK_ITEMS = original
    gram = rows.astype(float).T @ rows
    norms = np.sqrt(np.diag(gram))
    for j in range(n):
        near = np.flatnonzero(found[:, j])
        sharing = [i for i in range(n) if i != j and gram[i, j] > 0]
        assert set(near) <= set(sharing)
        if len(sharing) <= n_neighbours:
            near = np.array(sharing, int)
            expected = np.linalg.solve(gram[np.ix_(near, near)] + np.diag(ridge[near]), gram[near, j])
            np.testing.assert_allclose(found[near, j], expected, atol=1e-5)
        else:
            assert len(near) <= n_neighbours
            likeness = [gram[i, j] / (norms[i] * norms[j]) for i in sharing]
            assert all(gram[i, j] / (norms[i] * norms[j]) >= sorted(likeness)[-n_neighbours] - 1e-6 for i in near)


def test_rows_are_strongest_first_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = sparse.csr_matrix(np.random.default_rng(0).integers(0, 2, (20, 12)).astype(np.float32))
    whole = as_dense(fit_local_ease(rows, np.ones(12), n_neighbours=12), 12)
    monkeypatch.setattr(ease, "MAX_ROW", 3)
    fitted = fit_local_ease(rows, np.ones(12), n_neighbours=12)
    for i in range(12):
        values = np.abs(fitted.data[fitted.indptr[i] : fitted.indptr[i + 1]])
        np.testing.assert_allclose(values, np.sort(np.abs(whole[i]))[::-1][:3], atol=1e-6)


def test_a_ridge_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="ridge"):
        fit_local_ease(sparse.csr_matrix(np.ones((2, 2), np.float32)), np.array([1.0, 0.0]))


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (3, 3)])
def test_without_events_nothing_is_learned(shape: tuple[int, int]) -> None:
    fitted = fit_local_ease(sparse.csr_matrix(shape, dtype=np.float32), np.ones(shape[1]))
    assert (len(fitted), len(fitted.indices)) == (shape[1], 0)


def _catalogue() -> Columns:
    return columns_of(
        4,
        artists=ragged([[1, 2], [1], [3], [1]], np.uint64),
        genres=ragged([[7], [], [7], [8]], np.uint64),
        tags=ragged([[], [7], [], []], np.uint64),
    )


def test_a_pseudo_listener_has_played_every_song_of_its_name() -> None:
    artist, genre = TOKEN_WEIGHTS["artists"], TOKEN_WEIGHTS["genres"]
    rows = pseudo_listeners(_catalogue()).toarray().tolist()
    # Names that one song only has link nothing; a tag is another name than a genre of the same key.
    assert sorted(rows) == sorted([[artist, artist, 0, artist], [genre, 0, genre, 0]])


def test_a_catalogue_without_names_has_no_pseudo_listeners() -> None:
    none = ragged([[]] * 4, np.uint64)
    assert pseudo_listeners(columns_of(4, artists=none, genres=none, tags=none)).shape == (0, 4)


def test_weights_of_a_listener_average_one() -> None:
    rows = listener_rows(sparse.csr_matrix(np.array([[1, 3, 0], [0, 0, 0], [0, 5, 0]], np.float32)))
    assert rows.toarray().tolist() == [[0.5, 1.5, 0], [0, 0, 0], [0, 1, 0]]


def test_a_song_nobody_played_is_reached_through_its_artist() -> None:
    matrix = sparse.csr_matrix(np.array([[1, 0, 1, 0], [1, 0, 1, 0]], np.float32))
    weights = as_dense(fit_item_weights(matrix, _catalogue(), Parameters(item_model="ease")), 4)
    assert weights[0, 1] > 0
    assert weights[0, 3] > 0


def test_above_its_size_only_songs_that_were_played_are_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.services.recommender.fit.MAX_EASE_ITEMS", 3)
    matrix = sparse.csr_matrix(np.array([[1, 0, 1, 0], [1, 0, 1, 0]], np.float32))
    weights = as_dense(fit_item_weights(matrix, _catalogue(), Parameters(item_model="ease")), 4)
    assert weights[0, 2] > 0
    assert not weights[:, [1, 3]].any()


def test_above_its_size_even_then_the_cosine_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("src.services.recommender.fit.MAX_EASE_PRODUCTS", 1.0)
    matrix, columns = events_of(30, 40).matrix(40), columns_of(40)
    fitted = fit_item_weights(matrix, columns, Parameters(item_model="ease"))
    cosine = fit_item_weights(matrix, columns, Parameters(item_model="cosine"))
    np.testing.assert_array_equal(as_dense(fitted, 40), as_dense(cosine, 40))


def test_an_unknown_item_model_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no item model 'svd'"):
        fit_item_weights(events_of(5, 9).matrix(9), columns_of(9), Parameters(item_model="svd"))
