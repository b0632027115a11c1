"""The songs as columns: what is known of each row before anything is learned."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.ragged import Ragged
from src.services.recommender.vocabulary import ID_BYTES, Vocabulary

FEATURES: Final = (
    "danceability",
    "energy",
    "valence",
    "acousticness",
    "instrumentalness",
    "liveness",
    "speechiness",
    "tempo_bpm",
    "loudness_db",
    "key",
    "mode",
    "time_signature",
)
"""Columns of every raw audio matrix; NaN means not known."""

COLUMN: Final = {name: i for i, name in enumerate(FEATURES)}


@dataclass(frozen=True, slots=True)
class Columns:
    """Facts of ``n_items`` songs. Names are hashed to uint64 keys, equal names to equal keys.

    Attributes:
        ids: ``S12`` (n_items,), identifiers.
        active: bool (n_items,); False for a song that has left the catalogue.
        audio: float32 (n_items, len(FEATURES)), raw, NaN where unknown.
        popularity: float32 (n_items,), 0 to 1 as the source stated it, NaN where it did not.
        year: int16 (n_items,), 0 where unknown.
        explicit: int8 (n_items,), 1 yes, 0 no, -1 unknown.
        recording: uint64 (n_items,), equal for versions of one recording (remasters, re-releases).
        artists, genres, tags: keys of each song's artists (first is the main one), genres and tags.
    """

    ids: NDArray[np.bytes_]
    active: NDArray[np.bool_]
    audio: NDArray[np.float32]
    popularity: NDArray[np.float32]
    year: NDArray[np.int16]
    explicit: NDArray[np.int8]
    recording: NDArray[np.uint64]
    artists: Ragged
    genres: Ragged
    tags: Ragged

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def empty(cls) -> "Columns":
        names = Ragged.empty(0, np.uint64)
        return cls(
            ids=np.empty(0, f"S{ID_BYTES}"),
            active=np.empty(0, np.bool_),
            audio=np.empty((0, len(FEATURES)), np.float32),
            popularity=np.empty(0, np.float32),
            year=np.empty(0, np.int16),
            explicit=np.empty(0, np.int8),
            recording=np.empty(0, np.uint64),
            artists=names,
            genres=names,
            tags=names,
        )

    @classmethod
    def joined(cls, parts: Sequence["Columns"]) -> "Columns":
        """Songs of several parts, in their order; no identifier may be in two of them."""
        values: dict[str, Any] = {}
        for field in fields(cls):
            columns = [getattr(part, field.name) for part in [cls.empty(), *parts]]
            ragged = isinstance(columns[0], Ragged)
            values[field.name] = Ragged.joined(columns) if ragged else np.concatenate(columns)
        return cls(**values)

    def merged(self, changed: "Columns") -> "Columns":
        """These songs with ``changed`` ones replaced in place, and the new ones appended in order."""
        rows = Vocabulary.of(self.ids).rows(list(changed.ids))
        new = rows < 0
        rows[new] = len(self) + np.arange(int(new.sum()), dtype=np.int32)
        n = len(self) + int(new.sum())
        values: dict[str, Any] = {}
        for field in fields(self):
            old, fresh = getattr(self, field.name), getattr(changed, field.name)
            if isinstance(old, Ragged):
                values[field.name] = old.replaced(rows, fresh, n)
            else:
                column = np.empty((n, *old.shape[1:]), old.dtype)
                column[: len(self)] = old
                column[rows] = fresh
                values[field.name] = column
        return Columns(**values)

    def without(self, ids: list[bytes]) -> "Columns":
        """These songs with ``ids`` marked as gone; their rows stay, so that no other row moves."""
        rows = Vocabulary.of(self.ids).rows(ids)
        active = self.active.copy()
        active[rows[rows >= 0]] = False
        return Columns(**{f.name: getattr(self, f.name) for f in fields(self)} | {"active": active})
