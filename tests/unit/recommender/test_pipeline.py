"""The contract of a recommendation, for every strategy and every kind of listener."""

from typing import Any

import numpy as np
import pytest

from src.services.recommender.bundle import Bundle, derive
from src.services.recommender.catalogue import COLUMN, Columns
from src.services.recommender.context import Context, Request
from src.services.recommender.moods import MOOD_NAMES
from src.services.recommender.pipeline import (
    LEADING_SHARE,
    MOOD_THRESHOLD,
    SCORERS,
    WISH_SHARE,
    Answer,
    recommend,
    song_similarity,
)
from tests.unit.recommender.worlds import columns_of, listener, ragged, read_only, trained, untrained, without_row

N = 120
TRAINED, UNTRAINED = trained(N), untrained(N)
STRATEGIES = ("hybrid", *SCORERS)
CONTEXTS = {
    "cold": Context(),
    "one like": listener(7),
    "a history": listener(3, 12, 48, 90, 11),
    "only skips": listener(skipped=(1, 2)),
    "likes and skips": listener(3, 12, 48, skipped=(5, 6, 16)),
    "only a taste": Context(taste={"energy": 0.8, "valence": 0.2}),
}
CALM = MOOD_NAMES.index("calm")

every_strategy = pytest.mark.parametrize("strategy", STRATEGIES)
every_context = pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS.keys())
every_bundle = pytest.mark.parametrize("bundle", [TRAINED, UNTRAINED], ids=["trained", "untrained"])


def rows(*wanted: int) -> Any:
    return np.array(wanted, np.int32)


def answers(bundle: Bundle, context: Context, **asked: Any) -> Answer:
    return recommend(bundle, context, Request(**asked))


@every_strategy
@every_context
@every_bundle
@pytest.mark.parametrize("mood", [None, CALM], ids=["no mood", "calm"])
def test_every_answer_is_whole(strategy: str, context: Context, bundle: Bundle, mood: int | None) -> None:
    request = Request(strategy=strategy, mood=mood, targets={"energy": 0.3}, limit=15, heard=context.positives)

    answer = recommend(bundle, context, request)

    assert answer.rows.dtype == np.int32
    assert answer.scores.dtype == np.float32
    assert len(answer.rows) == len(set(answer.rows.tolist())) == 15
    assert ((answer.scores >= 0) & (answer.scores <= 1)).all()
    assert {"mood", "targets"} & set(answer.contributions) == {"targets"} | ({"mood"} if mood is not None else set())
    for part in answer.contributions.values():
        assert part.dtype == np.float32
        assert (part >= 0).all()
    total = np.sum(list(answer.contributions.values()), axis=0)
    np.testing.assert_allclose(np.clip(total, 0, 1), answer.scores, atol=1e-5)

    again = recommend(bundle, context, request)
    assert again.rows.tolist() == answer.rows.tolist()
    assert again.scores.tolist() == answer.scores.tolist()
    assert again.fallback == answer.fallback


@every_strategy
@every_context
def test_excluded_heard_and_gone_songs_and_versions_of_heard_ones_are_not_returned(
    strategy: str, context: Context
) -> None:
    bundle = without_row(TRAINED, *range(0, 60, 4))
    excluded, heard = np.arange(1, 60, 4, dtype=np.int32), np.arange(2, 60, 4, dtype=np.int32)

    answer = answers(bundle, context, strategy=strategy, limit=N, excluded=excluded, heard=heard, max_per_artist=N)

    recording = bundle.columns.recording
    versions = np.flatnonzero(np.isin(recording, recording[heard]))
    out = {*range(0, 60, 4), *excluded.tolist(), *heard.tolist(), *versions.tolist()}
    # All others come, one of each recording.
    assert not set(answer.rows.tolist()) & out
    assert set(recording[answer.rows].tolist()) == {int(recording[i]) for i in range(N) if i not in out}
    assert answer.fallback != "heard_everything"


FILTERS = {
    "bounds": ({"bounds": (("energy", 0.3, 0.8), ("tempo_bpm", 80.0, 170.0))}),
    "genres": ({"genres": np.array([1, 11], np.uint64)}),
    "explicit": ({"explicit": True}),
    "clean": ({"explicit": False}),
}


@every_strategy
@every_context
@pytest.mark.parametrize("name", FILTERS)
def test_every_strategy_keeps_to_the_filters(strategy: str, context: Context, name: str) -> None:
    answer = answers(TRAINED, context, strategy=strategy, limit=N, max_per_artist=N, **FILTERS[name])

    audio, explicit = TRAINED.columns.audio[answer.rows], TRAINED.columns.explicit[answer.rows]
    energy, tempo = audio[:, COLUMN["energy"]], audio[:, COLUMN["tempo_bpm"]]
    meets = {
        "bounds": lambda: (energy >= 0.3) & (energy <= np.float32(0.8)) & (tempo >= 80) & (tempo <= 170),
        "genres": lambda: [set(TRAINED.columns.genres.row(i).tolist()) & {1, 11} for i in answer.rows],
        "explicit": lambda: explicit == 1,
        "clean": lambda: explicit != 1,
    }
    assert 10 < len(answer.rows) < N
    assert all(meets[name]())


@every_strategy
@every_context
@pytest.mark.parametrize("limit", [0, 1, 7, 1_000])
def test_the_limit_is_reached_and_not_passed(strategy: str, context: Context, limit: int) -> None:
    answer = answers(TRAINED, context, strategy=strategy, limit=limit)
    assert len(answer.rows) == min(limit, len(np.unique(TRAINED.columns.recording)))


@every_strategy
@every_context
def test_versions_of_one_recording_appear_once(strategy: str, context: Context) -> None:
    answer = answers(TRAINED, context, strategy=strategy, limit=N, max_per_artist=N)
    shown = TRAINED.columns.recording[answer.rows].tolist()
    assert len(shown) == len(set(shown)) < N


@every_strategy
def test_without_diversity_the_best_come_first(strategy: str) -> None:
    answer = answers(TRAINED, CONTEXTS["a history"], strategy=strategy, diversity=0.0, max_per_artist=N)
    assert (np.diff(answer.scores) <= 0).all()


def test_an_artist_has_at_most_so_many_songs_while_others_remain() -> None:
    few = answers(TRAINED, CONTEXTS["a history"], limit=20, max_per_artist=1)
    artists = TRAINED.main_artist[few.rows].tolist()
    assert len(set(artists)) == len(artists)


def test_more_diversity_makes_a_less_uniform_list() -> None:
    spread = {}
    for diversity in (0.0, 0.9):
        chosen = answers(TRAINED, CONTEXTS["a history"], diversity=diversity, max_per_artist=N).rows
        similarity = song_similarity(TRAINED, chosen.astype(np.intp))
        spread[diversity] = similarity[~np.eye(len(chosen), dtype=bool)].mean()
    assert spread[0.9] < spread[0.0] - 0.02


def test_likeness_of_songs_is_symmetric_from_0_to_1_and_whole_for_a_song_with_itself() -> None:
    similarity = song_similarity(TRAINED, np.arange(N))
    assert ((similarity >= 0) & (similarity <= 1 + 1e-6)).all()
    np.testing.assert_allclose(similarity, similarity.T, atol=1e-6)
    np.testing.assert_allclose(np.diag(similarity), 1, atol=1e-4)


@pytest.mark.parametrize(
    ("bundle", "context", "strategy", "fallback"),
    [
        (TRAINED, "cold", "hybrid", "no_history"),
        (TRAINED, "cold", "content", "no_history"),
        (TRAINED, "cold", "item_cf", "no_history"),
        (TRAINED, "cold", "popularity", None),
        (TRAINED, "only skips", "hybrid", "no_history"),
        (TRAINED, "a history", "hybrid", None),
        (TRAINED, "a history", "content", None),
        (TRAINED, "a history", "item_cf", None),
        (TRAINED, "only a taste", "hybrid", None),
        (TRAINED, "only a taste", "content", None),
        (TRAINED, "only a taste", "item_cf", "no_opinion"),
        (UNTRAINED, "a history", "item_cf", "no_model"),
        (UNTRAINED, "cold", "item_cf", "no_model"),
        (UNTRAINED, "a history", "hybrid", None),
        (UNTRAINED, "a history", "content", None),
    ],
)
def test_a_fallback_says_why(bundle: Bundle, context: str, strategy: str, fallback: str | None) -> None:
    answer = answers(bundle, CONTEXTS[context], strategy=strategy)
    assert answer.fallback == fallback
    assert len(answer.rows) == 20


@every_strategy
def test_who_has_heard_everything_hears_it_again_and_is_told(strategy: str) -> None:
    everything = np.arange(N, dtype=np.int32)
    answer = answers(TRAINED, CONTEXTS["a history"], strategy=strategy, heard=everything, excluded=rows(1, 2))

    assert answer.fallback == "heard_everything"
    assert len(answer.rows) == 20
    assert not {1, 2} & set(answer.rows.tolist())


def test_whoever_has_one_song_left_gets_that_one() -> None:
    alone = next(i for i in range(N) if (TRAINED.columns.recording == TRAINED.columns.recording[i]).sum() == 1)
    heard = np.delete(np.arange(N, dtype=np.int32), alone)
    answer = answers(TRAINED, CONTEXTS["a history"], heard=heard)
    assert (answer.rows.tolist(), answer.fallback) == ([alone], None)


@every_strategy
@pytest.mark.parametrize("context", ["cold", "a history"])
def test_where_nothing_meets_the_conditions_nothing_is_returned(strategy: str, context: str) -> None:
    answer = answers(TRAINED, CONTEXTS[context], strategy=strategy, bounds=(("energy", 2.0, 3.0),), mood=CALM)
    assert len(answer.rows) == len(answer.scores) == 0
    assert all(len(part) == 0 for part in answer.contributions.values())


@every_strategy
def test_an_empty_catalogue_gives_an_empty_answer(strategy: str) -> None:
    assert len(answers(read_only(derive(Columns.empty())), Context(), strategy=strategy, mood=CALM).rows) == 0


def test_without_history_what_is_popular_leads() -> None:
    answer = answers(TRAINED, Context(), diversity=0.0, max_per_artist=N, limit=10)
    assert TRAINED.popularity[answer.rows].mean() > np.sort(TRAINED.popularity)[-30:].mean()


@every_context
@every_strategy
def test_a_mood_narrows_to_the_songs_that_fit_while_enough_do(context: Context, strategy: str) -> None:
    fit = TRAINED.moods[CALM]
    n_fitting = len(np.unique(TRAINED.columns.recording[fit >= MOOD_THRESHOLD]))
    assert n_fitting > 3

    few = answers(TRAINED, context, strategy=strategy, mood=CALM, limit=3, max_per_artist=N)
    many = answers(TRAINED, context, strategy=strategy, mood=CALM, limit=N, max_per_artist=N)

    assert (fit[few.rows] >= MOOD_THRESHOLD).all()
    assert len(many.rows) == len(np.unique(TRAINED.columns.recording))


@pytest.mark.parametrize(("leads", "share"), [(False, WISH_SHARE), (True, LEADING_SHARE)])
def test_mood_and_targets_share_their_part_of_the_score(leads: bool, share: float) -> None:
    asked = {"mood": CALM, "targets": {"energy": 0.2}, "mood_leads": leads, "limit": N, "max_per_artist": N}
    answer = answers(TRAINED, CONTEXTS["a history"], **asked)
    plain = answers(TRAINED, CONTEXTS["a history"], limit=N, max_per_artist=N)

    fit = TRAINED.moods[CALM][answer.rows]
    np.testing.assert_allclose(answer.contributions["mood"], fit * share / 2, rtol=1e-5)
    assert answer.contributions["targets"].max() <= share / 2
    by_row = dict(zip(plain.rows.tolist(), plain.contributions["content"].tolist(), strict=True))
    for row, part in zip(answer.rows.tolist(), answer.contributions["content"].tolist(), strict=True):
        if row in by_row:
            assert part == pytest.approx(by_row[row] * (1 - share), rel=1e-4)


def test_a_target_draws_towards_it() -> None:
    energy = TRAINED.columns.audio[:, COLUMN["energy"]]
    means = [
        np.nanmean(energy[answers(TRAINED, CONTEXTS["a history"], targets={"energy": target}).rows])
        for target in (0.0, 1.0)
    ]
    assert means[1] - means[0] > 0.2


def test_a_scorer_without_opinion_leaves_its_weight_to_the_others() -> None:
    answer = answers(UNTRAINED, CONTEXTS["a history"], limit=N, max_per_artist=N)
    weights = UNTRAINED.model.blend.weights(5)
    shares = {name: weights[name] / (weights["content"] + weights["popularity"]) for name in ("content", "popularity")}

    assert set(answer.contributions) == {"content", "popularity"}
    np.testing.assert_allclose(
        answer.contributions["popularity"], UNTRAINED.popularity[answer.rows] * shares["popularity"], rtol=1e-5
    )


def test_songs_known_to_no_scorer_are_still_returned_when_they_are_all_there_is() -> None:
    nothing = columns_of(
        4,
        audio=np.full((4, 12), np.nan, np.float32),
        popularity=np.full(4, np.nan, np.float32),
        artists=ragged([[]] * 4, np.uint64),
        genres=ragged([[]] * 4, np.uint64),
        tags=ragged([[]] * 4, np.uint64),
    )
    bundle = read_only(derive(nothing))
    for context in (Context(), listener(0)):
        assert sorted(answers(bundle, context, heard=context.positives).rows.tolist()) == list(
            range(context.n_history, 4)
        )


def test_songs_added_after_training_can_be_recommended() -> None:
    bigger = columns_of(N + 30)
    bundle = read_only(derive(bigger, TRAINED.model))
    answer = answers(bundle, listener(N + 1, N + 5), limit=40, max_per_artist=N)
    assert (answer.rows >= N).any()
    assert len(answers(bundle, listener(N + 1), strategy="item_cf").rows) == 20


def test_a_like_changes_the_next_answer() -> None:
    before = answers(TRAINED, listener(3, 12))
    liked = int(before.rows[4])
    after = answers(TRAINED, listener(3, 12, liked), heard=rows(liked))
    assert after.rows.tolist() != [row for row in before.rows.tolist() if row != liked]
