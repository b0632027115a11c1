"""Audio features as vectors whose Euclidean distance means something.

Tempo counts in octaves (log2), since 140 is to 70 BPM what 70 is to 35. Key is a place on the circle of
fifths, where C is next to G and F, not to C sharp. Every coordinate is standardised and weighted by how
much listeners notice it; danceability, energy and tempo come first.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.catalogue import COLUMN, FEATURES

WEIGHTS: Final = {
    "danceability": 1.5,
    "energy": 1.5,
    "tempo_bpm": 1.25,
    "valence": 1.0,
    "acousticness": 1.0,
    "instrumentalness": 0.8,
    "speechiness": 0.6,
    "loudness_db": 0.5,
    "liveness": 0.3,
    "mode": 0.25,
}
"""Weight of each standardised coordinate."""

KEY_WEIGHT: Final = 0.2
"""Weight of each of the two coordinates of the key on the circle of fifths."""

AUDIO_SCALE: Final = np.float32(8.0)
"""Squared distance at which the similarity of two vectors has fallen to one half."""

N_DIMENSIONS: Final = len(WEIGHTS) + 2


@dataclass(frozen=True, slots=True)
class Scaler:
    """Mean and standard deviation of each coordinate over a catalogue, float32 (N_DIMENSIONS,)."""

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]


def coordinates(raw: NDArray[np.float32]) -> NDArray[np.float32]:
    """Raw features (n, len(FEATURES)) to unscaled coordinates (n, N_DIMENSIONS); NaN stays NaN."""
    columns = [raw[:, COLUMN[name]] for name in WEIGHTS]
    tempo = list(WEIGHTS).index("tempo_bpm")
    columns[tempo] = np.log2(columns[tempo])
    angle = raw[:, COLUMN["key"]] * 7 % 12 * (2 * np.pi / 12)
    return np.column_stack([*columns, np.cos(angle), np.sin(angle)]).astype(np.float32)


def fit_scaler(raw: NDArray[np.float32]) -> Scaler:
    """Mean and scale of what is known; a coordinate that does not vary gets scale 1, one never known mean 0."""
    points = coordinates(raw)
    known = ~np.isnan(points)
    count = known.sum(axis=0)
    filled = np.where(known, points, 0).astype(np.float64)
    mean = filled.sum(axis=0) / np.maximum(count, 1)
    variance = (np.where(known, filled - mean, 0) ** 2).sum(axis=0) / np.maximum(count, 1)
    scale = np.sqrt(variance)
    usable = (count >= 2) & (scale > 1e-6)
    return Scaler(mean.astype(np.float32), np.where(usable, scale, 1).astype(np.float32))


def embed(raw: NDArray[np.float32], scaler: Scaler) -> NDArray[np.float32]:
    """Weighted standardised vectors (n, N_DIMENSIONS); an unknown coordinate lies at the mean, 0."""
    weights = np.array([*WEIGHTS.values(), KEY_WEIGHT, KEY_WEIGHT], np.float32)
    # Four deviations and more say "extreme", not "this far": one odd value must not rule the distance.
    points = np.clip((coordinates(raw) - scaler.mean) / scaler.scale, -4, 4)
    return np.ascontiguousarray(np.nan_to_num(points, copy=False) * weights, np.float32)


def known_rows(raw: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which songs have at least half of the weighted features; the others have no audio opinion, bool (n,)."""
    return np.asarray((~np.isnan(raw[:, [COLUMN[name] for name in WEIGHTS]])).sum(axis=1) >= len(WEIGHTS) / 2)


def raw_vector(values: dict[str, float]) -> NDArray[np.float32]:
    """One row of raw features (1, len(FEATURES)) from a mapping; what it lacks is NaN."""
    return np.array([[values.get(name, np.nan) for name in FEATURES]], np.float32)
