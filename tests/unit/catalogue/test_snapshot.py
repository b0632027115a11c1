"""Snapshots: changes merged in make what a reading from scratch makes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from src.services.catalogue.columns import collect
from src.services.catalogue.names import name_key
from src.services.catalogue.snapshot import UNTRAINED, Snapshot
from src.services.recommender.bundle import Model, to_arrays
from src.services.recommender.context import Context, Request
from src.services.recommender.pipeline import recommend
from src.services.recommender.ragged import Ragged
from tests.unit.catalogue.songs import document, documents, object_id

N = 40
BASE = documents(N)
PATCHED = [
    {**BASE[3], "title": "Wholly New", "genres": ["ambient"]},
    {**BASE[9], "audio_features": {"energy": 0.9}, "popularity": 100.0},
]
NEW = documents(6, seed=5, first=N)
QUERIES = ("wholly", "new", "storm", "artist", "artist 1", "zoe", "río 2", "glass 1", "song")


def model(n: int) -> Model:
    weights = Ragged(np.arange(n + 1), np.roll(np.arange(n, dtype=np.int32), 1), np.ones(n, np.float32))
    return replace(
        Model.untrained(n),
        item_weights=weights,
        play_counts=np.arange(n, dtype=np.float32),
        n_listeners=np.arange(n, dtype=np.int32),
    )


def id_of(number: int) -> bytes:
    return object_id(number).binary


def patched(base: list[dict[str, Any]], *changed: dict[str, Any]) -> list[dict[str, Any]]:
    newer = {d["_id"]: d for d in changed}
    known = {d["_id"] for d in base}
    return [*(newer.get(d["_id"], d) for d in base), *(d for d in changed if d["_id"] not in known)]


def assert_same(one: Snapshot, other: Snapshot) -> None:
    mine, theirs = to_arrays(one.bundle, "bundle"), to_arrays(other.bundle, "bundle")
    assert mine.keys() == theirs.keys()
    for name in mine:
        np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)
    n = len(one.bundle)
    assert [one.cards.json(row) for row in range(n)] == [other.cards.json(row) for row in range(n)]
    for query in QUERIES:
        np.testing.assert_array_equal(one.search.find(query, n), other.search.find(query, n), err_msg=query)
    assert other.genre_names.items() <= one.genre_names.items()


@pytest.mark.parametrize(
    "steps",
    [[PATCHED], [NEW], [[*NEW, *PATCHED]], [PATCHED, NEW, [{**NEW[0], "title": "Wholly Else"}]], [[]], [BASE]],
    ids=["patched", "new", "both at once", "one after another", "nothing", "everything again"],
)
@pytest.mark.parametrize("trained", [False, True], ids=["untrained", "trained"])
def test_changes_merged_in_make_what_a_reading_from_scratch_makes(steps: list[Any], trained: bool) -> None:
    learned = model(N) if trained else None
    snapshot, whole = Snapshot.of(collect(BASE), 1, learned), BASE
    for number, step in enumerate(steps):
        snapshot = snapshot.merged(collect(step), [], 2 + number)
        whole = patched(whole, *step)

    assert_same(snapshot, Snapshot.of(collect(whole), 0, learned))
    assert snapshot.change == 1 + len(steps)


def test_from_nothing_songs_come_in_one_by_one() -> None:
    snapshot = Snapshot.empty()
    for number, song in enumerate(BASE[:5]):
        snapshot = snapshot.merged(collect([song]), [], number + 1)
    assert_same(snapshot, Snapshot.of(collect(BASE[:5]), 0))


def test_a_deleted_song_is_gone_and_no_other_row_moves() -> None:
    before = Snapshot.of(collect(BASE), 1, model(N))

    after = before.merged(collect(PATCHED), [id_of(4), id_of(5), b"unknown00000"], 2)

    assert after.rows_of([id_of(n) for n in range(N)]).tolist() == [-1 if n in (4, 5) else n for n in range(N)]
    assert not after.bundle.columns.active[[4, 5]].any()
    request = Request(limit=N, max_per_artist=N)
    shown = recommend(after.bundle, Context(), request).rows.tolist()
    assert sorted(shown) == [n for n in range(N) if n not in (4, 5)]
    assert_same_but_active(after, Snapshot.of(collect(patched(BASE, *PATCHED)), 0, model(N)))


def assert_same_but_active(one: Snapshot, other: Snapshot) -> None:
    mine, theirs = to_arrays(one.bundle, "bundle"), to_arrays(other.bundle, "bundle")
    for name in mine.keys() - {"bundle.columns.active"}:
        np.testing.assert_array_equal(mine[name], theirs[name], err_msg=name)


def test_a_change_and_a_deletion_of_one_song_in_one_step_is_a_deletion() -> None:
    after = Snapshot.of(collect(BASE), 1).merged(collect(PATCHED), [id_of(3)], 2)
    assert after.rows_of([id_of(3), id_of(9)]).tolist() == [-1, 9]


def test_a_snapshot_is_not_changed_by_its_successors() -> None:
    before = Snapshot.of(collect(BASE), 1)
    arrays = {name: array.tobytes() for name, array in to_arrays(before.bundle, "bundle").items()}

    before.merged(collect([*PATCHED, *NEW]), [id_of(0)], 2)

    assert {name: array.tobytes() for name, array in to_arrays(before.bundle, "bundle").items()} == arrays
    assert before.change == 1
    assert before.search.find("wholly", N).max() == -1
    assert before.cards.read(3)["title"] == BASE[3]["title"]
    assert name_key("ambient") not in before.genre_names


def test_rows_and_identifiers_are_each_others_inverse() -> None:
    snapshot = Snapshot.of(collect(BASE), 1)
    for row in range(N):
        song_id = snapshot.song_id(row)
        assert song_id == str(object_id(row)) == snapshot.cards.read(row)["id"]
        assert snapshot.rows_of([bytes.fromhex(song_id)]).tolist() == [row]
    assert snapshot.rows_of([b"unknown00000"]).tolist() == [-1]
    assert snapshot.rows_of([]).tolist() == []


def test_an_empty_snapshot_answers_with_nothing() -> None:
    empty = Snapshot.empty()
    assert (len(empty.bundle), empty.version, empty.change) == (0, UNTRAINED, 0)
    assert empty.rows_of([id_of(1)]).tolist() == [-1]
    assert len(recommend(empty.bundle, Context(), Request()).rows) == 0
    assert len(empty.search.find("song", 0)) == 0


def test_a_new_genre_can_be_asked_for() -> None:
    after = Snapshot.of(collect(BASE), 1).merged(collect([document(99, genres=["shoegaze"])]), [], 2)
    assert after.genre_names[name_key("Shoegaze")] == "shoegaze"
