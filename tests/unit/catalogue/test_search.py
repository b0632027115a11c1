"""Search against reading every song."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.services.catalogue.names import words
from src.services.catalogue.search import WORD_BYTES, SearchIndex

word = st.text(alphabet="abcéß", min_size=1, max_size=4)
catalogue = st.lists(st.lists(word.map(lambda w: words(w)[0]), max_size=4), max_size=8)
queries = st.lists(word, max_size=3).map(" ".join)


def index_of(songs: list[list[str]]) -> SearchIndex:
    return SearchIndex.empty().merged(np.arange(len(songs), dtype=np.int32), songs)


def oracle(songs: list[list[str]], query: str) -> list[float]:
    asked = list(dict.fromkeys(words(query)))
    return [
        sum(w in song for w in asked) / len(asked)
        if asked and all(any(has.startswith(w) for has in song) for w in asked)
        else -1.0
        for song in songs
    ]


def find(songs: list[list[str]], query: str) -> list[float]:
    found = index_of(songs).find(query, len(songs))
    assert found.dtype == np.float32
    return found.tolist()


@settings(deadline=None)
@given(catalogue, queries)
def test_every_word_must_begin_a_word_of_the_song(songs: list[list[str]], query: str) -> None:
    assert find(songs, query) == pytest.approx(oracle(songs, query))


@settings(deadline=None)
@given(catalogue, st.data())
def test_an_index_with_changes_merged_in_finds_what_a_new_one_finds(songs: list[list[str]], data) -> None:
    n = len(songs) + data.draw(st.integers(0, 3))
    rows = data.draw(st.lists(st.integers(0, n - 1), unique=True)) if n else []
    rows = sorted({*rows, *range(len(songs), n)})
    changed = [data.draw(st.lists(word.map(lambda w: words(w)[0]), max_size=3)) for _ in rows]
    expected = [*songs, *([] for _ in range(n - len(songs)))]
    for row, found in zip(rows, changed, strict=True):
        expected[row] = found

    merged = index_of(songs).merged(np.array(rows, np.int32), changed)

    for query in ("a", "b", "ab", "c e", data.draw(queries)):
        assert merged.find(query, n).tolist() == pytest.approx(oracle(expected, query)), query


TITLES = ("Don't Stop \u2013 Río", "Stopping by Zoë", "Виктор Цой", "ガラスの林檎", "दिल तो पागल है")
SONGS = [words(title) for title in TITLES]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("stop", {0: 1, 1: 0}),
        ("sto", {0: 0, 1: 0}),
        ("STOPP", {1: 0}),
        ("don't", {0: 1}),
        ("don\u2019t rio", {0: 1}),
        ("rio dont st", {0: 2 / 3}),
        ("stop stop", {0: 1, 1: 0}),
        ("zoe stop", {1: 0.5}),
        ("top", {}),
        ("rio zoe", {}),
        ("цо", {2: 0}),
        ("ガラス", {3: 0}),
        ("カラス", {}),
        ("पागल दि", {4: 0.5}),
        ("?!", {}),
        ("", {}),
    ],
)
def test_what_people_type(query: str, found: dict[int, float]) -> None:
    assert find(SONGS, query) == pytest.approx([found.get(i, -1) for i in range(len(SONGS))])


def test_long_words_are_cut_alike_in_songs_and_queries() -> None:
    long = "a" * (WORD_BYTES + 10)
    songs = [[long], ["a" * WORD_BYTES], ["a" * (WORD_BYTES - 1)]]

    assert find(songs, long) == [1, 1, -1]
    assert find(songs, "a" * (WORD_BYTES - 1)) == [0, 0, 1]


def test_words_cut_within_a_letter_are_still_found() -> None:
    long = "愛" * 9 + "é"
    assert find([[long]], long) == [1]
    assert find([[long]], "愛" * 9) == [1]


def test_nothing_is_found_in_an_empty_index() -> None:
    assert SearchIndex.empty().find("stop", 2).tolist() == [-1, -1]
    assert SearchIndex.empty().find("", 0).tolist() == []
