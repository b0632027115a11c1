"""A snapshot through a release on disk recommends what it recommended before."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from src.services.artifacts.codec import decode, encode
from src.services.artifacts.files import ArtifactError, read_release, write_release
from src.services.catalogue.columns import collect
from src.services.catalogue.snapshot import Snapshot
from src.services.recommender.blend import Blend
from src.services.recommender.context import Context, Request
from src.services.recommender.fit import Parameters, fit_model
from src.services.recommender.pipeline import SCORERS, recommend
from src.services.recommender.reasons import explain
from tests.unit.catalogue.songs import documents
from tests.unit.recommender.worlds import events_of, listener

N = 60
BLEND = Blend(cold={"content": 0.5, "popularity": 0.5}, warm={"item_cf": 0.7, "content": 0.3}, half_history=4.0)


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    songs = collect(documents(N))
    model = fit_model(events_of(40, N), songs.columns, Parameters(blend=BLEND))
    return Snapshot.of(songs, 17, model, "v1")


@pytest.fixture(scope="module")
def loaded(snapshot: Snapshot, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    models = tmp_path_factory.mktemp("models")
    write_release(models, "v1", *encode(snapshot))
    return decode(*read_release(models, "v1"))


@pytest.mark.parametrize("context", [Context(), listener(3, 12, 48, skipped=(5,)), Context(taste={"energy": 0.9})])
@pytest.mark.parametrize("strategy", ["hybrid", *SCORERS])
def test_recommendations_and_reasons_are_the_same(
    snapshot: Snapshot, loaded: Snapshot, context: Context, strategy: str
) -> None:
    request = Request(strategy=strategy, mood=1, targets={"energy": 0.4}, heard=context.positives)

    before, after = (recommend(s.bundle, context, request) for s in (snapshot, loaded))

    assert after.rows.tolist() == before.rows.tolist()
    assert after.scores.tolist() == before.scores.tolist()
    assert after.fallback == before.fallback
    assert explain(loaded.bundle, context, after) == explain(snapshot.bundle, context, before)


def test_search_cards_names_and_numbers_are_the_same(snapshot: Snapshot, loaded: Snapshot) -> None:
    for query in ("storm", "artist 3", "zo", "nothing at all"):
        np.testing.assert_array_equal(loaded.search.find(query, N), snapshot.search.find(query, N))
    assert [loaded.cards.json(row) for row in range(N)] == [snapshot.cards.json(row) for row in range(N)]
    assert [loaded.song_id(row) for row in range(N)] == [snapshot.song_id(row) for row in range(N)]
    assert loaded.genre_names == snapshot.genre_names
    assert (loaded.version, loaded.change) == ("v1", 17)
    assert loaded.bundle.model.blend == BLEND


def test_changes_are_merged_into_a_loaded_snapshot_as_into_any(snapshot: Snapshot, loaded: Snapshot) -> None:
    changed = collect([{**documents(N)[2], "title": "Wholly New"}, *documents(2, first=N)])
    gone = [bytes.fromhex(snapshot.song_id(7))]

    before, after = (s.merged(changed, gone, 18) for s in (snapshot, loaded))

    request = Request(limit=N, max_per_artist=N)
    answers = [recommend(s.bundle, listener(3, N), request) for s in (before, after)]
    assert answers[0].rows.tolist() == answers[1].rows.tolist()
    assert after.search.find("wholly", N + 2).tolist() == before.search.find("wholly", N + 2).tolist()
    assert after.cards.read(2)["title"] == "Wholly New"


def test_an_empty_catalogue_can_be_released(tmp_path: Path) -> None:
    write_release(tmp_path, "v0", *encode(Snapshot.empty()))
    assert len(decode(*read_release(tmp_path, "v0")).bundle) == 0


def test_every_array_is_needed_and_named_when_it_is_missing(snapshot: Snapshot) -> None:
    arrays, entries = encode(snapshot)
    for name in arrays:
        lacking: dict[str, Any] = {key: array for key, array in arrays.items() if key != name}
        with pytest.raises(ArtifactError, match=name.removesuffix(".indptr").replace(".", r"\.")):
            decode(lacking, {**entries, "version": "v1"})


@pytest.mark.parametrize("name", ["blend", "genre_names", "change", "version"])
def test_every_entry_of_the_manifest_is_needed_and_named_when_it_is_missing(snapshot: Snapshot, name: str) -> None:
    arrays, entries = encode(snapshot)
    manifest = {**entries, "version": "v1"}
    del manifest[name]
    with pytest.raises(ArtifactError, match=name):
        decode(arrays, manifest)


@pytest.mark.parametrize("blend", [None, {"cold": {}, "hot": {}}, []])
def test_a_blend_of_another_shape_is_refused(snapshot: Snapshot, blend: object) -> None:
    arrays, entries = encode(snapshot)
    with pytest.raises(ArtifactError, match="model v1 is incomplete"):
        decode(arrays, {**entries, "version": "v1", "blend": blend})
