"""Ranking quality of the product beside public recommenders, by one protocol in one run.

    MADHUR_BENCH_DATA=/path/to/folder python -m benchmarks.quality [DATASET ...] [--seeds 3] [--cold]

Strong generalisation: 20% of listeners are unseen in training; 80% of their history is folded in at request
time, 20% is to be found; full ranking of all songs but their own; every setting, ours too, is chosen on 15% of the
other listeners, then refitted on all of them. ``--cold``: 10% of the songs lose every interaction, and Recall@100
is measured among them alone. Intervals are bootstraps over listeners (5,000 draws, a listener who is tested
under two seeds drawn as one). Results go to ``bench-results/quality-*.json``.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from benchmarks.quality_data import DATASETS, Dataset, read_dataset
from benchmarks.quality_peers import PEERS
from src.services.recommender.bundle import Bundle, derive
from src.services.recommender.context import Context
from src.services.recommender.evaluation import Case, top_rows
from src.services.recommender.fit import Parameters, fit_model
from src.services.recommender.interactions import Events
from src.services.recommender.metrics import (
    average_precision_at,
    coverage,
    exposure_gini,
    intra_list_diversity,
    ndcg_at,
    novelty,
    recall_at,
)
from src.services.recommender.pipeline import SCORERS, blended, combined
from src.services.recommender.side_information import listener_rows
from src.services.recommender.tuning import Tuned, tune

CUT: Final = 20
COLD_CUT: Final = 100
DRAWS: Final = 5_000
METRICS: Final = ("nDCG@20", "Recall@20", "MAP@20")
LIST_METRICS: Final = ("coverage", "Gini", "novelty", "diversity")


def weighted(plays: sparse.csr_matrix) -> sparse.csr_matrix:
    """``log(1 + plays)`` over the listener's mean, so that a listener's weights average 1."""
    rows = plays.copy()
    rows.data = np.log1p(rows.data)
    return listener_rows(rows)


def split(n: int, seed: int) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Listeners to train on, to validate on and to test on: 68%, 12% and 20%."""
    order = np.random.default_rng(seed).permutation(n)
    n_test = round(0.2 * n)
    n_valid = round(0.15 * (n - n_test))
    return np.sort(order[n_test + n_valid :]), np.sort(order[n_test : n_test + n_valid]), np.sort(order[:n_test])


def fold(plays: sparse.csr_matrix, users: NDArray[np.intp], seed: int) -> tuple[list[Case], NDArray[np.intp]]:
    """Cases of listeners with two songs or more, and their numbers."""
    rng = np.random.default_rng(seed)
    cases, kept = [], []
    for user in users:
        songs = plays[[user]]
        if songs.nnz < 2:
            continue
        n_hidden = max(1, round(0.2 * songs.nnz))
        order = rng.permutation(songs.nnz)
        seen = np.sort(order[n_hidden:])
        weights = np.log1p(songs.data[seen])
        context = Context(songs.indices[seen].astype(np.int32), (weights / weights.mean()).astype(np.float32))
        cases.append(Case(context, songs.indices[order[:n_hidden]].astype(np.int32)))
        kept.append(user)
    return cases, np.array(kept)


def events_of(matrix: sparse.csr_matrix) -> Events:
    owners = np.repeat(np.arange(matrix.shape[0], dtype=np.int32), np.diff(matrix.indptr))
    ages = np.zeros(matrix.nnz, np.float32)
    return Events(owners, matrix.indices.astype(np.int32), matrix.data.astype(np.float32), ages, matrix.shape[0])


def histories(cases: Sequence[Case], n_items: int) -> sparse.csr_matrix:
    ends = np.cumsum([0, *(len(case.context.positives) for case in cases)])
    rows = np.concatenate([case.context.positives for case in cases])
    weights = np.concatenate([case.context.weights for case in cases])
    return sparse.csr_matrix((weights, rows, ends), shape=(len(cases), n_items))


def ranked(scores: NDArray[np.float32], case: Case) -> NDArray[np.int32]:
    scores = scores.astype(np.float32)
    scores[case.context.positives] = -np.inf
    return top_rows(scores, CUT)


def measured(lists: Sequence[NDArray[np.int32]], cases: Sequence[Case]) -> NDArray[np.float64]:
    """nDCG, Recall and MAP of each listener, (n, 3)."""
    rows = []
    for shown, case in zip(lists, cases, strict=True):
        hits, n = np.isin(shown, case.hidden), len(case.hidden)
        rows.append((ndcg_at(hits, n), recall_at(hits, n), average_precision_at(hits, n)))
    return np.array(rows)


def listed(lists: Sequence[NDArray[np.int32]], bundle: Bundle, n_users: int) -> list[float]:
    """``LIST_METRICS`` of all lists together."""
    shown = np.stack(lists)
    diversity = float(np.mean([intra_list_diversity(bundle.vectors[rows]) for rows in lists]))
    n_items = len(bundle)
    spread = novelty(shown.ravel(), bundle.model.n_listeners, n_users)
    return [coverage(shown, n_items), exposure_gini(shown, n_items), spread, diversity]


def product(data: Dataset, train: NDArray[np.intp], valid: NDArray[np.intp], seed: int) -> tuple[Bundle, Tuned]:
    """The product's own tuning and training, refitted on training and validation listeners."""
    cases, _ = fold(data.plays, valid, 7_000 + seed)
    tuned = tune(data.columns, events_of(weighted(data.plays[train])), cases, Parameters())
    everyone = events_of(weighted(data.plays[np.sort(np.r_[train, valid])]))
    return derive(data.columns, fit_model(everyone, data.columns, tuned.parameters)), tuned


def run(data: Dataset, seed: int, say: Any) -> tuple[dict[str, Any], NDArray[np.intp]]:
    """Lists of every system for one draw of listeners: per-listener metrics, list metrics, settings chosen."""
    n_items = data.plays.shape[1]
    train, valid, test = split(data.plays.shape[0], seed)
    everyone = weighted(data.plays[np.sort(np.r_[train, valid])])
    few = weighted(data.plays[train])
    cases, users = fold(data.plays, test, 5_000 + seed)
    checks, _ = fold(data.plays, valid, 7_000 + seed)
    history, checked = histories(cases, n_items), histories(checks, n_items)
    bundle, tuned = product(data, train, valid, seed)
    results: dict[str, Any] = {}

    def keep(name: str, lists: list[NDArray[np.int32]], setting: Any) -> None:
        each = measured(lists, cases)
        results[name] = {"each": each, "lists": listed(lists, bundle, everyone.shape[0]), "setting": setting}
        say(f"{data.name} seed {seed}: {name} {each.mean(axis=0).round(4).tolist()} {setting}")

    for name in ("hybrid", *SCORERS):
        lists = [ranked(combined(blended(bundle, case.context, name)[0]), case) for case in cases]
        keep("Madhur" if name == "hybrid" else f"Madhur: {name}", lists, _settings(tuned) if name == "hybrid" else None)
    for peer in PEERS:
        best: Any = peer.settings[0]
        if len(peer.settings) > 1:
            found = []
            for setting in peer.settings:
                scores = peer.score(few, checked, data.columns, setting)
                found.append(measured([ranked(s, c) for s, c in zip(scores, checks, strict=True)], checks)[:, 0].mean())
            best = peer.settings[int(np.argmax(found))]
        scores = peer.score(everyone, history, data.columns, best)
        keep(peer.name, [ranked(s, c) for s, c in zip(scores, cases, strict=True)], best)
    return results, users


def _settings(tuned: Tuned) -> dict[str, Any]:
    chosen = tuned.parameters
    return {
        "item_model": chosen.item_model,
        "ridge": chosen.ridge,
        "ease_neighbours": chosen.ease_neighbours,
        "cold": dict(chosen.blend.cold),
        "warm": dict(chosen.blend.warm),
        "half_history": chosen.blend.half_history,
        "validation": tuned.validation,
    }


def interval(values: NDArray[np.float64], users: NDArray[np.intp]) -> tuple[float, float]:
    """95% bootstrap interval of a mean; whole listeners are drawn."""
    _, owner = np.unique(users, return_inverse=True)
    sums, sizes = np.bincount(owner, values), np.bincount(owner)
    draws = np.random.default_rng(0).integers(0, len(sums), (DRAWS, len(sums)))
    low, high = np.quantile(sums[draws].sum(axis=1) / sizes[draws].sum(axis=1), [0.025, 0.975])
    return float(low), float(high)


def run_cold(data: Dataset, seed: int, say: Any) -> tuple[dict[str, NDArray[np.float64]], NDArray[np.intp]]:
    """Recall@100 among songs without any interaction, by strategy and listener."""
    n_items = data.plays.shape[1]
    train, valid, test = split(data.plays.shape[0], seed)
    hidden = np.zeros(n_items, np.bool_)
    hidden[np.random.default_rng(900 + seed).choice(n_items, n_items // 10, replace=False)] = True
    warm = sparse.csr_matrix(data.plays.multiply(~hidden))
    warm.eliminate_zeros()
    warm_data = Dataset(data.name, warm, data.columns)
    bundle, _ = product(warm_data, train, valid, seed)
    users = [u for u in test if warm[[u]].nnz and hidden[data.plays[[u]].indices].any()]
    recalls: dict[str, list[float]] = {}
    for user in users:
        known, songs = weighted(warm[[user]]), data.plays[[user]].indices
        context = Context(known.indices.astype(np.int32), known.data.astype(np.float32))
        wanted = songs[hidden[songs]]
        for name in ("Madhur", "Madhur: content", "Madhur: item_cf", "random"):
            strategy = name.partition(": ")[2] or "hybrid"
            scores = combined(blended(bundle, context, strategy)[0]).copy()
            if name == "random":
                scores = np.random.default_rng(user).random(n_items, np.float32)
            scores[~hidden] = -np.inf
            recalls.setdefault(name, []).append(recall_at(np.isin(top_rows(scores, COLD_CUT), wanted), len(wanted)))
    for name, values in recalls.items():
        say(f"{data.name} cold seed {seed}: {name} {np.mean(values):.4f}")
    return {name: np.array(values) for name, values in recalls.items()}, np.array(users)


def summary(name: str, runs: Sequence[tuple[dict[str, Any], NDArray[np.intp]]]) -> dict[str, Any]:
    """Means over all runs, intervals, and the paired difference of the product to the best peer."""
    users = np.concatenate([u for _, u in runs])
    each = {system: np.concatenate([r[system]["each"] for r, _ in runs]) for system in runs[0][0]}
    table = {}
    for system, values in each.items():
        low, high = interval(values[:, 0], users)
        lists = np.mean([r[system]["lists"] for r, _ in runs], axis=0)
        row = dict(zip(METRICS, values.mean(axis=0).round(4).tolist(), strict=True))
        row |= {"nDCG low": round(low, 4), "nDCG high": round(high, 4)}
        row |= dict(zip(LIST_METRICS, lists.round(4).tolist(), strict=True))
        table[system] = row | {
            "by seed": [round(float(r[system]["each"][:, 0].mean()), 4) for r, _ in runs],
            "settings": [r[system]["setting"] for r, _ in runs],
        }
    best = max((peer.name for peer in PEERS), key=lambda peer: each[peer][:, 0].mean())
    difference = each["Madhur"] - each[best]
    gain = {
        metric: [round(float(difference[:, i].mean()), 4), *(round(v, 4) for v in interval(difference[:, i], users))]
        for i, metric in enumerate(METRICS)
    }
    return {"dataset": name, "n_listeners": len(users), "systems": table, "best peer": best, "gain": gain}


def show(result: dict[str, Any]) -> None:
    print(f"\n{result['dataset']}: {result['n_listeners']} test listeners")
    columns = (*METRICS, "nDCG low", "nDCG high", *LIST_METRICS)
    print("| system | " + " | ".join(columns) + " |\n|---|" + "---:|" * len(columns))
    for system, row in sorted(result["systems"].items(), key=lambda pair: -pair[1]["nDCG@20"]):
        print(f"| {system} | " + " | ".join(f"{row[c]:.4f}" for c in columns) + " |")
    for metric, (mean, low, high) in result["gain"].items():
        print(f"Madhur - {result['best peer']}: {metric} {mean:+.4f} ({low:+.4f} to {high:+.4f})")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", default=list(DATASETS), metavar="DATASET")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cold", action="store_true", help="Recall among songs without interactions instead.")
    arguments = parser.parse_args()
    if "MADHUR_BENCH_DATA" not in os.environ:
        print("set MADHUR_BENCH_DATA to the folder of the Parquet files", file=sys.stderr)
        return 2
    began = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s  {line}", file=sys.stderr, flush=True)

    out = Path("bench-results")
    out.mkdir(exist_ok=True)
    for name in arguments.datasets:
        data = read_dataset(Path(os.environ["MADHUR_BENCH_DATA"]), name)
        if arguments.cold:
            colds = [run_cold(data, seed, say) for seed in range(arguments.seeds)]
            users = np.concatenate([u for _, u in colds])
            result: dict[str, Any] = {"dataset": name, "n_listeners": len(users)}
            for system in colds[0][0]:
                values = np.concatenate([r[system] for r, _ in colds])
                result[system] = [round(float(v), 4) for v in (values.mean(), *interval(values, users))]
                mean, low, high = result[system]
                print(f"{name} cold songs: {system} Recall@{COLD_CUT} {mean:.4f} ({low:.4f} to {high:.4f})")
        else:
            result = summary(name, [run(data, seed, say) for seed in range(arguments.seeds)])
            show(result)
        path = out / f"quality-{name}{'-cold' if arguments.cold else ''}.json"
        path.write_text(json.dumps(result, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
