"""Choosing by validation: which item model, with which ridge, and how the scorers are blended.

Validation cases hide the last songs of listeners within the training part; the cases that a model is judged
by are never seen here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from src.services.recommender.blend import DEFAULT, Blend
from src.services.recommender.bundle import Bundle, derive
from src.services.recommender.catalogue import Columns
from src.services.recommender.context import Context
from src.services.recommender.evaluation import CUT, Case, top_rows
from src.services.recommender.fit import ITEM_MODELS, Parameters, fit_item_weights, fit_model
from src.services.recommender.interactions import Events
from src.services.recommender.metrics import ndcg_at
from src.services.recommender.pipeline import SCORERS, blended, combined

MAX_CASES: Final = 500
"""Listeners that validation looks at; more would move a mean by less than it wavers."""

PER_SCORER: Final = 80
"""Best songs of each scorer that the fit of the blend weighs against one another."""

CUT_SHORT: Final = (1, 2, 4, 8)
"""Histories are also cut to these lengths, so that the blend knows what to do for a new listener."""

HALF_HISTORIES: Final = (3.0, 10.0, 30.0)
L2: Final = 1e-4
L2_LENGTH: Final = 1e-5
"""Penalty of the weights, and of the difference that the length of a history makes."""

Watch = Callable[[str, float], bool]
"""Told what is being tried and the share done; False asks to stop with what was found so far."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """What was chosen, and the validation nDCG@20 of everything that was tried, by name."""

    parameters: Parameters
    validation: dict[str, float]


def tune(
    columns: Columns,
    events: Events,
    cases: Sequence[Case],
    start: Parameters,
    *,
    thorough: bool = False,
    watch: Watch = lambda step, share: True,
) -> Tuned:
    """Parameters chosen on validation cases.

    The item model is the one whose own ranking is best. The blend is fitted on one half of the cases and judged on
    the other, and the other way round; where it ranks better than the default, one fitted on all is kept.

    Args:
        events: what the models learn from; holds nothing of what ``cases`` hide.
        thorough: also try other ridges and numbers of neighbours for the item model, while ``watch`` allows.
    """
    cases = cases[:: max(1, len(cases) // MAX_CASES)][:MAX_CASES]
    matrix = events.matrix(len(columns))
    bundle = derive(columns, fit_model(events, columns, replace(start, item_model="cosine", blend=DEFAULT)))
    found: dict[str, float] = {}
    best = replace(start, blend=DEFAULT)
    best_bundle = bundle
    trials = [replace(best, item_model=name) for name in ITEM_MODELS]
    if thorough:
        trials += [
            replace(best, item_model="ease", ridge=ridge) for ridge in (20.0, 100.0, 250.0) if ridge != best.ridge
        ]
        trials += [replace(best, item_model="ease", ease_neighbours=n) for n in (100, 400) if n != best.ease_neighbours]
    for i, trial in enumerate(trials):
        name = _name(trial, start)
        if not watch(f"validating {name}", i / (len(trials) + 1)) and found:
            break
        weights = bundle.model.item_weights
        if trial.item_model != "cosine":
            weights = fit_item_weights(matrix, columns, trial)
        tried = replace(bundle, model=replace(bundle.model, item_weights=weights))
        found[name] = mean_ndcg(tried, cases, "item_cf")
        if found[name] >= max(found.values()):
            best, best_bundle = trial, tried
    watch("fitting the blend", len(trials) / (len(trials) + 1))
    every_length = [short for i, case in enumerate(cases) for short in (case, _cut_short(case, i))]
    # Both copies of a listener fall into one half; each half is judged by the blend fitted on the other.
    halves = [[case for i, case in enumerate(every_length) if i // 2 % 2 == part] for part in (0, 1)]
    fitted = [fit_blend(best_bundle, half) for half in reversed(halves)]
    whole = fit_blend(best_bundle, every_length)
    if whole is not None and all(fitted):
        found["blend: default"] = mean_ndcg(best_bundle, every_length, "hybrid")
        judged = [
            mean_ndcg(_with_blend(best_bundle, blend), half, "hybrid") * len(half)
            for half, blend in zip(halves, fitted, strict=True)
            if blend is not None
        ]
        found["blend: fitted"] = sum(judged) / len(every_length)
        if found["blend: fitted"] > found["blend: default"]:
            best = replace(best, blend=whole)
    return Tuned(best, {name: round(value, 4) for name, value in found.items()})


def _name(trial: Parameters, start: Parameters) -> str:
    changed = [
        f"{f} {getattr(trial, f):g}" for f in ("ridge", "ease_neighbours") if getattr(trial, f) != getattr(start, f)
    ]
    return ", ".join([trial.item_model, *changed])


def _with_blend(bundle: Bundle, blend: Blend) -> Bundle:
    return replace(bundle, model=replace(bundle.model, blend=blend))


def _cut_short(case: Case, i: int) -> Case:
    """The case with only the last few songs of its history; the others count as neither known nor hidden."""
    keep = CUT_SHORT[i % len(CUT_SHORT)]
    context = case.context
    return Case(Context(context.positives[-keep:], context.weights[-keep:]), case.hidden)


def mean_ndcg(bundle: Bundle, cases: Sequence[Case], strategy: str) -> float:
    """Mean nDCG@20 of a strategy, by full ranking; a scorer without opinion falls back as it does when serving."""
    total = 0.0
    for case in cases:
        scores = combined(blended(bundle, case.context, strategy)[0])
        scores[~bundle.columns.active] = -np.inf
        scores[case.context.positives] = -np.inf
        total += ndcg_at(np.isin(top_rows(scores, CUT), case.hidden), len(case.hidden))
    return total / max(len(cases), 1)


def fit_blend(bundle: Bundle, cases: Sequence[Case]) -> Blend | None:
    """Weights under which the hidden songs come first, by listwise softmax (Cao et al., ICML 2007).

    The scorers' own 0 to 1 scales are kept and the weights are at least 0, so a blended score stays within
    0 to 1 and each scorer's part of it means what it says.

    Returns:
        None when no hidden song is among the best of any scorer.
    """
    lists = [found for case in cases if (found := _listed(bundle, case)) is not None]
    if not lists:
        return None
    lengths = np.array([length for _, _, length in lists], float)
    sizes = np.array([len(scores) for scores, _, _ in lists])
    starts = np.r_[0, np.cumsum(sizes)[:-1]]
    scores = np.concatenate([scores for scores, _, _ in lists])
    wanted = np.concatenate([hits / hits.sum() for _, hits, _ in lists])
    best: tuple[float, Blend] | None = None
    for half_history in HALF_HISTORIES:
        share = np.repeat(lengths / (lengths + half_history), sizes)[:, None]
        features = np.hstack([(1 - share) * scores, share * scores])
        loss, weights = _listwise(features, wanted, starts, sizes)
        if best is None or loss < best[0]:
            cold, warm = np.split(weights / max(weights.sum(), 1e-12), 2)
            names = list(SCORERS)
            blend = Blend(
                dict(zip(names, cold.round(6).tolist(), strict=True)),
                dict(zip(names, warm.round(6).tolist(), strict=True)),
                half_history,
            )
            best = loss, blend
    assert best is not None
    return best[1]


def _listed(bundle: Bundle, case: Case) -> tuple[NDArray[np.float64], NDArray[np.bool_], int] | None:
    """Scores (n, len(SCORERS)) of the best songs of every scorer, which of them are hidden, the history's length."""
    every = np.zeros((len(SCORERS), len(bundle)), np.float32)
    candidates = []
    for row, scorer in zip(every, SCORERS.values(), strict=True):
        scores = scorer(bundle, case.context)
        if scores is None:
            continue
        row[:] = scores
        competing = np.where(bundle.columns.active & (scores > 0), scores, -np.inf)
        competing[case.context.positives] = -np.inf
        candidates.append(top_rows(competing.astype(np.float32), PER_SCORER))
    rows = np.unique(np.concatenate(candidates)) if candidates else np.empty(0, np.int32)
    hits = np.isin(rows, case.hidden)
    if not hits.any():
        return None
    return every[:, rows].T.astype(np.float64), hits, case.context.n_history


def _listwise(
    features: NDArray[np.float64], wanted: NDArray[np.float64], starts: NDArray[np.intp], sizes: NDArray[np.intp]
) -> tuple[float, NDArray[np.float64]]:
    """Least mean of ``-log softmax`` of what is wanted over weights of at least 0, and those weights."""
    n = features.shape[1] // 2

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = features @ weights
        top = np.repeat(np.maximum.reduceat(scores, starts), sizes)
        powers = np.exp(scores - top)
        whole = np.repeat(np.add.reduceat(powers, starts), sizes)
        slope = features.T @ (powers / whole - wanted) / len(starts)
        value = -float((wanted * (scores - top - np.log(whole))).sum()) / len(starts)
        change = weights[n:] - weights[:n]
        slope += 2 * L2 * weights + 2 * L2_LENGTH * np.concatenate([-change, change])
        return value + L2 * float(weights @ weights) + L2_LENGTH * float(change @ change), slope

    found = minimize(
        loss, np.ones(2 * n), jac=True, method="L-BFGS-B", bounds=[(0, None)] * (2 * n), options={"maxiter": 200}
    )
    return float(found.fun), np.asarray(found.x, np.float64)
