"""Tags that agree with how a song sounds."""

from typing import Final

import numpy as np

from src.models.audio import AudioFeatures
from src.services.demo.genres import Genre

DEMO_TAG: Final = "demo"
"""On every generated song, so that none is taken for a real recording."""

_MOODS: Final[dict[str, dict[str, tuple[float, float]]]] = {
    "upbeat": {"valence": (0.65, 1), "energy": (0.55, 1)},
    "melancholic": {"valence": (0, 0.33), "energy": (0, 0.55), "mode": (0, 0)},
    "mellow": {"energy": (0, 0.4), "acousticness": (0.4, 1)},
    "energetic": {"energy": (0.8, 1), "tempo_bpm": (115, 300)},
    "danceable": {"danceability": (0.74, 1)},
    "dark": {"valence": (0, 0.3), "energy": (0.65, 1)},
    "dreamy": {"energy": (0, 0.3), "valence": (0, 0.4), "instrumentalness": (0.5, 1)},
    "intimate": {"acousticness": (0.6, 1), "energy": (0, 0.45), "instrumentalness": (0, 0.5)},
}
"""Mood words and the ranges, ends included, in which each feature has to lie."""

_OF_ALL_WHO_FIT: Final = 0.8
"""Share of fitting songs that somebody tagged: people forget."""


def draw_tags(genre: Genre, features: AudioFeatures, rng: np.random.Generator) -> list[str]:
    """The demo tag, words for the mood, one or two of the genre's instruments, and whether anybody sings."""
    moods = [
        word
        for word, ranges in _MOODS.items()
        if all(low <= getattr(features, name) <= high for name, (low, high) in ranges.items())
        and rng.random() < _OF_ALL_WHO_FIT
    ]
    n_heard = min(len(genre.instruments), int(rng.integers(1, 3)))
    heard = rng.choice(len(genre.instruments), size=n_heard, replace=False)
    instruments = [genre.instruments[i] for i in heard]
    if (features.acousticness or 0) > 0.7 and (features.energy or 0) < 0.5:
        instruments = [name for name in instruments if name not in _AMPLIFIED] or ["acoustic"]
    voice = "instrumental" if (features.instrumentalness or 0) > 0.5 else "vocal"
    return [DEMO_TAG, *moods, *instruments, voice]


_AMPLIFIED: Final = frozenset({"distorted guitar", "electric guitar", "double kick"})
