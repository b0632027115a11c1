"""Recording what listeners do: what counts, what is refused, what happens at once; history and taste."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from src.models.interactions import Interaction, TasteProfile
from src.models.songs import Song
from tests.conftest import SongJson, of_genre

NOON = datetime(2026, 1, 10, 12, tzinfo=UTC)
UNKNOWN = "0" * 24


async def tell(client: httpx.AsyncClient, song: SongJson, kind: str, **more: Any) -> httpx.Response:
    return await client.post("/api/v1/interactions", json={"song_id": song["id"], "kind": kind} | more)


async def tell_all(client: httpx.AsyncClient, events: list[dict[str, Any]]) -> httpx.Response:
    return await client.post("/api/v1/interactions/batch", json={"interactions": events})


async def taste(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/api/v1/users/me/taste")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


async def history(client: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/users/me/history", params=params)
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def only_profile() -> TasteProfile:
    (profile,) = await TasteProfile.find_all().to_list()
    return profile


def like(song: SongJson, **more: Any) -> dict[str, Any]:
    return {"song_id": song["id"], "kind": "like"} | more


async def test_an_interaction_answers_201_with_what_was_stored(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    answer = await tell(ada, songs[0], "play", ms_played=120_000, event_id="e1", occurred_at=NOON.isoformat())
    assert answer.status_code == 201
    body = answer.json()
    assert {name: body[name] for name in ("event_id", "song_id", "kind", "ms_played", "replayed")} == {
        "event_id": "e1",
        "song_id": songs[0]["id"],
        "kind": "play",
        "ms_played": 120_000,
        "replayed": False,
    }
    assert datetime.fromisoformat(body["occurred_at"]) == NOON


async def test_without_a_time_it_happened_now(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    at = datetime.fromisoformat((await tell(ada, songs[0], "like")).json()["occurred_at"])
    assert before <= at <= datetime.now(UTC)


async def test_a_like_moves_the_taste_to_the_song(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    await tell(ada, songs[0], "like")
    known = await taste(ada)
    assert (known["n_interactions"], known["n_liked"], known["n_disliked"]) == (1, 1, 0)
    assert known["audio_mean"]["energy"] == pytest.approx(songs[0]["audio_features"]["energy"], abs=1e-3)
    assert known["updated_at"] is not None


async def test_the_taste_of_nobody_is_empty(ada: httpx.AsyncClient) -> None:
    known = await taste(ada)
    assert (known["n_interactions"], known["n_liked"], known["updated_at"]) == (0, 0, None)
    assert set(known["audio_mean"].values()) == {None}


async def test_a_full_play_counts_less_than_a_like_and_a_broken_off_one_not_at_all(
    ada: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    await tell(ada, songs[0], "like")
    await tell(ada, songs[1], "play", ms_played=songs[1]["duration_ms"])
    await tell(ada, songs[2], "play", ms_played=4_000)
    profile = await only_profile()
    weights = {str(signal.song_id): signal.weight for signal in profile.positives}
    assert weights[songs[0]["id"]] > weights[songs[1]["id"]] > 0
    assert songs[2]["id"] not in weights
    assert [str(song) for song in profile.heard] == [songs[1]["id"], songs[2]["id"]]


async def test_a_skip_speaks_against_a_song_and_a_dislike_bans_it(
    ada: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    await tell(ada, songs[0], "skip", ms_played=3_000)
    await tell(ada, songs[1], "dislike")
    profile = await only_profile()
    against = {str(signal.song_id): signal.weight for signal in profile.negatives}
    assert against[songs[1]["id"]] > against[songs[0]["id"]] > 0
    assert [str(song) for song in profile.banned] == [songs[1]["id"]]
    assert (await taste(ada))["n_disliked"] == 1


@pytest.mark.parametrize("kind", ["like", "dislike"])
async def test_an_unlike_clears_a_like_or_a_dislike(ada: httpx.AsyncClient, songs: list[SongJson], kind: str) -> None:
    await tell(ada, songs[0], kind)
    await tell(ada, songs[0], "unlike")
    profile = await only_profile()
    assert profile.liked == profile.banned == profile.positives == profile.negatives == []
    assert profile.audio_weight == {}
    assert profile.n_interactions == 2


async def test_a_dislike_takes_a_like_back_and_a_like_a_dislike(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    await tell(ada, songs[0], "like")
    await tell(ada, songs[0], "dislike")
    known = await taste(ada)
    assert (known["n_liked"], known["n_disliked"]) == (0, 1)
    await tell(ada, songs[0], "like")
    known = await taste(ada)
    assert (known["n_liked"], known["n_disliked"]) == (1, 0)


async def test_an_event_sent_again_changes_nothing_and_answers_with_what_is_stored(
    ada: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    first = (await tell(ada, songs[0], "like", event_id="e")).json()
    profile = await only_profile()
    again = await tell(ada, songs[1], "dislike", event_id="e")
    assert again.status_code == 201
    assert again.json() == first | {"replayed": True}
    assert (await only_profile()).model_dump(exclude={"n_writes"}) == profile.model_dump(exclude={"n_writes"})
    assert await Interaction.find_all().count() == 1


async def test_a_time_a_little_ahead_becomes_now_and_is_answered_the_same_later(
    ada: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    ahead = (datetime.now(UTC) + timedelta(minutes=4)).isoformat()
    first = (await tell(ada, songs[0], "like", event_id="e", occurred_at=ahead)).json()
    assert datetime.fromisoformat(first["occurred_at"]) <= datetime.now(UTC)
    again = (await tell(ada, songs[0], "like", event_id="e", occurred_at=ahead)).json()
    assert again == first | {"replayed": True}


async def test_two_listeners_may_use_the_same_event_id(
    ada: httpx.AsyncClient, bob: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    assert (await tell(ada, songs[0], "like", event_id="e")).json()["replayed"] is False
    assert (await tell(bob, songs[0], "like", event_id="e")).json()["replayed"] is False


async def test_one_event_sent_twenty_times_at_once_is_stored_once(
    ada: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    answers = await asyncio.gather(*(tell(ada, songs[0], "like", event_id="e") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert sorted(answer.json()["replayed"] for answer in answers) == [False] + [True] * 19
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await Interaction.find_all().count() == 1
    assert (await taste(ada))["n_interactions"] == 1


async def test_thirty_likes_of_one_listener_at_once_all_count(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    answers = await asyncio.gather(*(tell(ada, song, "like") for song in songs[:30]))
    assert {answer.status_code for answer in answers} == {201}
    profile = await only_profile()
    assert profile.n_interactions == len(profile.positives) == len(profile.liked) == 30
    assert {str(song) for song in profile.liked} == {song["id"] for song in songs[:30]}


async def test_several_listeners_at_once_do_not_disturb_each_other(
    ada: httpx.AsyncClient, bob: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    answers = await asyncio.gather(
        *(tell(ada, song, "like") for song in songs[:8]), *(tell(bob, song, "dislike") for song in songs[:5])
    )
    assert {answer.status_code for answer in answers} == {201}
    of_ada, of_bob = await taste(ada), await taste(bob)
    assert (of_ada["n_liked"], of_ada["n_disliked"]) == (8, 0)
    assert (of_bob["n_liked"], of_bob["n_disliked"]) == (0, 5)


async def test_a_batch_is_stored_with_its_replays_counted(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    await tell(ada, songs[0], "like", event_id="e0")
    events = [like(song, event_id=f"e{n}") for n, song in enumerate(songs[:4])]
    answer = await tell_all(ada, [*events, events[3], events[2] | {"kind": "dislike"}])
    assert answer.status_code == 201
    assert answer.json() == {"stored": 3, "replayed": 3}
    known = await taste(ada)
    assert (known["n_interactions"], known["n_liked"], known["n_disliked"]) == (4, 4, 0)


async def test_events_of_a_batch_without_ids_are_each_their_own(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    play = {"song_id": songs[0]["id"], "kind": "play"}
    assert (await tell_all(ada, [play, play])).json() == {"stored": 2, "replayed": 0}
    assert (await taste(ada))["n_interactions"] == 2


async def test_a_batch_with_a_fault_stores_nothing_and_names_every_fault(
    ada: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    future = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    events = [
        like(songs[0]),
        {"song_id": UNKNOWN, "kind": "like"},
        like(songs[1], occurred_at=future),
        like(songs[2], occurred_at="1970-01-20T00:00:00Z"),
    ]
    answer = await tell_all(ada, events)
    assert answer.status_code == 422
    assert [(fault["loc"], fault["type"]) for fault in answer.json()["errors"]] == [
        (["body", "interactions", 1, "song_id"], "unknown_song"),
        (["body", "interactions", 2, "occurred_at"], "time_in_future"),
        (["body", "interactions", 3, "occurred_at"], "time_too_early"),
    ]
    assert "(and 2 more)" in answer.json()["detail"]
    assert await Interaction.find_all().count() == 0
    assert await TasteProfile.find_all().count() == 0


@pytest.mark.parametrize("n", [0, 1001])
async def test_a_batch_has_bounds(ada: httpx.AsyncClient, songs: list[SongJson], n: int) -> None:
    answer = await tell_all(ada, [like(songs[0])] * n)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["body", "interactions"]


async def test_a_batch_of_the_full_size_is_stored(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    plays = [{"song_id": songs[n % 60]["id"], "kind": "play"} for n in range(1000)]
    assert (await tell_all(ada, plays)).json() == {"stored": 1000, "replayed": 0}
    assert (await taste(ada))["n_interactions"] == 1000


@pytest.mark.parametrize(
    ("more", "loc"),
    [
        ({"song_id": UNKNOWN}, ["body", "song_id"]),
        ({"song_id": "not-an-id"}, ["body", "song_id"]),
        ({"song_id": "A" * 24}, ["body", "song_id"]),
        ({"song_id": None}, ["body", "song_id"]),
        ({"kind": "love"}, ["body", "kind"]),
        ({"kind": "play", "ms_played": -1}, ["body", "ms_played"]),
        ({"kind": "play", "ms_played": 10**12}, ["body", "ms_played"]),
        ({"kind": "play", "ms_played": "long"}, ["body", "ms_played"]),
        ({"ms_played": 1_000}, ["body"]),
        ({"occurred_at": "yesterday"}, ["body", "occurred_at"]),
        ({"occurred_at": "2026-01-10T12:00:00"}, ["body", "occurred_at"]),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, ["body", "occurred_at"]),
        ({"occurred_at": "1971-01-01T00:00:00Z"}, ["body", "occurred_at"]),
        ({"event_id": ""}, ["body", "event_id"]),
        ({"event_id": "x" * 129}, ["body", "event_id"]),
        ({"event_id": "a\u0000b"}, ["body", "event_id"]),
        ({"user_id": UNKNOWN}, ["body", "user_id"]),
    ],
)
async def test_what_cannot_have_happened_is_refused_at_its_place(
    ada: httpx.AsyncClient, songs: list[SongJson], more: dict[str, Any], loc: list[str]
) -> None:
    answer = await ada.post("/api/v1/interactions", json=like(songs[0]) | more)
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["errors"]] == [loc]
    assert await Interaction.find_all().count() == 0


async def test_ms_played_with_a_like_says_what_it_goes_with(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    answer = await tell(ada, songs[0], "like", ms_played=1)
    assert "ms_played goes with play or skip" in answer.json()["detail"]


async def test_history_is_newest_first_with_the_songs(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    for minutes, song in ((2, songs[0]), (3, songs[1]), (1, songs[2])):
        await tell(ada, song, "like", occurred_at=(NOON + timedelta(minutes=minutes)).isoformat())
    assert [item["song"] for item in await history(ada)] == [songs[1], songs[0], songs[2]]


async def test_history_of_a_song_that_left_the_catalogue_remains(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    await tell(ada, songs[0], "like")
    await Song.find_one(Song.title == songs[0]["title"]).delete()
    (item,) = await history(ada)
    assert (item["song"], item["song_id"]) == (None, songs[0]["id"])


async def test_pages_of_history_have_neither_gap_nor_repeat_where_times_are_equal(
    ada: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    events = [
        like(song, event_id=f"e{n}", occurred_at=(NOON + timedelta(seconds=n // 7)).isoformat())
        for n, song in enumerate(songs[:25])
    ]
    assert (await tell_all(ada, events)).status_code == 201
    seen: list[dict[str, Any]] = []
    cursor = None
    for _ in range(9):
        answer = await ada.get("/api/v1/users/me/history", params={"limit": 3} | ({"cursor": cursor} if cursor else {}))
        seen += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
    assert cursor is None
    assert seen == await history(ada, limit=100)
    assert {item["song_id"] for item in seen} == {song["id"] for song in songs[:25]}
    times = [item["occurred_at"] for item in seen]
    assert times == sorted(times, reverse=True)


async def test_pages_are_steady_while_new_things_happen(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    for n in range(4):
        await tell(ada, songs[n], "like", occurred_at=(NOON + timedelta(minutes=n)).isoformat())
    first = (await ada.get("/api/v1/users/me/history", params={"limit": 2})).json()
    await tell(ada, songs[10], "like")
    second = await history(ada, limit=2, cursor=first["next_cursor"])
    ids = [item["song_id"] for item in [*first["items"], *second]]
    assert ids == [songs[n]["id"] for n in (3, 2, 1, 0)]


async def test_history_by_kind(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    for n, kind in enumerate(["like", "play", "skip", "like", "dislike"]):
        await tell(ada, songs[n], kind)
    assert [item["song_id"] for item in await history(ada, kind="like")] == [songs[3]["id"], songs[0]["id"]]
    assert await history(ada, kind="unlike") == []


@pytest.mark.parametrize(
    ("params", "loc"),
    [
        ({"limit": 0}, ["query", "limit"]),
        ({"limit": 101}, ["query", "limit"]),
        ({"kind": "love"}, ["query", "kind"]),
        ({"cursor": "x" * 257}, ["query", "cursor"]),
        ({"cursor": "%%%"}, ["query", "cursor"]),
        ({"cursor": "YWJj"}, ["query", "cursor"]),
        ({"cursor": "YR9i"}, ["query", "cursor"]),
        ({"cursor": "MTAwMDAwMDAwMDAwMDAwMDAwMDAwMB9h"}, ["query", "cursor"]),
    ],
)
async def test_a_page_that_cannot_be_is_refused_at_its_place(
    ada: httpx.AsyncClient, params: dict[str, Any], loc: list[str]
) -> None:
    answer = await ada.get("/api/v1/users/me/history", params=params)
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["errors"]] == [loc]


async def test_nobody_sees_what_another_did(
    ada: httpx.AsyncClient, bob: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    for song in of_genre(songs, "rock")[:5]:
        await tell(ada, song, "like")
    assert await history(bob) == []
    assert (await taste(bob))["n_interactions"] == 0
    page = (await ada.get("/api/v1/users/me/history", params={"limit": 2})).json()
    assert await history(bob, cursor=page["next_cursor"]) == []
    answer = (await bob.get("/api/v1/recommendations")).json()
    assert answer["is_fallback"] is True
    assert not any(reason["because_song_id"] for item in answer["items"] for reason in item["reasons"])


async def test_a_taste_that_lost_a_song_of_many_ages_can_still_be_read(
    ada: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    ambient, rock = of_genre(songs, "ambient")[0], of_genre(songs, "rock")[14]
    long_ago = (datetime.now(UTC) - timedelta(days=400)).isoformat()
    await tell(ada, ambient, "like")
    await tell(ada, rock, "play", occurred_at=long_ago)
    await tell(ada, rock, "like")
    await tell(ada, rock, "dislike")
    known = await taste(ada)
    assert known["audio_mean"]["energy"] == pytest.approx(ambient["audio_features"]["energy"], abs=1e-3)
