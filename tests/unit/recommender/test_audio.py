"""Audio vectors: distances mean what an ear would say."""

import numpy as np
import pytest

from src.services.recommender.audio import (
    KEY_WEIGHT,
    N_DIMENSIONS,
    WEIGHTS,
    Scaler,
    coordinates,
    embed,
    fit_scaler,
    known_rows,
    raw_vector,
)
from src.services.recommender.catalogue import FEATURES
from tests.unit.recommender.worlds import audio_of, columns_of

PLACE = {name: i for i, name in enumerate(WEIGHTS)}
AS_IT_IS = Scaler(np.zeros(N_DIMENSIONS, np.float32), np.ones(N_DIMENSIONS, np.float32))


def key_distance(a: int, b: int) -> float:
    points = coordinates(audio_of({"key": a}, {"key": b}))[:, -2:]
    return float(np.linalg.norm(points[0] - points[1]))


def test_a_fifth_is_the_smallest_step_between_keys_and_a_tritone_the_greatest() -> None:
    from_c = {key: key_distance(0, key) for key in range(12)}

    # C; G and F; D and B flat; A and E flat; E and A flat; B and D flat; F sharp.
    rings = [[0], [7, 5], [2, 10], [9, 3], [4, 8], [11, 1], [6]]
    distances = [[from_c[key] for key in ring] for ring in rings]
    for ring in distances:
        assert ring == pytest.approx([ring[0]] * len(ring), abs=1e-5)
    assert [ring[0] for ring in distances] == sorted(from_c[key] for key in (0, 7, 2, 9, 4, 11, 6))
    assert from_c[6] == pytest.approx(2, abs=1e-5)


@pytest.mark.parametrize("step", range(1, 7))
def test_the_circle_of_fifths_looks_alike_from_every_key(step: int) -> None:
    distances = [key_distance(key, (key + 7 * step) % 12) for key in range(12)]
    assert distances == pytest.approx([distances[0]] * 12, abs=1e-5)


def test_tempo_counts_in_octaves() -> None:
    tempo = coordinates(audio_of(*({"tempo_bpm": bpm} for bpm in (35, 70, 140, 210))))[:, PLACE["tempo_bpm"]]

    assert np.diff(tempo[:3]).tolist() == pytest.approx([1, 1], abs=1e-5)
    assert tempo[3] - tempo[2] == pytest.approx(np.log2(1.5), abs=1e-5)


def test_unknown_stays_unknown_in_coordinates_and_lies_at_the_mean_in_vectors() -> None:
    raw = audio_of({"energy": 0.2, "key": 3}, {"energy": 0.8}, {})

    assert np.isnan(coordinates(raw)).sum(axis=1).tolist() == [N_DIMENSIONS - 3, N_DIMENSIONS - 1, N_DIMENSIONS]
    vectors = embed(raw, fit_scaler(raw))
    assert not vectors[2].any()
    assert vectors[0, PLACE["energy"]] == pytest.approx(-WEIGHTS["energy"])
    assert vectors[1, PLACE["energy"]] == pytest.approx(WEIGHTS["energy"])


def test_known_coordinates_are_standardised_and_weighted() -> None:
    raw = columns_of(500).audio
    vectors = embed(raw, fit_scaler(raw))
    known = ~np.isnan(coordinates(raw))

    assert vectors.dtype == np.float32
    assert vectors.shape == (500, N_DIMENSIONS)
    for i, weight in enumerate([*WEIGHTS.values(), KEY_WEIGHT, KEY_WEIGHT]):
        column = vectors[known[:, i], i]
        assert column.mean() == pytest.approx(0, abs=1e-3)
        assert column.std() == pytest.approx(weight, rel=1e-2)


def test_one_odd_value_does_not_rule_the_distance() -> None:
    raw = audio_of(*({"loudness_db": -8 + i % 3} for i in range(300)), {"loudness_db": -3_000})

    vectors = embed(raw, fit_scaler(raw))

    assert np.abs(vectors[-1]).max() == pytest.approx(4 * WEIGHTS["loudness_db"])


def test_a_feature_that_is_the_same_for_all_who_have_it_separates_nobody() -> None:
    raw = audio_of({"tempo_bpm": 120, "mode": 1}, {"tempo_bpm": 120, "mode": 1}, {})
    assert not embed(raw, fit_scaler(raw)).any()


def test_an_empty_catalogue_has_a_scaler() -> None:
    scaler = fit_scaler(np.empty((0, len(FEATURES)), np.float32))

    assert not scaler.mean.any()
    assert (scaler.scale == 1).all()
    assert embed(audio_of({"energy": 0.5}), scaler)[0, PLACE["energy"]] == pytest.approx(0.5 * WEIGHTS["energy"])


def test_a_song_has_an_audio_opinion_from_half_of_the_features_on() -> None:
    names = list(WEIGHTS)
    half = len(names) // 2
    enough, too_few = dict.fromkeys(names[:half], 1.0), dict.fromkeys(names[: half - 1], 1.0)

    assert known_rows(audio_of(enough, too_few, {**too_few, "time_signature": 4.0})).tolist() == [True, False, False]


def test_a_raw_vector_has_nan_for_what_it_lacks() -> None:
    raw = raw_vector({"energy": 0.25})

    assert raw.shape == (1, len(FEATURES))
    assert dict(zip(FEATURES, raw[0].tolist(), strict=True))["energy"] == 0.25
    assert np.isnan(raw).sum() == len(FEATURES) - 1
    assert embed(raw, AS_IT_IS)[0, PLACE["energy"]] == pytest.approx(0.25 * WEIGHTS["energy"])
