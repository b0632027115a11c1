"""Hard conditions and nearness to targets."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from src.services.recommender.bundle import Bundle
from src.services.recommender.context import Request
from src.services.recommender.filters import allowed, nearness, with_genre
from tests.unit.recommender.worlds import audio_of, ragged, untrained, without_row


def of_audio(*songs: dict[str, float]) -> Bundle:
    return untrained(len(songs), audio=audio_of(*songs))


def passing(bundle: Bundle, **asked: Any) -> list[int]:
    return np.flatnonzero(allowed(bundle, Request(**asked))).tolist()


def genres(*keys: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    return np.array(keys, np.uint64)


def test_bounds_are_inclusive_and_unknown_values_are_out() -> None:
    bundle = of_audio(*({"energy": e} for e in (0.1, 0.3, 0.5, 0.7)), {}, {"valence": 0.5})

    assert passing(bundle, bounds=(("energy", 0.3, 0.7),)) == [1, 2, 3]
    assert passing(bundle, bounds=(("energy", 0.3, 0.3),)) == [1]
    assert passing(bundle, bounds=(("energy", -np.inf, np.inf),)) == [0, 1, 2, 3]
    assert passing(bundle) == [0, 1, 2, 3, 4, 5]


def test_all_bounds_must_be_met() -> None:
    bundle = of_audio({"energy": 0.5, "tempo_bpm": 100}, {"energy": 0.5, "tempo_bpm": 140}, {"tempo_bpm": 100})
    assert passing(bundle, bounds=(("energy", 0, 1), ("tempo_bpm", 90, 120))) == [0]


def test_a_song_needs_one_of_the_genres() -> None:
    rows = [[], [1, 2], [], [3], [2], []]
    bundle = untrained(6, genres=ragged(rows, np.uint64))

    for asked in [(1,), (2,), (1, 3), (9,), (2, 9)]:
        expected = [i for i, row in enumerate(rows) if set(row) & set(asked)]
        assert passing(bundle, genres=genres(*asked)) == expected
        assert np.flatnonzero(with_genre(bundle, genres(*asked))).tolist() == expected
    assert passing(bundle, genres=genres()) == [0, 1, 2, 3, 4, 5]


def test_explicit_songs_alone_or_none_of_them() -> None:
    bundle = untrained(3, explicit=np.array([1, 0, -1], np.int8))

    assert passing(bundle, explicit=True) == [0]
    assert passing(bundle, explicit=False) == [1, 2]
    assert passing(bundle, explicit=None) == [0, 1, 2]


def test_excluded_songs_and_those_that_left_are_out() -> None:
    assert passing(without_row(untrained(5), 1), excluded=np.array([3, 3], np.int32)) == [0, 2, 4]


def test_the_catalogue_is_not_changed_by_a_request() -> None:
    bundle = untrained(5)
    assert passing(bundle, excluded=np.arange(5, dtype=np.int32)) == []
    assert passing(bundle) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("feature", "values", "target", "distances"),
    [
        ("energy", [0.5, 0.75, 0.0, 1.0], 0.5, [0, 0.25, 0.5, 0.5]),
        ("tempo_bpm", [120, 60, 240, 30, 90], 120, [0, 1, 1, 2, np.log2(120 / 90)]),
        ("key", [11, 0, 5, 2], 11, [0, 1 / 6, 1, 0.5]),
        ("loudness_db", [-10, -25, -55], -10, [0, 0.5, 1.5]),
        ("time_signature", [4, 3, 5], 4, [0, 0.25, 0.25]),
        ("mode", [1, 0], 1, [0, 1]),
    ],
)
def test_nearness_to_a_target(feature: str, values: list[float], target: float, distances: list[float]) -> None:
    bundle = of_audio(*({feature: value} for value in values), {})
    result = nearness(bundle, {feature: target})
    assert result.dtype == np.float32
    expected = [1 / (1 + (distance / 0.15) ** 2) for distance in distances]
    assert result.tolist() == pytest.approx([*expected, 0], abs=1e-5)


def test_nearness_to_several_targets_is_their_mean_and_an_unknown_feature_is_not_near() -> None:
    bundle = of_audio({"energy": 0.5, "valence": 1.0}, {"energy": 0.5}, {})
    assert nearness(bundle, {"energy": 0.5, "valence": 0.5}).tolist() == pytest.approx(
        [(1 + 1 / (1 + (0.5 / 0.15) ** 2)) / 2, 0.5, 0]
    )


def test_conditions_are_met_together() -> None:
    base = untrained(80)
    request = Request(bounds=(("energy", 0.2, 0.9),), genres=genres(1, 2), explicit=False)
    each = [replace(Request(), **{name: getattr(request, name)}) for name in ("bounds", "genres", "explicit")]

    together = allowed(base, request)

    np.testing.assert_array_equal(together, np.logical_and.reduce([allowed(base, one) for one in each]))
    assert 0 < together.sum() < 80
