"""Training: what is read, what is measured, what the gate lets through, what is published."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import ObjectId

from src.config.settings import Settings
from src.models.interactions import Interaction, Kind
from src.services.artifacts.releases import list_releases, live_version, models_dir
from src.services.catalogue.reading import read_catalogue
from src.services.recommender.evaluation import Scores
from src.services.training import MIN_CASES, gate, read_events, train
from tests.conftest import SongJson, of_genre

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)

Told = tuple[int, SongJson, Kind, int]
"""Listener, song, kind, and how many days ago."""


async def tell(told: Iterable[Told], **more: Any) -> None:
    await Interaction.get_pymongo_collection().insert_many(
        [
            {
                "user_id": ObjectId(f"{listener:024x}"),
                "song_id": ObjectId(song["id"]),
                "kind": kind.value,
                "times": 1,
                "occurred_at": NOW - timedelta(days=days),
                "received_at": NOW,
                "event_id": str(ObjectId()),
                **more,
            }
            for listener, song, kind, days in told
        ]
    )


def of_one_taste(songs: list[SongJson], n_listeners: int = 24) -> list[Told]:
    """Each listener likes ten songs of one genre and none else."""
    told = []
    for listener in range(n_listeners):
        own = of_genre(songs, ("rock", "jazz", "ambient", "dance")[listener % 4])
        for k in range(10):
            told.append((listener, own[(listener // 4 + k) % len(own)], Kind.LIKE, 40 - k))
    return told


def of_a_chart(songs: list[SongJson], n_listeners: int = 24) -> list[Told]:
    """Everybody hears something of their own, and last one of two hits that sound like nothing of it."""
    hits, rest = of_genre(songs, "ambient")[:2], [song for song in songs if "ambient" not in song["genres"]]
    told = []
    for listener in range(n_listeners):
        for k in range(4):
            told.append((listener, rest[(2 * listener + 11 * k) % len(rest)], Kind.LIKE, 40 - k))
        told.append((listener, hits[listener % 2], Kind.PLAY, 5))
    # These only train: they are why the hits are hits.
    told += [(1_000 + n, hit, Kind.PLAY, 1) for n in range(40) for hit in hits]
    return told


async def test_without_listeners_a_model_is_published_unmeasured(settings: Settings, songs: list[SongJson]) -> None:
    report = await train(settings, NOW)
    assert report.version is not None
    assert (report.n_songs, report.n_listeners, report.n_interactions, report.metrics) == (60, 0, 0, {})
    assert "Not evaluated" in report.verdict
    assert await live_version() == report.version


async def test_an_empty_catalogue_can_be_trained_on(settings: Settings, database: object) -> None:
    report = await train(settings, NOW)
    assert report.n_songs == 0
    assert await live_version() == report.version


async def test_a_model_that_helps_is_measured_and_published(settings: Settings, songs: list[SongJson]) -> None:
    await tell(of_one_taste(songs))
    told: list[tuple[str, float]] = []
    report = await train(settings, NOW, on_progress=lambda step, share: told.append((step, share)))
    assert report.version is not None
    assert (report.n_listeners, report.n_interactions, report.n_cases) == (24, 240, 24)
    assert report.metrics["hybrid"].ndcg > report.metrics["popularity"].ndcg
    assert report.metrics["hybrid"].ndcg > report.metrics["random"].ndcg
    (release,) = await list_releases()
    assert release.live
    assert release.metrics["hybrid"] == report.metrics["hybrid"].rounded()
    shares = [share for _, share in told]
    assert shares == sorted(shares)
    assert told[-1] == ("done", 1.0)


async def test_the_gate_keeps_a_worse_model_back_and_force_publishes_it(
    settings: Settings, songs: list[SongJson]
) -> None:
    first = await train(settings, NOW)
    await tell(of_a_chart(songs))
    kept_back = await train(settings, NOW)
    assert kept_back.metrics["hybrid"].ndcg < kept_back.metrics["popularity"].ndcg
    assert kept_back.version is None
    assert kept_back.verdict.startswith("Kept back")
    assert await live_version() == first.version
    assert [path.name for path in models_dir(settings).iterdir()] == [first.version]
    forced = await train(settings, NOW, force=True)
    assert forced.version is not None
    assert await live_version() == forced.version


async def test_the_same_data_is_measured_the_same(settings: Settings, songs: list[SongJson]) -> None:
    await tell(of_one_taste(songs))
    first, second = await train(settings, NOW), await train(settings, NOW)
    assert first.metrics == second.metrics
    assert first.version != second.version


def scores(ndcg: float) -> Scores:
    return Scores(0.1, ndcg, ndcg, ndcg, 0.1, 0.1, 0.1, 0.1, 0.1)


@pytest.mark.parametrize(
    ("hybrid", "popularity", "passes"), [(0.2, 0.1, True), (0.1, 0.1, True), (0.1, 0.2, False), (0.0, 0.0, True)]
)
def test_the_gate_asks_whether_popularity_is_beaten(hybrid: float, popularity: float, passes: bool) -> None:
    passed, verdict = gate({"hybrid": scores(hybrid), "popularity": scores(popularity)}, MIN_CASES)
    assert passed is passes
    assert f"{hybrid:.4f}" in verdict
    assert verdict.startswith("Kept back") is not passes


async def test_events_are_read_as_opinions(songs: list[SongJson]) -> None:
    liked, played, banned, taken_back, skipped, gone = songs[:6]
    await tell(
        [
            (1, liked, Kind.LIKE, 3),
            (1, played, Kind.PLAY, 2),
            (1, banned, Kind.LIKE, 5),
            (1, banned, Kind.DISLIKE, 4),
            (1, taken_back, Kind.LIKE, 5),
            (1, taken_back, Kind.UNLIKE, 4),
            (1, skipped, Kind.SKIP, 1),
            (1, gone | {"id": "f" * 24}, Kind.LIKE, 1),
        ]
    )
    catalogue, _ = await read_catalogue()
    events, _, n_interactions = await read_events(catalogue, NOW)
    ids = [catalogue.columns.ids[row].ljust(12, b"\0").hex() for row in events.rows]
    assert ids == [liked["id"], played["id"]]
    assert events.weights[0] > events.weights[1] > 0
    assert events.age_days.tolist() == [3, 2]
    assert n_interactions == 8


async def test_the_latest_opinion_holds_whatever_came_before(songs: list[SongJson]) -> None:
    forgiven, twice_liked, played_then_banned = songs[:3]
    await tell(
        [
            (1, forgiven, Kind.LIKE, 2),
            (1, forgiven, Kind.DISLIKE, 5),
            (1, twice_liked, Kind.LIKE, 6),
            (1, twice_liked, Kind.LIKE, 5),
            (1, twice_liked, Kind.UNLIKE, 4),
            *((1, played_then_banned, Kind.PLAY, 20 + day) for day in range(60)),
            (1, played_then_banned, Kind.DISLIKE, 1),
        ]
    )
    catalogue, _ = await read_catalogue()
    events, _, _ = await read_events(catalogue, NOW)
    assert [catalogue.columns.ids[row].ljust(12, b"\0").hex() for row in events.rows] == [forgiven["id"]]
    assert events.weights.tolist() == [1.0]


async def test_the_hash_changes_with_what_is_read(songs: list[SongJson]) -> None:
    catalogue, _ = await read_catalogue()
    hashes = set()
    for day in range(3):
        hashes.add((await read_events(catalogue, NOW))[1])
        await tell([(1, songs[0], Kind.LIKE, day)])
    hashes.add((await read_events(catalogue, NOW))[1])
    assert len(hashes) == 4
    assert (await read_events(catalogue, NOW))[1] in hashes
