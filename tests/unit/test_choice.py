"""What training chooses before it fits, and when it does not try."""

import numpy as np

from src.services.recommender.fit import ITEM_MODELS, Parameters
from src.services.training import MIN_CASES, choose
from tests.unit.recommender.worlds import columns_of, events_of

N = 60


def test_with_too_few_listeners_the_start_is_kept() -> None:
    start = Parameters(item_model="bm25", ridge=70.0)
    tuned = choose(columns_of(N), events_of(MIN_CASES - 1, N, per_user=30), start)
    assert (tuned.parameters, tuned.validation) == (start, {})


def test_what_the_models_are_judged_by_plays_no_part_in_the_choice() -> None:
    events, columns = events_of(40, N, per_user=30), columns_of(N)
    # The last fifth of every listener, which evaluation hides, is replaced by one same song.
    rows = events.rows.copy()
    starts = np.flatnonzero(np.r_[True, events.users[1:] != events.users[:-1]])
    for start, end in zip(starts, np.r_[starts[1:], len(rows)], strict=True):
        rows[end - max(1, int((end - start) * 0.2)) : end] = 0
    changed = type(events)(events.users, rows, events.weights, events.age_days, events.n_users)
    assert choose(columns, events, Parameters()) == choose(columns, changed, Parameters())


def test_steps_are_reported_and_a_spent_budget_ends_the_search() -> None:
    events, columns = events_of(40, N, per_user=30), columns_of(N)
    steps: list[str] = []
    tuned = choose(columns, events, Parameters(), 1e-9, lambda step, share: steps.append(step))
    assert steps[0] == "validating ease"
    assert not set(ITEM_MODELS[1:]) & set(tuned.validation)
    whole = choose(columns, events, Parameters(), 0.0, lambda step, share: steps.append(step))
    assert set(ITEM_MODELS) <= set(whole.validation)
