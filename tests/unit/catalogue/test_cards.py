"""The JSON of songs by row."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from src.services.catalogue.cards import Cards


def encoded(number: int) -> bytes:
    return b'{"title":"%d"}' % number


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_every_row_has_its_own_card(cards: list[bytes]) -> None:
    held = Cards.of(cards)
    assert [held.json(row) for row in range(len(cards))] == cards


def test_merged_cards_replace_and_append_and_leave_the_old_ones() -> None:
    first = Cards.of([encoded(i) for i in range(3)])

    second = first.merged(np.array([1, 3], np.int32), [encoded(10), encoded(30)])
    third = second.merged(np.array([3, 0], np.int32), [encoded(31), encoded(9)])

    assert [third.json(row) for row in range(4)] == [encoded(n) for n in (9, 10, 2, 31)]
    assert [second.json(row) for row in range(4)] == [encoded(n) for n in (0, 10, 2, 30)]
    assert [first.json(row) for row in range(3)] == [encoded(n) for n in range(3)]
    assert third.read(3) == {"title": "31"}


def test_cards_and_rows_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="zip"):
        Cards.of([]).merged(np.array([0, 1], np.int32), [encoded(1)])
