"""Evaluation: strategies whose worth is known beforehand get the numbers they must get."""

from math import log2

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.services.recommender.bundle import derive
from src.services.recommender.context import Context
from src.services.recommender.evaluation import CUT, STRATEGIES, Case, evaluate, top_rows
from src.services.recommender.fit import Parameters, fit_model
from src.services.recommender.interactions import split_last
from tests.unit.recommender.worlds import columns_of, events_of, read_only, trained, untrained, without_row

N = 100


def rng() -> np.random.Generator:
    return np.random.default_rng(20)


def popular_first(n: int = N):
    """Song 0 is the most popular, song n - 1 the least."""
    return untrained(n, popularity=np.linspace(1, 0, n, dtype=np.float32))


def case(known: list[int], hidden: list[int]) -> Case:
    return Case(Context(np.array(known, np.int32), np.ones(len(known), np.float32)), np.array(hidden, np.int32))


def test_a_strategy_that_ranks_what_is_hidden_first_gets_full_marks() -> None:
    cases = [case([50 + u, 70 + u], [0, 1, 2]) for u in range(8)]

    scores = evaluate(popular_first(), cases, rng(), 8)["popularity"]

    for name in ("recall", "ndcg", "ndcg_low", "ndcg_high", "map"):
        assert getattr(scores, name) == pytest.approx(1), name
    assert scores.coverage == CUT / N


def test_one_hit_far_down_counts_by_its_rank() -> None:
    # The listener knows the first ten songs, so the hidden one is sixth of those that compete.
    scores = evaluate(popular_first(), [case(list(range(10)), [15])], rng(), 1)["popularity"]

    assert scores.recall == 1
    assert scores.ndcg == pytest.approx(1 / log2(7))
    assert scores.map == pytest.approx(1 / 6)


def test_songs_that_left_do_not_compete() -> None:
    bundle = without_row(popular_first(), *range(5))
    scores = evaluate(bundle, [case([50], [5])], rng(), 1)["popularity"]
    assert scores.ndcg == pytest.approx(1)
    assert scores.coverage == CUT / (N - 5)


def test_random_finds_its_share() -> None:
    cases = [case([u % N], [(u + 37) % N]) for u in range(400)]

    scores = evaluate(popular_first(), cases, rng(), 400)["random"]

    # 400 draws of chance 20/99: four standard deviations are 0.08.
    assert scores.recall == pytest.approx(CUT / (N - 1), abs=0.08)
    assert scores.coverage == 1
    assert scores.ndcg_low < scores.ndcg < scores.ndcg_high


def test_collaborative_filtering_beats_popularity_where_listeners_have_tastes() -> None:
    events, cases = split_last(events_of(90, 150, per_user=25))
    bundle = read_only(derive(columns_of(150), fit_model(events, columns_of(150), Parameters())))
    told: list[tuple[int, int]] = []

    scores = evaluate(bundle, cases, rng(), 90, lambda done, total: told.append((done, total)))

    assert scores["item_cf"].ndcg > 1.3 * scores["popularity"].ndcg
    assert scores["item_cf"].ndcg_low > scores["random"].ndcg
    assert told == [(i + 1, len(cases)) for i in range(len(cases))]


def test_every_strategy_is_measured_with_plain_numbers_and_again_alike() -> None:
    bundle = trained(60)
    cases = [case([3, 6, 9], [12]), case([5], [7, 8]), case([], [1])]

    first, again = (evaluate(bundle, cases, rng(), 60) for _ in range(2))

    assert first == again
    assert set(first) == set(STRATEGIES) >= {"hybrid", "popularity", "random"}
    for scores in first.values():
        assert all(np.isfinite(value) and value == round(value, 4) for value in scores.rounded().values())
        assert scores.ndcg_low <= scores.ndcg <= scores.ndcg_high


def test_without_cases_everything_is_zero() -> None:
    assert {scores.recall for scores in evaluate(trained(30), [], rng(), 0).values()} == {0.0}


def test_a_listener_who_knows_every_song_counts_as_not_found() -> None:
    bundle = without_row(popular_first(6), 5)
    scores = evaluate(bundle, [case([0, 1, 2, 3, 4], [5])], rng(), 1)
    assert {s.recall for s in scores.values()} == {s.map for s in scores.values()} == {0.0}


@given(
    st.lists(st.sampled_from([-np.inf, np.nan, 0.0, 0.25, 0.5, 1.0]), max_size=30),
    st.integers(0, 12),
)
def test_the_top_are_the_highest_finite_scores(values: list[float], k: int) -> None:
    finite = [i for i, v in enumerate(values) if np.isfinite(v)]
    scores = np.array(values, np.float32)

    top = top_rows(scores, k)

    assert top.dtype == np.int32
    best = sorted((values[i] for i in finite), reverse=True)[:k]
    assert [values[i] for i in top] == best
    assert len(set(top.tolist())) == len(top)
    pairs = [(-values[i], i) for i in top]
    assert pairs == sorted(pairs)
