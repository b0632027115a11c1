"""The taste profile as arithmetic: what each kind does, what forgets, what is bounded."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from beanie import PydanticObjectId
from hypothesis import given
from hypothesis import strategies as st

from src.models.interactions import Interaction, Kind, TasteProfile
from src.services.taste import (
    HALF_LIFE_DAYS,
    LIKE_WEIGHT,
    MAX_HEARD,
    MAX_LIKED,
    MAX_NEGATIVES,
    MAX_POSITIVES,
    MAX_WEIGHT,
    PLAY_WEIGHT,
    apply,
    audio_mean,
    build_profile,
    completion_of,
    play_weight,
    to_document,
)

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
USER = PydanticObjectId("0" * 24)


def song(number: int) -> PydanticObjectId:
    return PydanticObjectId(f"{number:024x}")


def event(
    number: int, kind: Kind, at: datetime = NOON, ms_played: int | None = None, completion: float | None = None
) -> Interaction:
    # model_construct: without a database a document cannot be validated into being.
    return Interaction.model_construct(
        id=PydanticObjectId(),
        user_id=USER,
        song_id=song(number),
        kind=kind,
        ms_played=ms_played,
        completion=completion,
        times=1,
        occurred_at=at,
        received_at=at,
        event_id="e",
    )


AUDIO = {song(n): {"energy": n / 10, "tempo_bpm": 100.0 + n} for n in range(10)}


@pytest.fixture(autouse=True)
def _documents(database: object) -> None:
    """Beanie's documents are usable."""


def profile_of(events: Sequence[Interaction]) -> TasteProfile:
    return build_profile(USER, events, AUDIO)


def weights(profile: TasteProfile) -> dict[PydanticObjectId, float]:
    return {signal.song_id: signal.weight for signal in profile.positives}


def mean_energy(profile: TasteProfile) -> float | None:
    return audio_mean(to_document(profile)).get("energy")


def test_completion_is_a_share_and_unknown_without_both_numbers() -> None:
    assert completion_of(90_000, 180_000) == 0.5
    assert completion_of(999_999, 180_000) == 1.0
    assert completion_of(None, 180_000) is None
    assert completion_of(90_000, None) is None
    assert completion_of(90_000, 0) is None


@pytest.mark.parametrize(
    ("ms_played", "completion", "share"),
    [
        (None, None, 1.0),
        (180_000, 1.0, 1.0),
        (90_000, 0.5, 0.5),
        (31_000, 0.2, 0.2),
        (29_000, 0.2, 0.0),
        (20_000, 0.8, 0.8),
        (29_999, None, 0.0),
        (30_000, None, 1.0),
    ],
)
def test_a_play_counts_by_its_share_from_thirty_seconds_or_half(
    ms_played: int | None, completion: float | None, share: float
) -> None:
    assert play_weight(ms_played, completion) == pytest.approx(PLAY_WEIGHT * share)


def test_many_plays_count_more_slowly() -> None:
    assert play_weight(None, None, times=9) == pytest.approx(3 * PLAY_WEIGHT)


def test_a_second_like_of_a_song_adds_nothing() -> None:
    profile = profile_of([event(1, Kind.LIKE), event(1, Kind.LIKE)])
    assert weights(profile) == {song(1): LIKE_WEIGHT}
    assert profile.liked == [song(1)]
    assert profile.n_interactions == 2


def test_plays_add_up_to_a_bound() -> None:
    profile = profile_of([event(1, Kind.PLAY) for _ in range(50)])
    assert weights(profile) == {song(1): MAX_WEIGHT}


def test_an_unlike_of_what_was_never_liked_changes_nothing_but_the_count() -> None:
    before, after = profile_of([event(1, Kind.PLAY)]), profile_of([event(1, Kind.PLAY), event(1, Kind.UNLIKE)])
    counted = {"n_interactions"}
    assert before.model_dump(exclude=counted) == after.model_dump(exclude=counted)


def test_an_unlike_leaves_what_the_plays_said() -> None:
    profile = profile_of([event(1, Kind.PLAY), event(1, Kind.LIKE), event(1, Kind.UNLIKE)])
    assert weights(profile) == {song(1): pytest.approx(PLAY_WEIGHT)}
    assert mean_energy(profile) == pytest.approx(0.1)


def test_plays_of_a_banned_song_do_not_count() -> None:
    profile = profile_of([event(1, Kind.DISLIKE), event(1, Kind.PLAY)])
    assert profile.positives == []
    assert profile.banned == profile.heard == [song(1)]


def test_a_skip_of_a_liked_song_does_not_speak_against_it() -> None:
    assert profile_of([event(1, Kind.LIKE), event(1, Kind.SKIP)]).negatives == []


def test_the_mean_sound_leans_to_the_newer() -> None:
    long_ago = NOON - timedelta(days=HALF_LIFE_DAYS)
    profile = profile_of([event(0, Kind.LIKE, long_ago), event(9, Kind.LIKE)])
    assert mean_energy(profile) == pytest.approx((0.5 * 0.0 + 1.0 * 0.9) / 1.5)


def test_a_dislike_takes_a_song_out_of_the_mean_as_if_it_had_not_been() -> None:
    days = [NOON + timedelta(days=n) for n in range(3)]
    with_it = profile_of([event(1, Kind.LIKE, days[0]), event(9, Kind.LIKE, days[1]), event(9, Kind.DISLIKE, days[2])])
    assert mean_energy(with_it) == pytest.approx(0.1)


def test_a_song_without_audio_counts_but_has_no_sound() -> None:
    profile = profile_of([event(50, Kind.LIKE)])
    assert weights(profile) == {song(50): LIKE_WEIGHT}
    assert audio_mean(to_document(profile)) == {}


def test_every_list_is_bounded_and_keeps_the_newest() -> None:
    n = MAX_LIKED + 5
    liked = profile_of([event(k, Kind.LIKE) for k in range(n)])
    assert len(liked.positives) == MAX_POSITIVES
    assert len(liked.liked) == MAX_LIKED
    assert liked.liked[-1] == liked.positives[-1].song_id == song(n - 1)
    skipped = profile_of([event(k, Kind.SKIP) for k in range(MAX_HEARD + 5)])
    assert (len(skipped.negatives), len(skipped.heard)) == (MAX_NEGATIVES, MAX_HEARD)


kinds = st.sampled_from(list(Kind))
stories = st.lists(st.tuples(st.integers(0, 5), kinds, st.integers(0, 400)), max_size=40)


def told(story: list[tuple[int, Kind, int]]) -> list[Interaction]:
    by_time = sorted(story, key=lambda each: each[2])
    return [event(number, kind, NOON + timedelta(days=day)) for number, kind, day in by_time]


@given(stories)
def test_whatever_happens_the_profile_is_coherent(story: list[tuple[int, Kind, int]]) -> None:
    profile = profile_of(told(story))
    positives, negatives = weights(profile), {signal.song_id for signal in profile.negatives}
    assert profile.n_interactions == len(story)
    assert not set(profile.liked) & set(profile.banned)
    assert set(profile.liked) <= set(positives)
    assert not set(profile.banned) & set(positives)
    assert set(profile.banned) <= negatives
    assert all(0 < weight <= MAX_WEIGHT for weight in positives.values())
    for listed in (profile.heard, profile.liked, profile.banned, list(positives), list(negatives)):
        assert len(listed) == len(set(listed))
    assert [signal.at for signal in profile.positives] == sorted(signal.at for signal in profile.positives)


@given(stories)
def test_the_mean_sound_is_that_of_the_signals_each_by_its_age(story: list[tuple[int, Kind, int]]) -> None:
    profile = profile_of(told(story))
    if not profile.positives:
        assert mean_energy(profile) is None
        return
    now = max(signal.at for signal in profile.positives)
    shares = [
        (signal.weight * 2 ** (-(now - signal.at).days / HALF_LIFE_DAYS), AUDIO[signal.song_id]["energy"])
        for signal in profile.positives
    ]
    expected = sum(share * energy for share, energy in shares) / sum(share for share, _ in shares)
    assert mean_energy(profile) == pytest.approx(expected, abs=1e-4)


def test_a_song_whose_sound_was_corrected_meanwhile_leaves_the_mean_within_its_range() -> None:
    profile = build_profile(
        USER, [event(1, Kind.LIKE), event(2, Kind.LIKE)], {song(1): {"energy": 1}, song(2): {"energy": 1}}
    )
    apply(profile, event(2, Kind.DISLIKE), {"energy": 0.0})
    assert mean_energy(profile) == 1.0
