"""Columns of songs: merging changes in, taking songs out, joining parts."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from src.services.recommender.catalogue import Columns
from src.services.recommender.ragged import Ragged
from tests.unit.recommender.worlds import columns_of, ragged


def songs_in(columns: Columns) -> dict[bytes, dict[str, Any]]:
    """Every fact of every song, by identifier, in the order of the rows."""
    return {
        bytes(columns.ids[i]): {
            f.name: (column.row(i) if isinstance(column := getattr(columns, f.name), Ragged) else column[i]).tolist()
            for f in fields(columns)
            if f.name != "ids"
        }
        for i in range(len(columns))
    }


def some(ids: list[int], seed: int) -> Columns:
    return columns_of(len(ids), seed, ids=np.array([b"song%08d" % i for i in ids], "S12"))


def same(a: dict[bytes, dict[str, Any]], b: dict[bytes, dict[str, Any]]) -> bool:
    # As text, since NaN is not equal to itself.
    return [repr(item) for item in a.items()] == [repr(item) for item in b.items()]


numbers = st.lists(st.integers(0, 12), unique=True, max_size=8)


@settings(deadline=None)
@given(numbers, numbers)
def test_merging_replaces_in_place_and_appends_in_order(old: list[int], changed: list[int]) -> None:
    before, fresh = some(old, 1), some(changed, 2)

    merged = before.merged(fresh)

    assert same(songs_in(merged), {**songs_in(before), **songs_in(fresh)})
    assert same(songs_in(before), songs_in(some(old, 1)))
    for f in fields(merged):
        column, was = getattr(merged, f.name), getattr(before, f.name)
        dtype, old_dtype = (c.indices.dtype if isinstance(c, Ragged) else c.dtype for c in (column, was))
        assert dtype == old_dtype, f.name


def test_a_song_that_left_keeps_its_row_and_comes_back_active_when_it_changes() -> None:
    columns = some([3, 1, 2], 1)

    gone = columns.without([b"song00000001", b"unknown00000"])

    assert gone.active.tolist() == [True, False, True]
    assert columns.active.all()
    assert gone.ids.tolist() == columns.ids.tolist()
    assert gone.merged(some([1], 2)).active.all()


def test_joined_parts_are_one_catalogue() -> None:
    joined = Columns.joined([some([4, 2], 1), some([], 2), some([7], 3)])

    assert same(songs_in(joined), {**songs_in(some([4, 2], 1)), **songs_in(some([7], 3))})
    assert len(Columns.joined([])) == 0


@pytest.mark.parametrize("name", ["artists", "genres", "tags"])
def test_64_bit_keys_are_merged_exactly(name: str) -> None:
    key = 2**64 - 3
    merged = some([], 1).merged(columns_of(1, 2, **{name: ragged([[key]], np.uint64)}))
    assert getattr(merged, name).row(0).tolist() == [key]
