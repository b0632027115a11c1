"""Fitting a model: from events to what serving reads."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse

from src.services.recommender.blend import DEFAULT, Blend
from src.services.recommender.bundle import Model
from src.services.recommender.catalogue import Columns
from src.services.recommender.ease import fit_local_ease
from src.services.recommender.interactions import Events
from src.services.recommender.item_cf import fit_bm25, fit_cosine
from src.services.recommender.popularity import HALF_LIFE_DAYS, decayed_counts
from src.services.recommender.ragged import Ragged
from src.services.recommender.side_information import listener_rows, pseudo_listeners
from src.services.recommender.user_cf import fit_listeners

ITEM_MODELS: Final = ("ease", "cosine", "asymmetric_cosine", "bm25")
"""Ways to fit item-item weights; ``tuning.choose_item_model`` chooses among them by validation."""

MAX_EASE_ITEMS: Final = 50_000
"""Most songs for which local EASE is fitted; about a millisecond each."""

MAX_EASE_PRODUCTS: Final = 1e10
"""Most multiplications its search for neighbours may take; about a minute and a half."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything a fit depends on besides its data.

    Attributes:
        item_model: one of ``ITEM_MODELS``.
        shrinkage, n_neighbours, asymmetry: of the cosines (and ``n_neighbours`` of BM25).
        ease_neighbours: songs that explain one song in local EASE.
        ridge, ridge_per_listener: its ridge for a song without listeners, and what each listener adds.
        half_life_days: of a play in the popularity.
    """

    item_model: str = "ease"
    shrinkage: float = 10.0
    n_neighbours: int = 100
    asymmetry: float = 0.6
    ease_neighbours: int = 200
    ridge: float = 50.0
    ridge_per_listener: float = 0.5
    half_life_days: float = HALF_LIFE_DAYS
    blend: Blend = DEFAULT


def fit_model(events: Events, columns: Columns, parameters: Parameters) -> Model:
    """A model of the songs of ``columns``. Deterministic.

    Raises:
        ValueError: ``parameters.item_model`` is not one of ``ITEM_MODELS``.
    """
    n_items = len(columns)
    matrix = events.matrix(n_items)
    listeners, histories = fit_listeners(matrix)
    return Model(
        item_weights=fit_item_weights(matrix, columns, parameters),
        listeners=listeners,
        histories=histories,
        play_counts=decayed_counts(events.rows, events.weights, events.age_days, n_items, parameters.half_life_days),
        n_listeners=np.bincount(events.rows, minlength=n_items).astype(np.int32),
        blend=parameters.blend,
    )


def fit_item_weights(interactions: sparse.csr_matrix, columns: Columns, parameters: Parameters) -> Ragged:
    """Item-item weights by ``parameters.item_model``: row per song of history, the songs it speaks for.

    Local EASE on a catalogue above its bounds is fitted on the songs that somebody has played; if they too are
    above them, the cosine takes its place.
    """
    match parameters.item_model:
        case "ease":
            fitted = _fit_ease(interactions, columns, parameters)
            return _fit_cosine(interactions, parameters, 0.5) if fitted is None else fitted
        case "cosine":
            return _fit_cosine(interactions, parameters, 0.5)
        case "asymmetric_cosine":
            return _fit_cosine(interactions, parameters, parameters.asymmetry)
        case "bm25":
            return fit_bm25(interactions, n_neighbours=parameters.n_neighbours)
        case other:
            raise ValueError(f"there is no item model {other!r}; there are: {', '.join(ITEM_MODELS)}")


def _fit_cosine(interactions: sparse.csr_matrix, parameters: Parameters, asymmetry: float) -> Ragged:
    return fit_cosine(
        interactions, shrinkage=parameters.shrinkage, n_neighbours=parameters.n_neighbours, asymmetry=asymmetry
    )


def _fit_ease(interactions: sparse.csr_matrix, columns: Columns, parameters: Parameters) -> Ragged | None:
    n_items = len(columns)
    n_listeners = np.bincount(interactions.indices, minlength=n_items)
    if not n_listeners.any():  # content alone is the content scorer's part
        return Ragged.empty(n_items)
    stacked = sparse.vstack([listener_rows(interactions), pseudo_listeners(columns)], format="csr")
    # A song nobody has played is reached through its artist and tags; dropping it would lose it to this scorer.
    for songs in (np.arange(n_items), np.flatnonzero(n_listeners)):
        rows = stacked if len(songs) == n_items else stacked[:, songs]
        if len(songs) <= MAX_EASE_ITEMS and float((np.diff(rows.indptr).astype(float) ** 2).sum()) <= MAX_EASE_PRODUCTS:
            ridge = parameters.ridge + parameters.ridge_per_listener * n_listeners[songs].astype(np.float64)
            fitted = fit_local_ease(rows, ridge, n_neighbours=parameters.ease_neighbours)
            return Ragged.of_pairs(songs[fitted.owners()], songs[fitted.indices].astype(np.int32), n_items, fitted.data)
    return None
