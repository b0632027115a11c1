"""Reasons are true: the songs named are of the history, and the strongest of them."""

import numpy as np
import pytest

from src.services.recommender.audio import AUDIO_SCALE
from src.services.recommender.context import Context, Request
from src.services.recommender.pipeline import SCORERS, recommend
from src.services.recommender.reasons import MAX_REASONS, Reason, explain
from tests.unit.recommender.worlds import arrays_in, as_dense, listener, ragged, trained, untrained

N = 120
TRAINED = trained(N)
HISTORY = listener(3, 12, 48, 90, 11, skipped=(5,))
CONTEXTS = {
    "cold": Context(),
    "one like": listener(7),
    "a history": HISTORY,
    "only a taste": Context(taste={"energy": 0.8}),
    "without audio": listener(5, 16),
}


def explained(context: Context, bundle=TRAINED, **asked) -> tuple[list[int], list[list[Reason]]]:
    answer = recommend(bundle, context, Request(**asked))
    return answer.rows.tolist(), explain(bundle, context, answer)


def because(source: str, context: Context = HISTORY, **asked) -> dict[int, Reason]:
    """The reason of one source for each song that has it."""
    rows, reasons = explained(context, limit=N, max_per_artist=N, **asked)
    return {row: r for row, found in zip(rows, reasons, strict=True) for r in found if r.source == source}


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS.keys())
@pytest.mark.parametrize("strategy", ["hybrid", *SCORERS])
def test_reasons_are_few_heaviest_first_and_name_songs_of_the_history(context: Context, strategy: str) -> None:
    before = [array.tobytes() for array in arrays_in(TRAINED)]
    answer = recommend(TRAINED, context, Request(strategy=strategy, mood=2, targets={"energy": 0.5}, limit=30))

    reasons = explain(TRAINED, context, answer)

    assert len(reasons) == len(answer.rows)
    for i, found in enumerate(reasons):
        assert 1 <= len(found) <= MAX_REASONS
        weights = [r.weight for r in found]
        assert weights == sorted(weights, reverse=True)
        for reason in found:
            assert reason.weight == pytest.approx(float(answer.contributions[reason.source][i]))
            assert reason.because in {-1, *context.positives.tolist()}
            assert 0 <= reason.likeness <= 1
            if reason.source not in ("item_cf", "content"):
                assert (reason.because, reason.likeness) == (-1, 0)
    assert [array.tobytes() for array in arrays_in(TRAINED)] == before


def test_the_song_that_speaks_for_another_is_the_strongest_by_brute_force() -> None:
    speaks = as_dense(TRAINED.model.item_weights, N)[HISTORY.positives] * HISTORY.weights[:, None]

    found = because("item_cf", heard=HISTORY.positives)

    assert len(found) > 20
    for row, reason in found.items():
        k = HISTORY.positives.tolist().index(reason.because)
        assert speaks[k, row] == pytest.approx(speaks[:, row].max(), rel=1e-5)
        assert speaks[k, row] > 0


def test_the_song_most_alike_is_found_by_brute_force() -> None:
    text = as_dense(TRAINED.text.vectors, TRAINED.text.n_tokens)
    vectors = TRAINED.vectors.astype(float)

    def likeness(row: int, song: int) -> float:
        known = TRAINED.has_audio[row] and TRAINED.has_audio[song]
        return 1 / (1 + ((vectors[row] - vectors[song]) ** 2).sum() / float(AUDIO_SCALE)) if known else 0.0

    found = because("content", heard=HISTORY.positives)

    assert len(found) > 50
    for row, reason in found.items():
        alike = {int(s): 0.4 * likeness(row, s) + 0.6 * text[row] @ text[s] for s in HISTORY.positives}
        assert alike[reason.because] == pytest.approx(max(alike.values()), abs=1e-5)
        assert reason.likeness == pytest.approx(likeness(row, reason.because), abs=1e-5)


def test_a_song_without_audio_is_said_to_sound_like_nothing() -> None:
    silent = set(np.flatnonzero(~TRAINED.has_audio).tolist())
    found = {row: r for row, r in because("content").items() if row in silent}
    assert found
    assert all(reason.likeness == 0 for reason in found.values())


def test_a_song_of_the_history_is_no_reason_for_itself() -> None:
    everything = np.arange(N, dtype=np.int32)
    for context in (HISTORY, listener(7)):
        found = because("content", context, heard=everything) | because("item_cf", context, heard=everything)
        again = set(context.positives.tolist()) & set(found)
        assert again
        assert all(found[row].because != row for row in again)


def test_an_empty_answer_has_no_reasons() -> None:
    assert explained(HISTORY, bounds=(("energy", 2.0, 3.0),)) == ([], [])


def test_what_counts_for_almost_nothing_is_no_reason() -> None:
    _, reasons = explained(HISTORY, limit=N, max_per_artist=N)
    assert min(reason.weight for found in reasons for reason in found) > 0.01


def test_a_history_known_by_its_names_alone_is_a_reason_without_likeness() -> None:
    no_audio = np.full((3, 12), np.nan, np.float32)
    silent = untrained(3, audio=no_audio, artists=ragged([[1], [2], [2]], np.uint64))
    rows, reasons = explained(listener(0, 1), silent, strategy="content", heard=np.array([0, 1], np.int32))
    assert rows == [2]
    assert [(r.source, r.because, r.likeness) for r in reasons[0]] == [("content", 1, 0)]


def test_songs_that_no_name_is_known_of_are_explained_by_their_sound() -> None:
    names = ragged([[1], [1], [], []], np.uint64)
    bundle = untrained(4, artists=names, genres=ragged([[]] * 4, np.uint64), tags=ragged([[]] * 4, np.uint64))
    rows, reasons = explained(listener(0), bundle, strategy="content", heard=np.array([0, 1], np.int32))
    assert sorted(rows) == [2, 3]
    assert {found[0].because for found in reasons} == {0}
