"""A snapshot of the catalogue with its model: everything that serving reads besides the listener."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from src.services.catalogue.cards import Cards
from src.services.catalogue.columns import Songs
from src.services.catalogue.search import SearchIndex
from src.services.recommender.bundle import Bundle, Model, derive
from src.services.recommender.catalogue import Columns

UNTRAINED = "untrained"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Immutable; a change makes a new one.

    Attributes:
        version: of the model, ``UNTRAINED`` without one.
        change: number of the last entry of the catalogue's change log that is in.
        genre_names: key -> name.
    """

    bundle: Bundle
    search: SearchIndex
    cards: Cards
    genre_names: dict[int, str]
    version: str
    change: int

    @classmethod
    def of(cls, songs: Songs, change: int, model: Model | None = None, version: str = UNTRAINED) -> "Snapshot":
        rows = np.arange(len(songs.columns), dtype=np.int32)
        return cls(
            bundle=derive(songs.columns, model),
            search=SearchIndex.empty().merged(rows, songs.words),
            cards=Cards.of(songs.cards),
            genre_names=songs.genre_names,
            version=version,
            change=change,
        )

    @classmethod
    def empty(cls) -> "Snapshot":
        return cls(derive(Columns.empty()), SearchIndex.empty(), Cards.of([]), {}, UNTRAINED, 0)

    def merged(self, songs: Songs, deleted: list[bytes], change: int) -> "Snapshot":
        """With changed and new songs in, and ``deleted`` ones gone, as of ``change``."""
        columns = self.bundle.columns.merged(songs.columns).without(deleted)
        bundle = derive(columns, self.bundle.model)
        rows = bundle.vocabulary.rows(list(songs.columns.ids))
        return replace(
            self,
            bundle=bundle,
            search=self.search.merged(rows, songs.words),
            cards=self.cards.merged(rows, songs.cards),
            genre_names={**self.genre_names, **songs.genre_names},
            change=change,
        )

    def rows_of(self, ids: list[bytes]) -> NDArray[np.int32]:
        """Rows of identifiers, -1 where unknown or no longer in the catalogue."""
        rows = self.bundle.vocabulary.rows(ids)
        known = rows >= 0
        rows[known] = np.where(self.bundle.columns.active[rows[known]], rows[known], -1)
        return rows

    def song_id(self, row: int) -> str:
        # numpy strips trailing zero bytes of an S12; an ObjectId may end in them.
        return bytes(self.bundle.vocabulary.ids[row]).ljust(12, b"\0").hex()
