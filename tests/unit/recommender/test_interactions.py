"""Events to training data: adding up, splitting by time."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.services.recommender.fit import Parameters, fit_model
from src.services.recommender.interactions import Events, aggregate, split_last
from tests.unit.recommender.worlds import as_dense, columns_of, events_of

N_USERS, N_ITEMS = 5, 6
# (listener, song, weight, age in days); quarters add up exactly.
event = st.tuples(
    st.integers(0, N_USERS - 1),
    st.integers(0, N_ITEMS - 1),
    st.integers(-4, 8).map(lambda x: x / 4),
    st.integers(0, 400).map(float),
)
Event = tuple[int, int, float, float]


def build(events: list[Event], **options: Any) -> Events:
    columns = list(zip(*events, strict=True)) if events else [[], [], [], []]
    dtypes = (np.int32, np.int32, np.float32, np.float32)
    return aggregate(*(np.array(c, d) for c, d in zip(columns, dtypes, strict=True)), N_USERS, **options)


def rows_of(events: Events) -> list[Event]:
    arrays = (events.users, events.rows, events.weights, events.age_days)
    return list(zip(*(array.tolist() for array in arrays), strict=True))


@given(st.lists(event, max_size=40))
def test_one_entry_per_listener_and_song_with_its_sum_and_latest_age_oldest_first(events: list[Event]) -> None:
    pairs: dict[tuple[int, int], list[Event]] = {}
    for one in events:
        pairs.setdefault(one[:2], []).append(one)
    expected = [
        (user, song, min(total, 2.0), min(e[3] for e in found))
        for (user, song), found in pairs.items()
        if (total := sum(e[2] for e in found)) > 0
    ]

    result = build(events)

    assert rows_of(result) == sorted(expected, key=lambda e: (e[0], -e[3], e[1]))
    assert (result.users.dtype, result.rows.dtype) == (np.int32, np.int32)
    assert (result.weights.dtype, result.age_days.dtype) == (np.float32, np.float32)
    assert result.n_users == N_USERS


def test_a_like_taken_back_leaves_nothing_and_weights_have_a_ceiling() -> None:
    like, undo, dislike = (0, 1, 0.3, 5.0), (0, 1, -0.3, 2.0), (2, 2, -10.0, 1.0)
    plays: list[Event] = [(1, 1, 1.5, 9.0)] * 3

    assert rows_of(build([like, undo, dislike, (2, 2, 1.0, 3.0), *plays])) == [(1, 1, 2.0, 9.0)]
    assert rows_of(build(plays, max_weight=10.0)) == [(1, 1, 4.5, 9.0)]


def test_the_matrix_has_a_row_for_every_listener() -> None:
    matrix = build([(1, 2, 1.0, 0.0), (4, 0, 0.5, 0.0)]).matrix(N_ITEMS)

    assert matrix.shape == (N_USERS, N_ITEMS)
    assert (matrix[1, 2], matrix[4, 0], matrix.nnz) == (1, 0.5, 2)


@settings(deadline=None)
@given(st.lists(event, max_size=60), st.sampled_from([0.1, 0.2, 0.5]), st.integers(2, 5))
def test_the_last_songs_by_time_are_hidden_and_all_others_kept(events: list[Event], share: float, least: int) -> None:
    whole = build(events)

    left, cases = split_last(whole, share=share, min_events=least)

    by_user = {user: [e for e in rows_of(whole) if e[0] == user] for user in range(N_USERS)}
    enough = [user for user, entries in by_user.items() if len(entries) >= least]
    assert len(cases) == len(enough)
    kept = rows_of(left)
    for user, entries in by_user.items():
        n_hidden = max(1, int(len(entries) * share)) if user in enough else 0
        assert [e for e in kept if e[0] == user] == entries[: len(entries) - n_hidden]
    for user, case in zip(enough, cases, strict=True):
        ages = {song: age for _, song, _, age in by_user[user]}
        assert set(case.hidden.tolist()) | set(case.context.positives.tolist()) == set(ages)
        assert min(ages[s] for s in case.context.positives) >= max(ages[s] for s in case.hidden)
        assert case.context.weights.tolist() == [e[2] for e in kept if e[0] == user]


def test_the_number_of_cases_is_bounded_and_the_others_train_whole() -> None:
    events = events_of(20, 60)
    left, cases = split_last(events, max_cases=3)

    assert len(cases) == 3
    assert len(left) == len(events) - sum(len(case.hidden) for case in cases)


def test_without_events_there_is_nothing_to_split() -> None:
    left, cases = split_last(build([]))
    assert (len(left), cases) == (0, [])


def test_a_fit_takes_everything_from_the_events_and_is_deterministic() -> None:
    events = build([(0, 1, 1.0, 0.0), (0, 2, 1.0, 60.0), (1, 1, 0.5, 120.0), (1, 2, 1.0, 0.0), (2, 5, 2.0, 60.0)])
    parameters = Parameters(item_model="cosine", shrinkage=2.0, half_life_days=60.0)

    model = fit_model(events, columns_of(N_ITEMS), parameters)

    assert model.play_counts.tolist() == pytest.approx([0, 1.125, 1.5, 0, 0, 1])
    assert model.n_listeners.tolist() == [0, 2, 2, 0, 0, 1]
    cosine = 1.5 / np.sqrt(1.25 * 2) * 2 / (2 + 2)
    dense = as_dense(model.item_weights, N_ITEMS)
    assert dense[1, 2] == dense[2, 1] == pytest.approx(cosine)
    assert np.count_nonzero(dense) == 2
    again = fit_model(events, columns_of(N_ITEMS), parameters)
    assert again.item_weights.indices.tobytes() == model.item_weights.indices.tobytes()
    assert again.item_weights.data.tobytes() == model.item_weights.data.tobytes()
