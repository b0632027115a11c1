"""Ragged rows against plain lists and dense matrices."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from src.services.recommender.ragged import Ragged
from tests.unit.recommender.worlds import as_dense, as_lists, ragged

N_COLUMNS = 6
# Eighths add up without rounding, so dense and sparse sums are equal to the last bit.
value = st.integers(-16, 16).map(lambda x: x / 8)
entries = st.lists(st.lists(st.tuples(st.integers(0, N_COLUMNS - 1), value), max_size=6), max_size=7)


def build(rows: list[list[tuple[int, float]]]) -> Ragged:
    return ragged([[i for i, _ in row] for row in rows], np.int32, [[v for _, v in row] for row in rows])


def pairs(rows: Ragged) -> list[list[tuple[int, float]]]:
    ends = rows.indptr
    return [
        list(zip(rows.row(i).tolist(), rows.data[ends[i] : ends[i + 1]].tolist(), strict=True))
        for i in range(len(rows))
    ]


@given(entries)
def test_it_is_read_as_it_was_built(rows: list[list[tuple[int, float]]]) -> None:
    built = build(rows)

    assert len(built) == len(rows)
    assert pairs(built) == rows
    assert built.lengths().tolist() == [len(row) for row in rows]
    assert built.owners().tolist() == [i for i, row in enumerate(rows) for _ in row]


@given(entries, st.randoms(use_true_random=False))
def test_pairs_in_any_order_of_rows_make_the_same_and_keep_their_order_within_a_row(rows, random) -> None:
    order = list(range(len(rows)))
    random.shuffle(order)
    flat = [(i, index, v) for i in order for index, v in rows[i]]

    built = Ragged.of_pairs(
        np.array([f[0] for f in flat], np.int64),
        np.array([f[1] for f in flat], np.int32),
        len(rows),
        np.array([f[2] for f in flat], np.float32),
    )

    assert pairs(built) == rows


@given(entries.filter(len), st.data())
def test_taken_entries_are_those_of_the_rows_in_the_order_asked(rows, data) -> None:
    wanted = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8))
    built = build(rows)

    places, which = built.take(np.array(wanted, np.int32))

    assert built.indices[places].tolist() == [index for w in wanted for index, _ in rows[w]]
    assert which.tolist() == [k for k, w in enumerate(wanted) for _ in rows[w]]


@given(entries.filter(len), st.data())
def test_a_weighted_sum_is_the_dense_product(rows, data) -> None:
    wanted = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8))
    weights = np.array(data.draw(st.lists(value, min_size=len(wanted), max_size=len(wanted))), np.float32)
    built = build(rows)

    total = built.weighted_sum(np.array(wanted, np.int32), weights, N_COLUMNS)

    assert total.dtype == np.float32
    assert total.shape == (N_COLUMNS,)
    np.testing.assert_array_equal(total, weights @ as_dense(built, N_COLUMNS)[wanted])


@given(entries)
def test_the_transposed_is_the_dense_transposed(rows: list[list[tuple[int, float]]]) -> None:
    built = build(rows)
    turned = built.transposed(N_COLUMNS)

    np.testing.assert_array_equal(as_dense(turned, len(rows)), as_dense(built, N_COLUMNS).T)
    assert all(owners == sorted(owners) for owners in as_lists(turned))


@given(entries, st.integers(0, 4))
def test_extending_appends_empty_rows(rows: list[list[tuple[int, float]]], more: int) -> None:
    assert pairs(build(rows).extended(len(rows) + more)) == rows + [[]] * more


@given(entries, st.integers(0, 3), st.data())
def test_replaced_rows_are_the_new_ones_and_the_others_stay(rows, more, data) -> None:
    n = len(rows) + more
    targets = data.draw(st.lists(st.integers(0, n - 1), unique=True, max_size=n)) if n else []
    fresh = [data.draw(st.lists(st.tuples(st.integers(0, N_COLUMNS - 1), value), max_size=4)) for _ in targets]
    expected = rows + [[]] * more
    for target, row in zip(targets, fresh, strict=True):
        expected[target] = row

    built = build(rows)
    replaced = built.replaced(np.array(targets, np.int32), build(fresh), n)

    assert pairs(replaced) == expected
    assert pairs(built) == rows


def test_rows_without_values_are_replaced_without_values() -> None:
    names = ragged([[7], [8, 9]], np.uint64)

    replaced = names.replaced(np.array([0, 2]), ragged([[1, 2], [3]], np.uint64), 3)

    assert as_lists(replaced) == [[1, 2], [8, 9], [3]]
    assert replaced.indices.dtype == np.uint64
    assert len(replaced.data) == 0


@given(st.lists(entries, min_size=1, max_size=3))
def test_joined_parts_follow_one_another(parts: list[list[list[tuple[int, float]]]]) -> None:
    assert pairs(Ragged.joined([build(part) for part in parts])) == [row for part in parts for row in part]


def test_keys_of_64_bits_come_through_unrounded() -> None:
    key = 2**64 - 1
    assert as_lists(Ragged.joined([Ragged.empty(1, np.uint64), ragged([[key]], np.uint64)])) == [[], [key]]
