"""Choices by validation: what is found, what is kept, and when it stops."""

from dataclasses import replace

import numpy as np
import pytest

from src.services.recommender import tuning
from src.services.recommender.blend import DEFAULT, Blend
from src.services.recommender.bundle import Bundle, derive
from src.services.recommender.evaluation import Case
from src.services.recommender.fit import ITEM_MODELS, Parameters, fit_model
from src.services.recommender.interactions import split_last
from src.services.recommender.pipeline import SCORERS
from src.services.recommender.tuning import fit_blend, mean_ndcg, tune
from tests.unit.recommender.worlds import columns_of, events_of, listener

N = 90


def world() -> tuple[Bundle, list[Case]]:
    events, cases = split_last(events_of(60, N, per_user=20))
    columns = columns_of(N)
    return derive(columns, fit_model(events, columns, Parameters())), cases


def test_the_item_model_that_ranks_best_is_chosen() -> None:
    events, cases = split_last(events_of(60, N, per_user=20))
    columns = columns_of(N)

    tuned = tune(columns, events, cases, Parameters())

    by_hand = {
        name: mean_ndcg(derive(columns, fit_model(events, columns, Parameters(item_model=name))), cases, "item_cf")
        for name in ITEM_MODELS
    }
    assert {name: tuned.validation[name] for name in ITEM_MODELS} == {n: round(v, 4) for n, v in by_hand.items()}
    assert by_hand[tuned.parameters.item_model] == max(by_hand.values())
    assert set(tuned.validation) == {*ITEM_MODELS, "blend: default", "blend: fitted"}


def test_a_fitted_blend_is_kept_only_where_it_ranks_better(monkeypatch: pytest.MonkeyPatch) -> None:
    events, cases = split_last(events_of(60, N, per_user=20))
    against_all = Blend({"popularity": 1.0}, {"popularity": 1.0})
    monkeypatch.setattr(tuning, "fit_blend", lambda bundle, cases: against_all)

    tuned = tune(columns_of(N), events, cases, Parameters())

    assert tuned.validation["blend: fitted"] < tuned.validation["blend: default"]
    assert tuned.parameters.blend == DEFAULT


def test_a_thorough_search_tries_other_settings_until_it_is_told_to_stop() -> None:
    events, cases = split_last(events_of(40, N, per_user=20))
    seen: list[str] = []

    def watch(step: str, share: float) -> bool:
        assert 0 <= share <= 1
        seen.append(step)
        return len(seen) < 6

    tuned = tune(columns_of(N), events, cases, Parameters(), thorough=True, watch=watch)

    assert "ease, ridge 20" in tuned.validation
    assert not any("neighbours" in name for name in tuned.validation)
    assert tuned.parameters.item_model in ITEM_MODELS


def test_something_is_chosen_even_without_any_time() -> None:
    events, cases = split_last(events_of(40, N, per_user=20))
    tuned = tune(columns_of(N), events, cases, Parameters(), thorough=True, watch=lambda step, share: False)
    assert tuned.parameters.item_model == "ease"
    assert "cosine" not in tuned.validation


def test_a_scorer_that_alone_finds_what_is_hidden_gets_the_weight() -> None:
    bundle, cases = world()
    popular = np.argsort(-bundle.popularity)[:20].astype(np.int32)
    cases = [Case(case.context, np.setdiff1d(popular, case.context.positives)[:3]) for case in cases]

    blend = fit_blend(bundle, cases)

    assert blend is not None
    weights = blend.weights(15)
    assert max(weights, key=lambda name: weights[name]) == "popularity"
    assert weights["popularity"] > 0.6


def test_a_fitted_blend_weighs_every_scorer_by_at_least_nothing_and_all_by_one() -> None:
    blend = fit_blend(*world())
    assert blend is not None
    assert set(blend.cold) == set(blend.warm) == set(SCORERS)
    assert min(*blend.cold.values(), *blend.warm.values()) >= 0
    for n in (0, 3, 100):
        assert sum(blend.weights(n).values()) == pytest.approx(1)


def test_the_gradient_of_the_fit_is_that_of_its_loss() -> None:
    # At the minimum no allowed step of any weight lowers the loss.
    rng = np.random.default_rng(1)
    features = rng.random((30, 4))
    sizes = np.array([10, 12, 8])
    starts = np.array([0, 10, 22])
    wanted = np.zeros(30)
    wanted[[2, 11, 12, 25]] = [1, 0.5, 0.5, 1]

    def loss(w: np.ndarray) -> float:
        whole = 0.0
        for start, size in zip(starts, sizes, strict=True):
            scores = features[start : start + size] @ w
            whole -= wanted[start : start + size] @ (scores - np.log(np.exp(scores).sum()))
        return whole / 3 + tuning.L2 * w @ w + tuning.L2_LENGTH * ((w[2:] - w[:2]) ** 2).sum()

    value, weights = tuning._listwise(features, wanted, starts, sizes)

    assert value == pytest.approx(loss(weights))
    for i in range(4):
        for step in (0.01, -0.01):
            moved = weights.copy()
            moved[i] = max(0.0, moved[i] + step)
            assert loss(moved) >= value - 1e-7


def test_without_a_hit_there_is_no_blend_to_fit() -> None:
    bundle, cases = world()
    assert fit_blend(bundle, [Case(case.context, np.empty(0, np.int32)) for case in cases]) is None
    assert fit_blend(bundle, []) is None


def test_songs_that_left_and_songs_of_the_history_do_not_compete() -> None:
    bundle, _ = world()
    alone = Case(listener(3), np.arange(N, dtype=np.int32))
    active = np.zeros(N, np.bool_)
    active[[3, 7]] = True
    bundle = replace(bundle, columns=replace(bundle.columns, active=active))
    assert mean_ndcg(bundle, [Case(alone.context, np.array([7], np.int32))], "popularity") == 1.0
    assert mean_ndcg(bundle, [Case(alone.context, np.array([3, 5], np.int32))], "popularity") == 0.0
