"""Nearest listeners against a dense oracle."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from scipy import sparse

from src.services.recommender import user_cf
from src.services.recommender.bundle import derive
from src.services.recommender.context import Context
from src.services.recommender.fit import Parameters, fit_model
from src.services.recommender.interactions import Events
from src.services.recommender.pipeline import blended
from src.services.recommender.scorers import user_cf as scorer
from src.services.recommender.user_cf import POPULARITY_POWER, fit_listeners
from tests.unit.recommender.worlds import columns_of, listener, untrained

value = st.sampled_from([0.0, 0.0, 0.5, 1.0, 2.0])
plays = hnp.arrays(np.float32, st.tuples(st.integers(1, 9), st.just(7)), elements=value)


def scores(matrix: NDArray[np.float32], context: Context) -> NDArray[np.float32] | None:
    users, rows = np.nonzero(matrix)
    ages = np.zeros(len(users), np.float32)
    events = Events(users.astype(np.int32), rows.astype(np.int32), matrix[users, rows], ages, len(matrix))
    columns = columns_of(matrix.shape[1])
    return scorer.score(derive(columns, fit_model(events, columns, Parameters(item_model="cosine"))), context)


def oracle(matrix: NDArray[np.float32], context: Context) -> NDArray[np.float64]:
    """Cosine of idf-weighted histories, cubed, times the songs of each, over the largest."""
    n_listeners = (matrix > 0).sum(axis=0)
    idf = np.log1p(len(matrix) / np.maximum(n_listeners, 1))
    history = np.zeros(matrix.shape[1])
    history[context.positives] = context.weights
    history *= idf
    others = matrix * idf
    lengths = np.linalg.norm(others, axis=1) * np.linalg.norm(history)
    nearness = others @ history / np.where(lengths > 0, lengths, 1)
    total = nearness**3 @ (matrix / (1.0 + n_listeners) ** POPULARITY_POWER)
    return total / total.max() if total.max() > 0 else total


@settings(deadline=None)
@given(plays, st.lists(st.integers(0, 6), min_size=1, max_size=4, unique=True))
def test_scores_are_those_of_a_dense_computation(matrix: NDArray[np.float32], rows: list[int]) -> None:
    context = listener(*rows)
    expected = oracle(matrix, context)
    found = scores(matrix, context)
    if found is None:
        assert not expected.any()
    else:
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_only_the_nearest_listeners_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scorer, "N_NEAREST", 1)
    matrix = np.array([[1, 1, 1, 0, 0], [1, 0, 0, 1, 1]], np.float32)
    found = scores(matrix, listener(0, 1))
    assert found is not None
    assert found[2] > 0
    assert not found[[3, 4]].any()


def test_listeners_and_their_songs_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_cf, "MAX_LISTENERS", 5)
    monkeypatch.setattr(user_cf, "MAX_HISTORY", 2)
    matrix = np.tile(np.array([[3, 1, 2, 4]], np.float32), (40, 1))
    listeners, histories = fit_listeners(sparse.csr_matrix(matrix))
    assert (len(listeners), len(histories)) == (4, 5)
    assert histories.lengths().tolist() == [2] * 5
    assert set(histories.indices.tolist()) == {0, 3}  # those of most weight


def test_without_a_model_or_a_history_there_is_no_opinion() -> None:
    matrix = np.ones((3, 7), np.float32)
    assert scores(matrix, Context()) is None
    assert scores(np.zeros((3, 7), np.float32), listener(1)) is None
    assert scorer.score(untrained(9), listener(1)) is None
    assert blended(untrained(9), listener(1), "user_cf")[1] == "no_model"


def test_a_long_history_is_looked_up_by_its_heaviest_songs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scorer, "MAX_POSITIVES", 1)
    matrix = np.array([[1, 0, 1, 0], [0, 1, 0, 1]], np.float32)
    context = replace(listener(0, 1), weights=np.array([0.1, 1.0], np.float32))
    found = scores(matrix, context)
    assert found is not None
    assert found.tolist() == pytest.approx([0, 1, 0, 1])
