"""Popularity on a log scale, with time."""

import numpy as np
import pytest

from src.services.recommender.popularity import HALF_LIFE_DAYS, PRIOR_PLAYS, decayed_counts, fit_popularity

UNSTATED = np.float32(np.nan)


def counts(rows: list[int], weights: list[float], ages: list[float], n: int) -> list[float]:
    fitted = decayed_counts(np.array(rows, np.int32), np.array(weights, np.float32), np.array(ages, np.float32), n)
    assert fitted.dtype == np.float32
    return fitted.tolist()


def test_a_play_counts_half_after_each_half_life() -> None:
    ages = [0.0, HALF_LIFE_DAYS, 3 * HALF_LIFE_DAYS]
    assert counts([0, 1, 2], [1, 1, 1], ages, 4) == pytest.approx([1, 0.5, 0.125, 0])


def test_plays_of_one_song_add_up_with_their_weights() -> None:
    assert counts([1, 1, 0], [2, 1, 1], [0, HALF_LIFE_DAYS, 0], 2) == pytest.approx([1, 2.5])


def test_a_play_from_the_future_counts_as_one_from_now() -> None:
    assert counts([0], [1], [-1_000], 1) == [1]


def test_no_plays_are_no_popularity() -> None:
    assert counts([], [], [], 3) == [0, 0, 0]
    assert fit_popularity(np.zeros(3, np.float32), np.full(3, UNSTATED)).tolist() == [0, 0, 0]
    assert len(fit_popularity(np.empty(0, np.float32), np.empty(0, np.float32))) == 0


def test_each_doubling_of_plays_adds_the_same() -> None:
    plays = 1_000.0 * 2 ** np.arange(8)
    fitted = fit_popularity(plays.astype(np.float32), np.full(8, UNSTATED))

    steps = np.diff(fitted)
    assert fitted.dtype == np.float32
    assert fitted[-1] == 1
    assert steps == pytest.approx([steps[0]] * 7, rel=2e-3)


def test_the_sources_figure_stands_in_for_plays() -> None:
    stated = np.array([1.0, 0.5, 0.0, UNSTATED, UNSTATED], np.float32)
    fitted = fit_popularity(np.array([0, 0, 0, PRIOR_PLAYS, 0], np.float32), stated)
    assert fitted.tolist() == pytest.approx([1, 0.5, 0, 1, 0], abs=1e-6)


def test_plays_outweigh_the_sources_figure() -> None:
    fitted = fit_popularity(np.array([30, 0], np.float32), np.array([UNSTATED, 1.0], np.float32))
    assert fitted[0] == 1
    assert fitted[1] < 0.5
