"""Mood rules: what clearly fits, what clearly does not, and what lies between."""

from itertools import pairwise

import numpy as np
import pytest

from src.services.recommender.catalogue import FEATURES
from src.services.recommender.moods import (
    MOOD_NAMES,
    MOODS,
    Fit,
    Mean,
    Mood,
    at_least,
    at_most,
    membership,
    mood_matrix,
)
from src.services.recommender.pipeline import MOOD_THRESHOLD
from tests.unit.recommender.worlds import audio_of, columns_of

MOOD = {mood.name: mood for mood in MOODS}
RULES = [
    pytest.param(mood, fit, id=f"{mood.name}-{fit.feature}")
    for mood in MOODS
    for fit in mood.rule
    if isinstance(fit, Fit)
]
PLAIN = [rule for rule in RULES if all(isinstance(term, Fit) for term in rule.values[0].rule)]
GRIDS = {"tempo_bpm": np.linspace(30, 240, 211), "loudness_db": np.linspace(-60, 5, 261)}


def song(energy: float, valence: float, danceability: float, bpm: float, acousticness: float, **more: float):
    rest = {"instrumentalness": 0.0, "speechiness": 0.04, "liveness": 0.1, "loudness_db": -22 + 18 * energy}
    facts = {"energy": energy, "valence": valence, "danceability": danceability, "acousticness": acousticness}
    return {**rest, **facts, "tempo_bpm": bpm, **more}


POP = song(0.75, 0.85, 0.75, 118, 0.15)
BALLAD_OF_WOE = song(0.25, 0.12, 0.35, 75, 0.75)
LULLABY = song(0.06, 0.3, 0.25, 65, 0.97, instrumentalness=0.85, loudness_db=-25.0)
SLOW_DANCE = song(0.35, 0.45, 0.5, 90, 0.6)
STUDY_LOOP = song(0.35, 0.4, 0.6, 85, 0.5, instrumentalness=0.9)
THRASH = song(0.97, 0.25, 0.35, 170, 0.001, loudness_db=-4.0)
TECHNO = song(0.9, 0.5, 0.78, 132, 0.01, loudness_db=-5.0)
SPOKEN = song(0.5, 0.5, 0.6, 100, 0.7, speechiness=0.9)

PROTOTYPES = {
    "happy": (POP, BALLAD_OF_WOE),
    "sad": (BALLAD_OF_WOE, POP),
    "calm": (LULLABY, THRASH),
    "energetic": (TECHNO, LULLABY),
    "focus": (STUDY_LOOP, SPOKEN),
    "party": (POP, LULLABY),
    "romantic": (SLOW_DANCE, THRASH),
    "angry": (THRASH, POP),
    "sleep": (LULLABY, TECHNO),
    "workout": (TECHNO, SLOW_DANCE),
}


def fits(mood: str, *songs: dict[str, float]) -> list[float]:
    return membership(MOOD[mood], audio_of(*songs)).tolist()


def values_of(fit: Fit, *values: float) -> list[float]:
    return fit.membership(np.array(values, np.float32)).tolist()


@pytest.mark.parametrize("name", MOOD_NAMES)
def test_a_clear_case_fits_and_its_opposite_does_not(name: str) -> None:
    positive, negative = fits(name, *PROTOTYPES[name])
    assert positive > 0.75
    assert negative < 0.1


def test_there_are_the_ten_moods_each_with_a_description_and_known_features() -> None:
    assert set(PROTOTYPES) == set(MOOD_NAMES)
    assert len(MOOD_NAMES) == 10
    for mood in MOODS:
        assert mood.description.endswith(".")
        assert {fit.feature for fit in mood.fits} <= set(FEATURES)
        assert all(fit.weight > 0 and fit.low <= fit.full_from <= fit.full_to <= fit.high for fit in mood.fits)
        assert sum(fit.weight for fit in mood.fits) == pytest.approx(sum(term.weight for term in mood.rule))


@pytest.mark.parametrize(("mood", "fit"), PLAIN)
def test_a_rule_rises_to_its_plateau_and_falls_after_it(mood: Mood, fit: Fit) -> None:
    grid = GRIDS.get(fit.feature, np.linspace(0, 1, 201))
    positive = PROTOTYPES[mood.name][0]
    whole = membership(mood, audio_of(*({**positive, fit.feature: value} for value in grid)))

    for curve in (fit.membership(grid.astype(np.float32)), whole):
        before, after = curve[grid <= fit.full_from], curve[grid >= fit.full_to]
        assert (np.diff(before) >= -1e-6).all()
        assert (np.diff(after) <= 1e-6).all()
        on_top = (grid >= fit.full_from) & (grid <= fit.full_to)
        assert curve[on_top] == pytest.approx([curve.max()] * int(on_top.sum()))
        assert curve.max() > curve.min()


@pytest.mark.parametrize(("mood", "fit"), RULES)
def test_one_feature_that_does_not_fit_at_all_rules_a_song_out(mood: Mood, fit: Fit) -> None:
    misfit = fit.high + 0.001 if np.isfinite(fit.high) else fit.low - 0.001
    (result,) = fits(mood.name, {**PROTOTYPES[mood.name][0], fit.feature: misfit})
    assert result < MOOD_THRESHOLD


@pytest.mark.parametrize(("mood", "fit"), PLAIN)
def test_an_unknown_feature_fits_half(mood: Mood, fit: Fit) -> None:
    ideal = {f.feature: f.full_from if np.isfinite(f.full_from) else f.full_to for f in mood.rule}
    unknown = {name: value for name, value in ideal.items() if name != fit.feature}

    whole, part = fits(mood.name, ideal, unknown)

    assert whole == pytest.approx(1)
    assert part == pytest.approx(0.5 ** (fit.weight / sum(f.weight for f in mood.rule)), rel=1e-4)


def test_a_song_of_which_nothing_is_known_fits_no_mood() -> None:
    assert not mood_matrix(audio_of({}, {"time_signature": 4.0})).any()


def test_the_edges_of_a_trapezoid() -> None:
    fit = Fit("energy", 0.25, 0.5, 0.625, 0.875)
    assert values_of(fit, 0, 0.25, 0.375, 0.5, 0.5625, 0.625, 0.75, 0.875, 1) == [0, 0, 0.5, 1, 1, 1, 0.5, 0, 0]
    assert values_of(at_least("energy", 0.25, 0.75), 0.25, 0.5, 0.75, 1) == [0, 0.5, 1, 1]
    assert values_of(at_most("energy", 0.25, 0.75), 0, 0.25, 0.5, 0.75) == [1, 1, 0.5, 0]


def test_an_upright_edge_belongs_to_the_plateau() -> None:
    assert values_of(Fit("energy", 0.25, 0.25, 0.75, 0.75), 0.2, 0.25, 0.5, 0.75, 0.8) == [0, 1, 1, 1, 0]


def test_a_weight_is_how_much_a_feature_counts_in_the_geometric_mean() -> None:
    mood = Mood("m", "d.", (at_least("energy", 0, 1, 3), at_least("valence", 0, 1, 1)))
    result = membership(mood, audio_of({"energy": 0.25, "valence": 1.0}, {"energy": 1.0, "valence": 0.25}))
    assert result.tolist() == pytest.approx([0.25**0.75, 0.25**0.25], rel=1e-5)


def test_in_a_mean_one_feature_makes_up_for_another() -> None:
    mood = Mood(
        "m", "d.", (Mean((at_least("energy", 0, 1, 3), at_least("valence", 0, 1)), 2), at_most("liveness", 0, 1))
    )
    audio = audio_of({"energy": 1.0, "valence": 0.0, "liveness": 0.0}, {"energy": 0.0, "valence": 1.0, "liveness": 0.5})
    assert membership(mood, audio).tolist() == pytest.approx([0.75 ** (2 / 3), (0.25**2 * 0.5) ** (1 / 3)], rel=1e-5)
    assert [(fit.feature, fit.weight) for fit in mood.fits] == [("energy", 1.5), ("valence", 0.5), ("liveness", 1.0)]


def test_more_valence_is_never_less_happy() -> None:
    steps = [song(0.6, 0.1 * i, 0.6, 100, 0.3) for i in range(11)]
    assert all(b >= a for a, b in pairwise(fits("happy", *steps)))


def test_the_matrix_has_a_contiguous_row_for_each_mood() -> None:
    audio = columns_of(50).audio
    matrix = mood_matrix(audio)

    assert matrix.dtype == np.float32
    assert matrix.shape == (len(MOODS), 50)
    assert matrix.flags.c_contiguous
    assert ((matrix >= 0) & (matrix <= 1)).all()
    for mood, row in zip(MOODS, matrix, strict=True):
        np.testing.assert_array_equal(row, membership(mood, audio))
