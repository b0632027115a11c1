"""The generated listeners: believable histories, with a pattern that only other listeners give away."""

from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from itertools import groupby, pairwise

import numpy as np
import pytest

from src.models.interactions import Kind
from src.models.songs import SongFacts
from src.services.demo.catalogue import generate_catalogue
from src.services.demo.listeners import DemoEvent, generate_listeners

NOW = datetime(2026, 3, 1, 0, 5, tzinfo=UTC)
N_LISTENERS = 400


@pytest.fixture(scope="module")
def songs() -> list[SongFacts]:
    return generate_catalogue()


@pytest.fixture(scope="module")
def events(songs: list[SongFacts]) -> list[DemoEvent]:
    return generate_listeners(songs, 11, NOW)


@pytest.fixture(scope="module")
def histories(events: list[DemoEvent]) -> list[list[DemoEvent]]:
    return [list(own) for _, own in groupby(events, key=lambda event: event.listener_index)]


def test_the_same_arguments_give_the_same_events(songs: list[SongFacts]) -> None:
    once = generate_listeners(songs, 3, NOW, 20)
    assert generate_listeners(songs, 3, NOW, 20) == once
    assert generate_listeners(songs, 4, NOW, 20) != once


def test_another_now_moves_the_times_and_nothing_else(songs: list[SongFacts]) -> None:
    def without_time(event: DemoEvent) -> tuple[object, ...]:
        return event.listener_index, event.song_index, event.kind, event.ms_played, event.completion

    later = NOW + timedelta(days=40, hours=13, minutes=7)
    first, second = (generate_listeners(songs, 3, now, 20) for now in (NOW, later))
    assert [without_time(event) for event in first] == [without_time(event) for event in second]
    (moved_by,) = {b.occurred_at - a.occurred_at for a, b in zip(first, second, strict=True)}
    assert moved_by % timedelta(days=1) == timedelta(0)  # mornings stay mornings
    assert abs(moved_by - (later - NOW)) < timedelta(days=1)


def test_a_time_without_zone_is_refused(songs: list[SongFacts]) -> None:
    with pytest.raises(ValueError, match="time zone"):
        generate_listeners(songs, 3, NOW.replace(tzinfo=None), 1)


@pytest.mark.parametrize("hour", [0, 2, 3, 12, 23])
def test_nothing_happens_in_the_future_or_long_ago(songs: list[SongFacts], hour: int) -> None:
    now = datetime(2026, 3, 1, hour, 1, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    times = [event.occurred_at for event in generate_listeners(songs, 3, now, 40)]
    assert max(times) < now
    assert min(times) >= now - timedelta(days=181)


def test_each_listener_has_an_ordered_history_of_5_to_300_events(histories: list[list[DemoEvent]]) -> None:
    assert [own[0].listener_index for own in histories] == list(range(N_LISTENERS))
    for own in histories:
        assert 5 <= len(own) <= 300
        times = [event.occurred_at for event in own]
        assert times == sorted(times)


def test_activity_is_heavy_tailed(histories: list[list[DemoEvent]]) -> None:
    sizes = np.sort([len(own) for own in histories])[::-1]
    assert sizes.mean() > 1.2 * np.median(sizes)
    assert sizes[: N_LISTENERS // 10].sum() > 0.25 * sizes.sum()


def test_skips_are_short_and_plays_are_long(events: list[DemoEvent], songs: list[SongFacts]) -> None:
    for event in events:
        if event.kind in (Kind.LIKE, Kind.DISLIKE):
            assert event.ms_played is event.completion is None
            continue
        assert event.kind in (Kind.PLAY, Kind.SKIP)
        duration_ms = songs[event.song_index].duration_ms
        assert event.ms_played == pytest.approx(event.completion * duration_ms, abs=0.001 * duration_ms)
        assert event.completion < 0.35 if event.kind is Kind.SKIP else 0.5 < event.completion <= 1


def test_there_are_plays_likes_skips_and_dislikes(events: list[DemoEvent]) -> None:
    kinds = Counter(event.kind for event in events)
    assert kinds[Kind.PLAY] > kinds[Kind.SKIP] > kinds[Kind.LIKE] > kinds[Kind.DISLIKE] > 100


def test_opinions_follow_hearing_the_song(histories: list[list[DemoEvent]]) -> None:
    for own in histories:
        for before, event in pairwise(own):
            if event.kind in (Kind.LIKE, Kind.DISLIKE):
                assert before.song_index == event.song_index
                assert before.kind in (Kind.PLAY, Kind.SKIP)


def test_a_disliked_song_is_not_heard_again_in_a_later_session(histories: list[list[DemoEvent]]) -> None:
    for own in histories:
        disliked_on: dict[int, datetime] = {}
        for event in own:
            if event.song_index in disliked_on:
                assert event.occurred_at - disliked_on[event.song_index] < timedelta(hours=7)
            if event.kind is Kind.DISLIKE:
                disliked_on[event.song_index] = event.occurred_at


def test_liked_songs_are_played_in_full_more_often(events: list[DemoEvent]) -> None:
    liked = {(event.listener_index, event.song_index) for event in events if event.kind is Kind.LIKE}
    full: dict[bool, list[bool]] = {True: [], False: []}
    for event in events:
        if event.completion is not None:
            full[(event.listener_index, event.song_index) in liked].append(event.completion == 1)
    assert np.mean(full[True]) > np.mean(full[False]) + 0.15


def test_songs_of_a_session_sound_alike(histories: list[list[DemoEvent]], songs: list[SongFacts]) -> None:
    """Neighbours in a session differ less in energy than songs the listener hears on different days."""
    energy = np.array([song.audio_features.energy for song in songs])
    within, across = [], []
    rng = np.random.default_rng(0)
    for own in histories:
        plays = [event for event in own if event.kind is Kind.PLAY]
        for one, other in pairwise(plays):
            if other.occurred_at - one.occurred_at < timedelta(minutes=20):
                within.append(abs(energy[one.song_index] - energy[other.song_index]))
        if plays:
            pairs = rng.integers(len(plays), size=(20, 2))
            across += [abs(energy[plays[a].song_index] - energy[plays[b].song_index]) for a, b in pairs if a != b]
    assert np.mean(within) < 0.85 * np.mean(across)


def test_some_songs_are_trending_now(events: list[DemoEvent]) -> None:
    """Recent plays have other leaders than all plays."""
    plays = [event for event in events if event.kind is Kind.PLAY]
    ever = Counter(event.song_index for event in plays)
    recent = Counter(event.song_index for event in plays if NOW - event.occurred_at < timedelta(days=14))
    leaders = {song for song, _ in ever.most_common(20)}
    assert len(leaders & {song for song, _ in recent.most_common(20)}) <= 14


def test_strategies_rank_as_they_should_on_held_out_plays(
    histories: list[list[DemoEvent]], songs: list[SongFacts]
) -> None:
    """Recall@20 on new songs in the last fifth of each history: random < popularity < content < item CF.

    The content scorer here knows genres, tags and artists of the songs played before; the CF scorer is
    plain item-item cosine. Neither is the product's: this measures the data.
    """
    played = np.zeros((N_LISTENERS, len(songs)))
    wanted: list[set[int]] = []
    for listener, own in enumerate(histories):
        cut = len(own) * 4 // 5
        for event in own[:cut]:
            if event.kind in (Kind.PLAY, Kind.LIKE):
                played[listener, event.song_index] = 1
        seen = {event.song_index for event in own[:cut]}
        wanted.append({event.song_index for event in own[cut:] if event.kind in (Kind.PLAY, Kind.LIKE)} - seen)

    labels: dict[str, int] = {}
    rows = [[labels.setdefault(word, len(labels)) for word in (*s.genres, *s.tags, *s.artists)] for s in songs]
    words = np.zeros((len(songs), len(labels)))
    for row, own_words in zip(words, rows, strict=True):
        row[own_words] = 1
    words *= np.log(len(songs) / words.sum(axis=0))
    words /= np.linalg.norm(words, axis=1, keepdims=True)

    together = played.T @ played
    n_listeners = np.diag(together).copy()
    np.fill_diagonal(together, 0)
    cosine = together / np.sqrt(np.outer(n_listeners, n_listeners) + 1e-9) * (together / (together + 5))

    def recall_at_20(scores: np.ndarray) -> float:
        scores = np.where(played > 0, -np.inf, scores)
        top = np.argsort(-scores, axis=1)[:, :20]
        found = [len(songs & set(row)) / len(songs) for songs, row in zip(wanted, top.tolist(), strict=True) if songs]
        return float(np.mean(found))

    chance = recall_at_20(np.random.default_rng(0).random(played.shape))
    popularity = recall_at_20(np.broadcast_to(n_listeners, played.shape))
    content = recall_at_20((played @ words) @ words.T)
    item_cf = recall_at_20(played @ cosine)
    assert chance < 0.02
    assert popularity > 2 * chance
    assert content > 1.3 * popularity
    assert item_cf > 1.3 * content
    assert item_cf < 0.4  # more would be no longer believable
