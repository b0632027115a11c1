"""Rows of varying length, as three flat arrays (compressed sparse rows)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Ragged:
    """``n`` rows: row ``i`` is ``indices[indptr[i]:indptr[i + 1]]``, with ``data`` beside it.

    Attributes:
        indptr: int64 (n + 1,).
        indices: any dtype (nnz,).
        data: float32 (nnz,), or empty where the rows carry no values.
    """

    indptr: NDArray[np.int64]
    indices: NDArray[Any]
    data: NDArray[np.float32]

    @classmethod
    def of_pairs(
        cls, rows: NDArray[Any], indices: NDArray[Any], n_rows: int, data: NDArray[np.float32] | None = None
    ) -> "Ragged":
        """From parallel (row, index[, value]) arrays in any order; the order within a row is kept."""
        order = np.argsort(rows, kind="stable")
        indptr = np.zeros(n_rows + 1, np.int64)
        np.cumsum(np.bincount(rows, minlength=n_rows), out=indptr[1:])
        values = np.empty(0, np.float32) if data is None else np.ascontiguousarray(data[order], np.float32)
        return cls(indptr, np.ascontiguousarray(indices[order]), values)

    @classmethod
    def empty(cls, n_rows: int, dtype: Any = np.int32) -> "Ragged":
        return cls(np.zeros(n_rows + 1, np.int64), np.empty(0, dtype), np.empty(0, np.float32))

    @classmethod
    def joined(cls, parts: Sequence["Ragged"]) -> "Ragged":
        """The rows of several, in their order."""
        lengths = np.concatenate([part.lengths() for part in parts])
        indptr = np.zeros(len(lengths) + 1, np.int64)
        np.cumsum(lengths, out=indptr[1:])
        return cls(indptr, np.concatenate([p.indices for p in parts]), np.concatenate([p.data for p in parts]))

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def row(self, i: int) -> NDArray[Any]:
        return self.indices[self.indptr[i] : self.indptr[i + 1]]

    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.indptr)

    def owners(self) -> NDArray[np.int32]:
        """The row of every entry, int32 (nnz,)."""
        return np.repeat(np.arange(len(self), dtype=np.int32), self.lengths())

    def take(self, rows: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Entries of some rows: their places in ``indices``, and for each which of ``rows`` it is of."""
        starts = self.indptr[rows]
        lengths = self.indptr[np.asarray(rows) + 1] - starts
        which = np.repeat(np.arange(len(rows)), lengths)
        ends = np.cumsum(lengths)
        places = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths) + starts[which]
        return places, which

    def weighted_sum(self, rows: NDArray[Any], weights: NDArray[np.float32], n_columns: int) -> NDArray[np.float32]:
        """``weights @ self[rows]`` as a dense float32 (n_columns,); 0 where no row has an entry."""
        places, which = self.take(rows)
        total = np.bincount(self.indices[places], weights=self.data[places] * weights[which], minlength=n_columns)
        return total.astype(np.float32)

    def transposed(self, n_columns: int) -> "Ragged":
        """Columns as rows. ``indices`` must be integers below ``n_columns``."""
        data = self.data if len(self.data) else None
        return Ragged.of_pairs(self.indices, self.owners(), n_columns, data)

    def extended(self, n_rows: int) -> "Ragged":
        """The same with empty rows appended up to ``n_rows``."""
        tail = np.full(n_rows - len(self), self.indptr[-1], np.int64)
        return Ragged(np.concatenate([self.indptr, tail]), self.indices, self.data)

    def replaced(self, rows: NDArray[Any], new: "Ragged", n_rows: int) -> "Ragged":
        """The same with row ``rows[i]`` set to ``new.row(i)``; ``rows`` may reach past the end, to ``n_rows``."""
        owners = self.owners()
        keep = ~np.isin(owners, rows)
        has_data = len(self.data) or len(new.data)
        data = np.concatenate([self.data[keep], new.data]) if has_data else None
        return Ragged.of_pairs(
            np.concatenate([owners[keep], np.asarray(rows, np.int32)[new.owners()]]),
            np.concatenate([self.indices[keep], new.indices]),
            n_rows,
            data,
        )
