"""External identifiers to rows, once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ID_BYTES = 12
"""Width of an identifier: a MongoDB ObjectId."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Identifier of every row, and the way back.

    Attributes:
        ids: ``S12`` (n_items,), the identifier of each row.
        order: int32 (n_items,), the rows sorted by identifier.
    """

    ids: NDArray[np.bytes_]
    order: NDArray[np.int32]

    @classmethod
    def of(cls, ids: NDArray[np.bytes_]) -> "Vocabulary":
        return cls(ids, np.argsort(ids, kind="stable").astype(np.int32))

    def __len__(self) -> int:
        return len(self.ids)

    def rows(self, ids: Sequence[bytes]) -> NDArray[np.int32]:
        """Rows of ``ids``, int32 (len(ids),); -1 where an identifier is not known."""
        if not len(ids) or not len(self.ids):
            return np.full(len(ids), -1, np.int32)
        wanted = np.array(ids, dtype=f"S{ID_BYTES}")
        places = np.searchsorted(self.ids, wanted, sorter=self.order)
        rows = self.order[np.minimum(places, len(self.order) - 1)]
        return np.where(self.ids[rows] == wanted, rows, -1).astype(np.int32)
