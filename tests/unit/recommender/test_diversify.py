"""Choosing a list against a greedy oracle in plain Python."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from src.services.recommender.diversify import rerank

eighth = st.integers(0, 8).map(lambda x: x / 8)


def oracle(
    relevance: list[float],
    similarity: list[list[float]],
    groups: list[int],
    artists: list[int],
    limit: int,
    diversity: float,
    max_per_artist: int,
) -> list[int]:
    chosen: list[int] = []
    while len(chosen) < limit:
        left = [i for i in range(len(relevance)) if groups[i] not in {groups[c] for c in chosen}]
        within = [i for i in left if artists[i] == 0 or sum(artists[c] == artists[i] for c in chosen) < max_per_artist]
        if not left:
            break
        chosen.append(
            max(
                within or left,
                key=lambda i: (
                    (1 - diversity) * relevance[i] - diversity * max((similarity[c][i] for c in chosen), default=0.0),
                    -i,
                ),
            )
        )
    return chosen


def run(relevance: Any, similarity: Any, groups: Any, artists: Any, **options: Any) -> list[int]:
    chosen = rerank(
        np.array(relevance, np.float32),
        np.array(similarity, np.float32).reshape(len(relevance), len(relevance)),
        np.array(groups, np.uint64),
        np.array(artists, np.uint64),
        **{"limit": 10, "diversity": 0.0, "max_per_artist": 10, **options},
    )
    assert chosen.dtype == np.intp
    return chosen.tolist()


@st.composite
def candidates(draw: st.DrawFn) -> tuple[list[float], list[list[float]], list[int], list[int]]:
    m = draw(st.integers(0, 9))
    upper = {(i, j): draw(eighth) for i in range(m) for j in range(i)}
    similarity = [[1.0 if i == j else upper[max(i, j), min(i, j)] for j in range(m)] for i in range(m)]
    relevance = sorted((draw(eighth) for _ in range(m)), reverse=True)
    return (
        relevance,
        similarity,
        [draw(st.integers(1, 6)) for _ in range(m)],
        [draw(st.integers(0, 3)) for _ in range(m)],
    )


@settings(deadline=None)
@given(candidates(), st.integers(0, 10), st.sampled_from([0.0, 0.25, 0.5, 1.0]), st.integers(1, 3))
def test_each_step_takes_what_a_greedy_search_takes(world, limit: int, diversity: float, max_per_artist: int) -> None:
    chosen = run(*world, limit=limit, diversity=diversity, max_per_artist=max_per_artist)

    assert chosen == oracle(*world, limit, diversity, max_per_artist)


def alike(m: int, value: float = 0.5) -> NDArray[np.float64]:
    return np.full((m, m), value) + np.eye(m) * (1 - value)


def test_without_diversity_the_order_is_by_relevance() -> None:
    assert run([1, 0.8, 0.8, 0.1], alike(4), range(1, 5), [0] * 4) == [0, 1, 2, 3]


def test_diversity_puts_what_is_unlike_before_what_is_alike() -> None:
    similarity = [[1, 0.9, 0.1], [0.9, 1, 0.1], [0.1, 0.1, 1]]
    assert run([1, 0.9, 0.7], similarity, [1, 2, 3], [0, 0, 0], diversity=0.5) == [0, 2, 1]


def test_an_artist_has_at_most_so_many_while_others_remain() -> None:
    artists = [5, 5, 5, 6, 7]
    assert run([1, 0.9, 0.8, 0.2, 0.1], alike(5), range(1, 6), artists, max_per_artist=2, limit=4) == [0, 1, 3, 4]


def test_the_cap_yields_before_the_list_stays_short() -> None:
    artists = [5, 5, 5, 6]
    assert run([1, 0.9, 0.8, 0.2], alike(4), range(1, 5), artists, max_per_artist=1) == [0, 3, 1, 2]


def test_unknown_artists_are_not_capped() -> None:
    assert run([1, 0.9, 0.8], alike(3), range(1, 4), [0, 0, 0], max_per_artist=1, limit=2) == [0, 1]


def test_only_the_best_version_of_a_recording_is_taken_even_if_the_list_stays_short() -> None:
    assert run([1, 0.9, 0.8], alike(3), [1, 1, 2], [0, 0, 0]) == [0, 2]


@pytest.mark.parametrize("limit", [0, 3])
def test_nothing_to_choose_from_or_nothing_wanted(limit: int) -> None:
    assert run([], [], [], [], limit=limit) == []
    assert run([1], [[1]], [1], [1], limit=0) == []
