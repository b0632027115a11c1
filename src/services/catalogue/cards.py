"""The JSON of every song, ready to be put into an answer without a database read or re-encoding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Cards:
    """JSON objects by row: one block of bytes, memory-mapped when it comes from a release, and what changed since.

    Attributes:
        block: uint8 (n_bytes,). ``ends``: int64 (n + 1,), where each of the first n cards ends.
        changed: newer cards by row, and those of rows beyond the block.
    """

    block: NDArray[np.uint8]
    ends: NDArray[np.int64]
    changed: Mapping[int, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, cards: Sequence[bytes]) -> "Cards":
        ends = np.zeros(len(cards) + 1, np.int64)
        np.cumsum([len(card) for card in cards], out=ends[1:])
        return cls(np.frombuffer(b"".join(cards), np.uint8), ends)

    def merged(self, rows: NDArray[np.int32], cards: Sequence[bytes]) -> "Cards":
        return Cards(self.block, self.ends, {**self.changed, **dict(zip(rows.tolist(), cards, strict=True))})

    def json(self, row: int) -> bytes:
        card = self.changed.get(row)
        return card if card is not None else self.block[self.ends[row] : self.ends[row + 1]].tobytes()

    def read(self, row: int) -> dict[str, Any]:
        card: dict[str, Any] = orjson.loads(self.json(row))
        return card
