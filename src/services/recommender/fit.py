"""Fitting a model: from events to what serving reads."""

from dataclasses import dataclass

import numpy as np

from src.services.recommender.blend import DEFAULT, Blend
from src.services.recommender.bundle import Model
from src.services.recommender.interactions import Events
from src.services.recommender.item_cf import fit_cosine
from src.services.recommender.popularity import HALF_LIFE_DAYS, decayed_counts


@dataclass(frozen=True, slots=True)
class Parameters:
    """Everything a fit depends on besides its data."""

    shrinkage: float = 10.0
    n_neighbours: int = 100
    half_life_days: float = HALF_LIFE_DAYS
    blend: Blend = DEFAULT


def fit_model(events: Events, n_items: int, parameters: Parameters) -> Model:
    """A model of ``n_items`` songs. Deterministic."""
    return Model(
        item_weights=fit_cosine(
            events.matrix(n_items), shrinkage=parameters.shrinkage, n_neighbours=parameters.n_neighbours
        ),
        play_counts=decayed_counts(events.rows, events.weights, events.age_days, n_items, parameters.half_life_days),
        n_listeners=np.bincount(events.rows, minlength=n_items).astype(np.int32),
        blend=parameters.blend,
    )
