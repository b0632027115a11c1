"""What is known of a listener and what is asked, in rows and numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

_NO_ROWS = np.empty(0, np.int32)
_NO_WEIGHTS = np.empty(0, np.float32)


@dataclass(frozen=True, slots=True)
class Context:
    """A listener at the moment of asking.

    Attributes:
        positives: int32 (n,), songs of the listener's history and seeds; ``weights`` float32 (n,), above 0,
            already decayed by age.
        negatives, negative_weights: songs skipped or disliked.
        taste: raw mean audio of the listener's likes, feature -> value; for likes the bundle does not know.
    """

    positives: NDArray[np.int32] = field(default_factory=lambda: _NO_ROWS)
    weights: NDArray[np.float32] = field(default_factory=lambda: _NO_WEIGHTS)
    negatives: NDArray[np.int32] = field(default_factory=lambda: _NO_ROWS)
    negative_weights: NDArray[np.float32] = field(default_factory=lambda: _NO_WEIGHTS)
    taste: Mapping[str, float] = field(default_factory=dict)

    @property
    def n_history(self) -> int:
        return len(self.positives)

    @property
    def is_cold(self) -> bool:
        return not len(self.positives) and not self.taste


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for.

    Attributes:
        limit: songs wanted.
        strategy: "hybrid", or the name of one scorer.
        mood: row of the mood matrix, or None. ``mood_leads``: it counts most, taste only breaks ties.
        genres: keys of genres; a song must have one of them. Empty: any.
        bounds: (feature, low, high), inclusive; a song whose feature is unknown is out.
        targets: feature -> value to come near to.
        explicit: True only explicit songs, False none of them, None no matter.
        excluded: int32, rows never to return. ``heard``: rows to leave out while others remain.
        diversity: 0 (by score alone) to 1 (as unlike one another as can be).
        max_per_artist: most songs by one main artist, while others remain.
    """

    limit: int = 20
    strategy: str = "hybrid"
    mood: int | None = None
    mood_leads: bool = False
    genres: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    bounds: tuple[tuple[str, float, float], ...] = ()
    targets: Mapping[str, float] = field(default_factory=dict)
    explicit: bool | None = None
    excluded: NDArray[np.int32] = field(default_factory=lambda: _NO_ROWS)
    heard: NDArray[np.int32] = field(default_factory=lambda: _NO_ROWS)
    diversity: float = 0.2
    max_per_artist: int = 2
