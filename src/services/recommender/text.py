"""TF-IDF of who made a song and what it is called: artists, genres and tags as tokens.

Rows are unit vectors, so that a product of two rows is their cosine (Salton & Buckley 1988). A token that
one song only has tells nothing about another and is dropped.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.catalogue import Columns
from src.services.recommender.ragged import Ragged

KIND_WEIGHTS: Final = {"artists": 1.0, "genres": 0.8, "tags": 0.5}
"""How much a shared token of each kind says, before its rarity."""

_SALT: Final = {
    "artists": np.uint64(0),
    "genres": np.uint64(0x9E3779B97F4A7C15),
    "tags": np.uint64(0xC2B2AE3D27D4EB4F),
}


@dataclass(frozen=True, slots=True)
class TextIndex:
    """Token vectors of all songs and the way back.

    Attributes:
        vectors: row per song, columns are tokens, unit length; an empty row has no opinion.
        postings: the same by token: the songs that have it.
    """

    vectors: Ragged
    postings: Ragged

    @property
    def n_tokens(self) -> int:
        return len(self.postings)


def fit_text(columns: Columns) -> TextIndex:
    """TF-IDF vectors of the songs' artists, genres and tags."""
    n = len(columns)
    rows, keys, weights = [], [], []
    for kind, weight in KIND_WEIGHTS.items():
        names: Ragged = getattr(columns, kind)
        rows.append(names.owners())
        keys.append(names.indices.astype(np.uint64) ^ _SALT[kind])
        weights.append(np.full(len(names.indices), weight, np.float32))
    row, weight_of = np.concatenate(rows), np.concatenate(weights)
    _, token, frequency = np.unique(np.concatenate(keys), return_inverse=True, return_counts=True)
    keep = frequency[token] > 1
    row, token, weight_of = row[keep], token[keep], weight_of[keep]
    used, token = np.unique(token, return_inverse=True)
    idf = np.log((1 + n) / (1 + frequency[used])) + 1
    value = weight_of * idf[token]
    length = np.sqrt(np.bincount(row, weights=value**2, minlength=n))
    value = (value / np.maximum(length[row], 1e-9)).astype(np.float32)
    vectors = Ragged.of_pairs(row, token.astype(np.int32), n, value)
    return TextIndex(vectors, vectors.transposed(len(used)))


def profile_vector(
    index: TextIndex, rows: NDArray[np.int32], weights: NDArray[np.float32], max_tokens: int = 64
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The heaviest tokens of some songs taken together, as (token ids, values) of unit length."""
    places, which = index.vectors.take(rows)
    tokens, inverse = np.unique(index.vectors.indices[places], return_inverse=True)
    values = np.bincount(inverse, weights=index.vectors.data[places] * weights[which], minlength=len(tokens))
    if len(tokens) > max_tokens:
        heaviest = np.argpartition(values, -max_tokens)[-max_tokens:]
        tokens, values = tokens[heaviest], values[heaviest]
    length = float(np.sqrt((values**2).sum()))
    return tokens.astype(np.int32), (values / (length or 1.0)).astype(np.float32)


def cosine_to(
    index: TextIndex, tokens: NDArray[np.int32], values: NDArray[np.float32], n_items: int
) -> NDArray[np.float32]:
    """Cosine of every song with a profile vector, float32 (n_items,)."""
    return index.postings.weighted_sum(tokens, values, n_items)
