"""Interactions as arrays: who, what, how strongly, when."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from src.services.recommender.context import Context
from src.services.recommender.evaluation import Case


@dataclass(frozen=True, slots=True)
class Events:
    """Positive events in order of time within each listener; one entry per (listener, song) pair.

    Attributes:
        users: int32 (n,), listener numbers from 0. ``rows``: int32 (n,), songs.
        weights: float32 (n,), above 0.
        age_days: float32 (n,), age of the latest event of the pair.
        n_users: number of listeners.
    """

    users: NDArray[np.int32]
    rows: NDArray[np.int32]
    weights: NDArray[np.float32]
    age_days: NDArray[np.float32]
    n_users: int

    def __len__(self) -> int:
        return len(self.users)

    def subset(self, keep: NDArray[np.bool_]) -> "Events":
        return Events(self.users[keep], self.rows[keep], self.weights[keep], self.age_days[keep], self.n_users)

    def matrix(self, n_items: int) -> sparse.csr_matrix:
        """Listeners by songs, float32 (n_users, n_items)."""
        return sparse.csr_matrix((self.weights, (self.users, self.rows)), shape=(self.n_users, n_items))


def aggregate(
    users: NDArray[np.int32],
    rows: NDArray[np.int32],
    weights: NDArray[np.float32],
    age_days: NDArray[np.float32],
    n_users: int,
    max_weight: float = 2.0,
) -> Events:
    """One entry per (listener, song): weights added up to ``max_weight``, the latest age; oldest first.

    A weight of 0 or less after adding (a like taken back, a dislike) leaves the pair out.
    """
    if not len(users):
        empty = np.empty(0, np.float32)
        return Events(np.empty(0, np.int32), np.empty(0, np.int32), empty, empty, n_users)
    pair = users.astype(np.int64) * (int(rows.max()) + 1) + rows
    unique, first, inverse = np.unique(pair, return_index=True, return_inverse=True)
    total = np.bincount(inverse, weights=weights, minlength=len(unique)).astype(np.float32)
    latest = np.full(len(unique), np.inf, np.float32)
    np.minimum.at(latest, inverse, age_days)
    order = np.lexsort((rows[first], -latest, users[first]))
    order = order[total[order] > 1e-6]
    chosen = first[order]
    return Events(users[chosen], rows[chosen], np.minimum(total[order], np.float32(max_weight)), latest[order], n_users)


def split_last(
    events: Events, *, share: float = 0.2, min_events: int = 5, max_cases: int = 2_000
) -> tuple[Events, list[Case]]:
    """Hide the last ``share`` of each listener's songs; listeners with fewer than ``min_events`` only train.

    Returns:
        What is left to train on, and the cases to find what is hidden.
    """
    if not len(events):
        return events, []
    starts = np.flatnonzero(np.r_[True, events.users[1:] != events.users[:-1]])
    ends = np.r_[starts[1:], len(events)]
    keep = np.ones(len(events), np.bool_)
    cases: list[Case] = []
    for start, end in zip(starts, ends, strict=True):
        if end - start < min_events or len(cases) >= max_cases:
            continue
        cut = end - max(1, int((end - start) * share))
        keep[cut:end] = False
        context = Context(positives=events.rows[start:cut], weights=events.weights[start:cut])
        cases.append(Case(context, events.rows[cut:end]))
    return events.subset(keep), cases
