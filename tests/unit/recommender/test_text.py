"""TF-IDF against a dense oracle made of dictionaries."""

from math import log, sqrt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.services.recommender.text import KIND_WEIGHTS, TextIndex, cosine_to, fit_text, profile_vector
from tests.unit.recommender.worlds import as_dense, columns_of, ragged

KINDS = tuple(KIND_WEIGHTS)
song = st.tuples(*(st.lists(st.integers(1, 6), unique=True, max_size=3) for _ in KINDS))
songs = st.lists(song, min_size=1, max_size=10)
Song = tuple[list[int], list[int], list[int]]


def index_of(catalogue: list[Song]) -> TextIndex:
    given = {kind: ragged([facts[i] for facts in catalogue], np.uint64) for i, kind in enumerate(KINDS)}
    return fit_text(columns_of(len(catalogue), **given))


def oracle(catalogue: list[Song]) -> list[dict[tuple[str, int], float]]:
    """Unit vectors by token, with idf as scikit-learn smooths it."""
    tokens = [{(kind, name) for kind, names in zip(KINDS, facts, strict=True) for name in names} for facts in catalogue]
    frequency = {token: sum(token in has for has in tokens) for token in set().union(*tokens)}
    vectors = []
    for has in tokens:
        raw = {
            t: KIND_WEIGHTS[t[0]] * (log((1 + len(catalogue)) / (1 + frequency[t])) + 1)
            for t in has
            if frequency[t] > 1
        }
        length = sqrt(sum(v**2 for v in raw.values()))
        vectors.append({t: v / length for t, v in raw.items()})
    return vectors


def dot(a: dict[tuple[str, int], float], b: dict[tuple[str, int], float]) -> float:
    return sum(v * b.get(token, 0.0) for token, v in a.items())


@settings(deadline=None)
@given(songs)
def test_products_of_rows_are_cosines_of_tf_idf(catalogue: list[Song]) -> None:
    index = index_of(catalogue)
    dense = as_dense(index.vectors, index.n_tokens)
    vectors = oracle(catalogue)

    np.testing.assert_allclose(dense @ dense.T, [[dot(a, b) for b in vectors] for a in vectors], atol=1e-5)
    np.testing.assert_array_equal(as_dense(index.postings, len(catalogue)), dense.T)


@settings(deadline=None)
@given(songs, st.data())
def test_a_profile_is_the_unit_sum_of_its_songs_and_its_cosines_are_the_oracles(catalogue, data) -> None:
    rows = data.draw(st.lists(st.integers(0, len(catalogue) - 1), min_size=1, max_size=4))
    weights = [data.draw(st.sampled_from([0.25, 1.0, 2.0])) for _ in rows]
    index, vectors = index_of(catalogue), oracle(catalogue)
    total: dict[tuple[str, int], float] = {}
    for row, weight in zip(rows, weights, strict=True):
        for token, v in vectors[row].items():
            total[token] = total.get(token, 0.0) + weight * v
    length = sqrt(sum(v**2 for v in total.values())) or 1.0
    expected = [dot(total, vector) / length for vector in vectors]

    tokens, values = profile_vector(index, np.array(rows, np.int32), np.array(weights, np.float32))

    np.testing.assert_allclose(cosine_to(index, tokens, values, len(catalogue)), expected, atol=1e-5)


def test_a_long_profile_keeps_its_heaviest_tokens() -> None:
    catalogue: list[Song] = [([i], [], []) for i in range(1, 6)] * 2
    index = index_of(catalogue)
    weights = np.array([1, 5, 2, 4, 3], np.float32)

    tokens, values = profile_vector(index, np.arange(5, dtype=np.int32), weights, max_tokens=2)

    assert set(tokens.tolist()) == {int(index.vectors.row(1)[0]), int(index.vectors.row(3)[0])}
    assert np.linalg.norm(values) == pytest.approx(1)
    assert sorted(values.tolist()) == pytest.approx([4 / sqrt(41), 5 / sqrt(41)])


def test_one_name_as_artist_and_as_genre_is_two_tokens() -> None:
    index = index_of([([1], [], []), ([], [1], []), ([1], [], []), ([], [1], [])])

    assert index.n_tokens == 2
    tokens, values = profile_vector(index, np.zeros(1, np.int32), np.ones(1, np.float32))
    assert cosine_to(index, tokens, values, 4).tolist() == pytest.approx([1, 0, 1, 0])


def test_a_rare_token_says_more_than_a_common_one() -> None:
    index = index_of([([], [1, 2], []), ([], [1], []), ([], [2], []), ([], [1], []), ([], [1], [])])
    tokens, values = profile_vector(index, np.zeros(1, np.int32), np.ones(1, np.float32))
    cosine = cosine_to(index, tokens, values, 5)
    assert cosine[2] > cosine[1] > 0


def test_songs_without_names_have_no_opinion() -> None:
    index = index_of([([], [], []), ([], [], [])])

    tokens, values = profile_vector(index, np.array([0, 1], np.int32), np.ones(2, np.float32))

    assert index.n_tokens == 0
    assert len(tokens) == len(values) == 0
    assert not cosine_to(index, tokens, values, 2).any()
