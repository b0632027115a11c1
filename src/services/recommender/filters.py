"""Which songs may be returned, and how near a song comes to asked-for values."""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.bundle import Bundle
from src.services.recommender.catalogue import COLUMN
from src.services.recommender.context import Request

SPANS: Final = {"loudness_db": 30.0, "key": 6.0, "time_signature": 4.0}
"""Difference at which a feature is not near at all; 1 for those from 0 to 1, tempo counts in octaves."""


NEAR: Final = np.float32(0.15)
"""Distance, in spans, at which a song is half as near as one that is there."""


def allowed(bundle: Bundle, request: Request) -> NDArray[np.bool_]:
    """Songs that meet every hard condition of the request, bool (n_items,)."""
    mask = bundle.columns.active.copy()
    for feature, low, high in request.bounds:
        values = bundle.columns.audio[:, COLUMN[feature]]
        with np.errstate(invalid="ignore"):
            mask &= (values >= low) & (values <= high)  # NaN compares false: an unknown value is out
    if len(request.genres):
        mask &= with_genre(bundle, request.genres)
    if request.explicit is not None:
        mask &= (bundle.columns.explicit == 1) == request.explicit
    mask[request.excluded] = False
    return mask


def with_genre(bundle: Bundle, genres: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Songs of any of the genres, bool (n_items,)."""
    entries = np.isin(bundle.columns.genres.indices, genres)
    mask = np.zeros(len(bundle), np.bool_)
    mask[np.searchsorted(bundle.columns.genres.indptr, np.flatnonzero(entries), side="right") - 1] = True
    return mask


def nearness(bundle: Bundle, targets: Mapping[str, float]) -> NDArray[np.float32]:
    """Mean nearness to the targets, 1 (there) towards 0, float32 (n_items,); an unknown feature is not near."""
    total = np.zeros(len(bundle), np.float32)
    for feature, target in targets.items():
        values = bundle.columns.audio[:, COLUMN[feature]]
        if feature == "tempo_bpm":
            distance = np.abs(np.log2(values / np.float32(target)))
        elif feature == "key":
            step = np.abs(values - target)
            distance = np.minimum(step, 12 - step) / SPANS[feature]
        else:
            distance = np.abs(values - target) / SPANS.get(feature, 1.0)
        total += np.nan_to_num(1 / (1 + (distance / NEAR) ** 2), nan=0.0)
    return total / np.float32(len(targets))
