"""Identifiers to rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from src.services.recommender.vocabulary import Vocabulary

identifier = st.binary(min_size=12, max_size=12)


@given(st.lists(identifier, unique=True, max_size=30), st.lists(identifier, max_size=10))
def test_known_identifiers_have_their_row_and_others_none(ids: list[bytes], others: list[bytes]) -> None:
    vocabulary = Vocabulary.of(np.array(ids, "S12"))
    asked = [*others, *reversed(ids)]

    rows = vocabulary.rows(asked)

    assert len(vocabulary) == len(ids)
    assert rows.dtype == np.int32
    assert rows.tolist() == [ids.index(i) if i in ids else -1 for i in asked]


def test_identifiers_that_end_in_zero_bytes_are_found_however_they_are_written() -> None:
    whole = b"song\x00\x01" + b"\x00" * 6
    vocabulary = Vocabulary.of(np.array([b"another00000", whole], "S12"))

    assert vocabulary.rows([whole, whole.rstrip(b"\x00"), bytes(vocabulary.ids[1])]).tolist() == [1, 1, 1]


def test_nothing_is_known_to_an_empty_vocabulary() -> None:
    assert Vocabulary.of(np.empty(0, "S12")).rows([b"song00000000"]).tolist() == [-1]
