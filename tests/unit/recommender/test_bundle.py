"""Bundles: what follows from a catalogue and a model, and the way through named arrays."""

import numpy as np
import pytest

from src.services.recommender.blend import Blend
from src.services.recommender.bundle import Model, derive, from_arrays, to_arrays
from src.services.recommender.catalogue import Columns
from src.services.recommender.moods import MOODS
from tests.unit.recommender.worlds import arrays_in, as_lists, columns_of, ragged, trained

N = 60


def test_every_part_has_a_row_for_every_song() -> None:
    bundle = trained(N)

    assert len(bundle) == len(bundle.vocabulary) == len(bundle.text.vectors) == len(bundle.model.item_weights) == N
    assert bundle.moods.shape == (len(MOODS), N)
    for array in (bundle.vectors, bundle.squared_norms, bundle.popularity, bundle.has_audio, bundle.main_artist):
        assert len(array) == N
    np.testing.assert_allclose(bundle.squared_norms, (bundle.vectors**2).sum(axis=1), rtol=1e-5)


def test_the_main_artist_is_the_first_and_none_is_0() -> None:
    bundle = derive(columns_of(4, artists=ragged([[9, 8], [], [7], []], np.uint64)))
    assert bundle.main_artist.tolist() == [9, 0, 7, 0]


def test_songs_beyond_the_models_rows_have_no_collaborative_opinion() -> None:
    model = trained(N).model
    bundle = derive(columns_of(N + 5), model)

    assert as_lists(bundle.model.item_weights) == as_lists(model.item_weights) + [[]] * 5
    assert bundle.model.play_counts[N:].tolist() == [0] * 5
    assert bundle.model.n_listeners[N:].tolist() == [0] * 5
    assert bundle.model.blend is model.blend
    assert derive(columns_of(N), model).model is model


def test_without_a_model_nothing_is_learned() -> None:
    model = Model.untrained(3)
    assert not model.has_item_cf
    assert trained(N).model.has_item_cf


@pytest.mark.parametrize("bundle", [trained(N), derive(Columns.empty())], ids=["trained", "empty"])
def test_named_arrays_make_the_same_bundle(bundle) -> None:
    blend = Blend(half_history=3.0)
    arrays = to_arrays(bundle, "bundle")

    again = from_arrays(arrays, blend)

    before, after = list(arrays_in(bundle)), list(arrays_in(again))
    assert [(a.dtype, a.shape, a.tobytes()) for a in before] == [(a.dtype, a.shape, a.tobytes()) for a in after]
    assert len(arrays) == len(before)
    assert again.model.blend is blend


@pytest.mark.parametrize("name", sorted(to_arrays(derive(Columns.empty()), "bundle")))
def test_no_array_is_dispensable(name: str) -> None:
    arrays = to_arrays(trained(N), "bundle")
    del arrays[name]
    with pytest.raises(KeyError):
        from_arrays(arrays)
