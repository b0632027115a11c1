"""What every scorer promises, and what each one means."""

from dataclasses import replace

import numpy as np
import pytest

from src.services.recommender.audio import AUDIO_SCALE
from src.services.recommender.bundle import Bundle, derive
from src.services.recommender.catalogue import Columns
from src.services.recommender.context import Context
from src.services.recommender.pipeline import SCORERS
from src.services.recommender.scorers import content, item_cf, popularity
from tests.unit.recommender.worlds import (
    arrays_in,
    as_dense,
    audio_of,
    listener,
    ragged,
    read_only,
    trained,
    untrained,
)

TRAINED, UNTRAINED = trained(), untrained()
CONTEXTS = {
    "cold": Context(),
    "one like": listener(7),
    "a history": listener(3, 12, 48, 90, 11),
    "only skips": listener(skipped=(1, 2)),
    "likes and skips": listener(3, 12, 48, skipped=(5, 6, 16)),
    "likes what it skips": listener(3, 12, skipped=(3, 12)),
    "without audio": listener(5, 16),
    "only a taste": Context(taste={"energy": 0.8, "tempo_bpm": 120.0}),
}

every_name = pytest.mark.parametrize("name", SCORERS)
every_context = pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS.keys())


def has_opinion(name: str, context: Context, bundle: Bundle) -> bool:
    match name:
        case "content":
            return context.n_history > 0 or bool(context.taste)
        case "item_cf" | "user_cf":
            return context.n_history > 0 and bundle is TRAINED
        case _:
            return True


@every_name
@every_context
@pytest.mark.parametrize("bundle", [TRAINED, UNTRAINED], ids=["trained", "untrained"])
def test_scores_are_float32_from_0_to_1_for_every_song_or_none_at_all(
    name: str, context: Context, bundle: Bundle
) -> None:
    before = [array.tobytes() for array in arrays_in(bundle)]

    scores = SCORERS[name](bundle, context)

    assert (scores is not None) == has_opinion(name, context, bundle)
    if scores is not None:
        assert scores.dtype == np.float32
        assert scores.shape == (len(bundle),)
        assert ((scores >= 0) & (scores <= 1)).all()
        assert scores.max() > 0
    # The arrays are read-only, so writing into one would have failed; this also covers views of them.
    assert [array.tobytes() for array in arrays_in(bundle)] == before


@every_name
@every_context
def test_scores_are_the_same_every_time(name: str, context: Context) -> None:
    first, second = (SCORERS[name](TRAINED, context) for _ in range(2))
    assert (first is None) == (second is None)
    if first is not None:
        np.testing.assert_array_equal(first, second)


@every_name
@pytest.mark.parametrize("context", [Context(), CONTEXTS["only a taste"]], ids=["cold", "only a taste"])
def test_an_empty_catalogue_has_no_scores(name: str, context: Context) -> None:
    empty = read_only(derive(Columns.empty()))
    scores = SCORERS[name](empty, context)
    assert scores.shape == (0,) if has_opinion(name, context, empty) else scores is None


@every_name
def test_the_weights_of_a_history_count_only_in_relation(name: str) -> None:
    context = CONTEXTS["a history"]
    doubled = replace(context, weights=context.weights * 2)
    one, other = (SCORERS[name](TRAINED, given) for given in (context, doubled))
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_content_follows_the_sound_of_a_listener_whose_songs_are_gone() -> None:
    audio = audio_of({"energy": 0.1}, {"energy": 0.5}, {"energy": 0.9}, {})
    filled = np.where(np.isnan(audio), np.float32(0.5), audio)
    filled[3] = np.nan
    bundle = untrained(4, audio=filled, artists=ragged([[]] * 4, np.uint64), genres=ragged([[]] * 4, np.uint64))

    scores = content.score(bundle, Context(taste={"energy": 0.9}))

    assert scores[2] > scores[1] > scores[0] > scores[3] == 0


def test_content_prefers_songs_that_share_names_with_the_history() -> None:
    no_audio = np.full((4, 12), np.nan, np.float32)
    bundle = untrained(
        4,
        audio=no_audio,
        artists=ragged([[1], [1], [2], [2]], np.uint64),
        genres=ragged([[]] * 4, np.uint64),
        tags=ragged([[]] * 4, np.uint64),
    )
    scores = content.score(bundle, listener(0))
    assert scores.tolist() == pytest.approx([0.6, 0.6, 0, 0])
    skipped = content.score(bundle, listener(0, 2, skipped=(3,)))
    assert skipped[1] > skipped[2]


def test_audio_similarity_is_one_half_at_its_scale() -> None:
    vector = TRAINED.vectors[3]
    similarity = content.audio_similarity(TRAINED, vector)
    squared = ((TRAINED.vectors.astype(float) - vector) ** 2).sum(axis=1)
    expected = np.where(TRAINED.has_audio, 1 / (1 + squared / float(AUDIO_SCALE)), 0)
    np.testing.assert_allclose(similarity, expected, rtol=1e-4)
    assert not TRAINED.has_audio.all()
    assert similarity[3] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("context", [listener(3, 12, 48), listener(3, 12, 48, skipped=(6, 9))], ids=["likes", "skips"])
def test_item_cf_is_the_weighted_sum_over_its_largest(context: Context) -> None:
    weights = as_dense(TRAINED.model.item_weights, len(TRAINED))
    total = context.weights.astype(float) @ weights[context.positives]
    total -= float(item_cf.NEGATIVE_SHARE) * context.negative_weights.astype(float) @ weights[context.negatives]
    expected = np.maximum(total / total.max(), 0)

    np.testing.assert_allclose(item_cf.score(TRAINED, context), expected, rtol=1e-4, atol=1e-6)


def test_item_cf_is_silent_where_no_song_of_the_history_speaks() -> None:
    scores = item_cf.score(TRAINED, listener(3))
    spoken_for = np.zeros(len(TRAINED), bool)
    weights = as_dense(TRAINED.model.item_weights, len(TRAINED))[3]
    spoken_for[weights > 0] = True  # a weight below 0 speaks against a song
    np.testing.assert_array_equal(scores > 0, spoken_for)
    assert 0 < spoken_for.sum() < len(TRAINED)


def test_popularity_is_the_same_for_everybody() -> None:
    for context in CONTEXTS.values():
        np.testing.assert_array_equal(popularity.score(TRAINED, context), TRAINED.popularity)
