"""Search by words of title and artist: an inverted index in four arrays.

Every word of the query must begin a word of the song. MongoDB's text index is no help (the embedded server
has none, and it knows no prefixes); a million words take a few megabytes here and answers take microseconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from src.services.catalogue.names import words
from src.services.recommender.ragged import Ragged

WORD_BYTES: Final = 24
"""Longer words are cut: no two words people search for differ only after that."""


def _encode(word: str) -> bytes:
    return word.encode()[:WORD_BYTES]


@dataclass(frozen=True, slots=True)
class SearchIndex:
    """Sorted words, ``S24`` (n_words,), and for each the rows of the songs that have it."""

    vocabulary: NDArray[np.bytes_]
    postings: Ragged

    @classmethod
    def empty(cls) -> "SearchIndex":
        return cls(np.empty(0, f"S{WORD_BYTES}"), Ragged.empty(0))

    def merged(self, rows: NDArray[np.int32], song_words: Sequence[Sequence[str]]) -> "SearchIndex":
        """The index with the words of ``rows[i]`` replaced by ``song_words[i]``."""
        counts = [len(found) for found in song_words]
        flat = np.array([_encode(w) for found in song_words for w in found], f"S{WORD_BYTES}")
        fresh, inverse = np.unique(flat, return_inverse=True)
        vocabulary = np.union1d(self.vocabulary, fresh) if len(self.vocabulary) else fresh
        kept = ~np.isin(self.postings.indices, rows)
        old_word = np.searchsorted(vocabulary, self.vocabulary)[self.postings.owners()[kept]]
        new_word = np.searchsorted(vocabulary, fresh)[inverse]
        all_words = np.concatenate([old_word, new_word])
        all_rows = np.concatenate([self.postings.indices[kept], np.repeat(rows, counts)]).astype(np.int32)
        return SearchIndex(vocabulary, Ragged.of_pairs(all_words, all_rows, len(vocabulary)))

    def find(self, query: str, n_rows: int) -> NDArray[np.float32]:
        """How well each song matches, float32 (n_rows,): -1 not at all, else the share of query words
        that it has in full and not only as a prefix."""
        asked = list(dict.fromkeys(words(query)))
        if not asked:
            return np.full(n_rows, -1, np.float32)
        matches = np.ones(n_rows, np.bool_)
        whole = np.zeros(n_rows, np.float32)
        for word in asked:
            prefix = _encode(word)
            start = int(np.searchsorted(self.vocabulary, prefix))
            end = int(np.searchsorted(self.vocabulary, prefix.ljust(WORD_BYTES, b"\xff"), side="right"))
            hits = np.zeros(n_rows, np.bool_)
            hits[self.postings.indices[self.postings.indptr[start] : self.postings.indptr[end]]] = True
            matches &= hits
            if start < end and self.vocabulary[start] == prefix:
                whole[self.postings.row(start)] += np.float32(1 / len(asked))
        return np.where(matches, whole, np.float32(-1))
