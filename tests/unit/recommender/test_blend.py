"""Weights of the scorers over the length of a history."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.services.recommender.blend import DEFAULT, Blend

share = st.dictionaries(st.sampled_from(["content", "item_cf", "popularity", "ranker"]), st.floats(0.01, 5), min_size=1)


@given(share, share, st.floats(0.5, 100), st.integers(0, 10_000))
def test_weights_add_up_to_one_whatever_was_fitted(cold, warm, half_history: float, n: int) -> None:
    weights = Blend(cold, warm, half_history).weights(n)

    assert sum(weights.values()) == pytest.approx(1)
    assert min(weights.values()) >= 0
    assert set(weights) == {*cold, *warm}


def test_weights_go_steadily_and_without_jumps_from_cold_to_warm() -> None:
    course = {name: [DEFAULT.weights(n)[name] for n in range(500)] for name in DEFAULT.weights(0)}

    for name, values in course.items():
        steps = np.diff(values)
        assert (steps >= 0).all() or (steps <= 0).all(), name
        assert np.abs(steps).max() < 0.1
    assert course["item_cf"][-1] > course["item_cf"][0]
    assert course["content"][-1] < course["content"][0]
    assert course["popularity"][-1] < course["popularity"][0]


def test_the_ends_and_the_middle_are_what_was_set() -> None:
    blend = Blend({"a": 3.0, "b": 1.0}, {"b": 4.0}, half_history=8)

    assert blend.weights(0) == {"a": 0.75, "b": 0.25}
    assert blend.weights(8) == {"a": 0.375, "b": 0.625}
    assert blend.weights(10**9) == pytest.approx({"a": 0, "b": 1}, abs=1e-6)


def test_a_blend_of_nothing_weighs_nothing() -> None:
    assert Blend({"a": 0.0}, {"a": 0.0}).weights(3) == {"a": 0.0}
