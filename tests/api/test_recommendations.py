"""What to hear next, and why."""

import itertools
from typing import Any

import httpx
import pytest
from pymongo.asynchronous.database import AsyncDatabase

from src.config.settings import Settings
from src.models.audio import AUDIO_FEATURES
from src.models.recommendations import Strategy
from src.services.recommender.moods import MOOD_NAMES
from src.services.tokens import TokenIssuer, now_utc
from tests.conftest import SOUNDS, SongJson, add_user, app_of, client_of, of_genre, running_app

UNKNOWN = "0" * 24


async def ask(client: httpx.AsyncClient, **params: Any) -> dict[str, Any]:
    answer = await client.get("/api/v1/recommendations", params=params)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def session(client: httpx.AsyncClient, **body: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/recommendations/session", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(answer: dict[str, Any]) -> list[str]:
    return [item["song"]["id"] for item in answer["items"]]


def genres(answer: dict[str, Any]) -> list[str]:
    return [item["song"]["genres"][0] for item in answer["items"]]


async def tell(client: httpx.AsyncClient, kind: str, songs: list[SongJson]) -> None:
    events = [{"song_id": song["id"], "kind": kind} for song in songs]
    assert (await client.post("/api/v1/interactions/batch", json={"interactions": events})).status_code == 201


async def test_the_shape_of_an_answer(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    await tell(ada, "like", songs[:3])
    answer = await ask(ada, limit=7)
    assert answer.keys() == {"items", "strategy", "is_fallback", "fallback_reason", "model_version"}
    assert (answer["strategy"], answer["is_fallback"], answer["fallback_reason"]) == ("hybrid", False, None)
    assert answer["model_version"] == "untrained"
    assert len(answer["items"]) == 7
    by_id = {song["id"]: song for song in songs}
    for item in answer["items"]:
        assert item.keys() == {"song", "score", "sources", "reasons"}
        assert item["song"] == by_id[item["song"]["id"]]
        assert 0 <= item["score"] <= 1
        assert sum(item["sources"].values()) == pytest.approx(item["score"], abs=1e-3)
        assert item["reasons"]
        for reason in item["reasons"]:
            assert reason.keys() == {"source", "text", "weight", "because_song_id"}
            assert reason["text"]
    assert len(set(ids(answer))) == 7


async def test_without_history_it_is_what_is_popular_and_says_so(ada: httpx.AsyncClient) -> None:
    answer = await ask(ada, limit=5)
    assert answer["is_fallback"] is True
    assert "Nothing is known of your taste yet" in answer["fallback_reason"]
    assert all(item["sources"]["popularity"] > 0.5 for item in answer["items"])
    assert all(item["reasons"][0]["source"] == "popularity" for item in answer["items"])
    assert min(item["song"]["popularity"] for item in answer["items"]) >= 55


async def test_five_likes_make_it_personal_with_reasons_that_name_them(
    ada: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    liked = of_genre(songs, "ambient")[:5]
    await tell(ada, "like", liked)
    answer = await ask(ada, limit=5)
    assert answer["is_fallback"] is False
    assert genres(answer) == ["ambient"] * 5
    titles = {song["id"]: song["title"] for song in liked}
    for item in answer["items"]:
        (content,) = [reason for reason in item["reasons"] if reason["source"] == "content"]
        assert titles[content["because_song_id"]] in content["text"]


async def test_one_more_like_changes_the_next_answer(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    await tell(ada, "like", of_genre(songs, "ambient")[:5])
    before = await ask(ada, limit=20)
    await tell(ada, "like", [of_genre(songs, "dance")[7]])
    after = await ask(ada, limit=20)
    assert ids(after) != ids(before)
    assert genres(after).index("dance") < genres(before).index("dance")
    assert of_genre(songs, "dance")[7]["id"] not in ids(after)


async def test_one_skip_changes_the_next_answer(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    await tell(ada, "like", songs[:2])
    before = await ask(ada, limit=10)
    skipped = before["items"][0]["song"]
    await tell(ada, "skip", [skipped])
    after = await ask(ada, limit=10)
    assert skipped["id"] not in ids(after)
    assert ids(after) != ids(before)[1:]


async def test_what_was_liked_heard_or_banned_does_not_come_back(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    rock = of_genre(songs, "rock")
    await tell(ada, "like", rock[:3])
    await tell(ada, "play", rock[3:6])
    await tell(ada, "skip", rock[6:8])
    await tell(ada, "dislike", rock[8:10])
    answer = await ask(ada, limit=100)
    assert set(ids(answer)) == {song["id"] for song in songs} - {song["id"] for song in rock[:10]}


async def test_when_all_was_heard_it_comes_again_but_what_is_banned_never(
    ada: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    await tell(ada, "play", songs)
    await tell(ada, "dislike", songs[:2])
    answer = await ask(ada, limit=100)
    assert answer["is_fallback"] is True
    assert "heard every song" in answer["fallback_reason"]
    assert set(ids(answer)) == {song["id"] for song in songs[2:]}


@pytest.mark.parametrize("strategy", [s.value for s in Strategy if s is not Strategy.MOOD])
async def test_every_strategy_answers_with_its_name(
    ada: httpx.AsyncClient, songs: list[SongJson], strategy: str
) -> None:
    await tell(ada, "like", songs[:5])
    answer = await ask(ada, strategy=strategy, limit=5)
    assert answer["strategy"] == strategy
    assert len(answer["items"]) == 5
    if strategy in ("content", "popularity"):
        assert answer["is_fallback"] is False
        assert {source for item in answer["items"] for source in item["sources"]} == {strategy}


async def test_collaborative_filtering_without_a_model_says_that_it_falls_back(
    ada: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    await tell(ada, "like", songs[:5])
    answer = await ask(ada, strategy="item_cf")
    assert answer["is_fallback"] is True
    assert "No model has been trained" in answer["fallback_reason"]
    assert answer["items"]


async def test_popularity_as_a_strategy_is_in_its_order(ada: httpx.AsyncClient) -> None:
    answer = await ask(ada, strategy="popularity", diversity=0, limit=4)
    assert [item["song"]["popularity"] for item in answer["items"]] == sorted(
        (item["song"]["popularity"] for item in answer["items"]), reverse=True
    )


@pytest.mark.parametrize("mood", MOOD_NAMES)
async def test_every_mood_answers(ada: httpx.AsyncClient, mood: str) -> None:
    answer = await ask(ada, strategy="mood", mood=mood, limit=3)
    assert answer["strategy"] == "mood"
    assert len(answer["items"]) == 3


async def test_a_mood_brings_songs_that_fit_it_and_says_why(ada: httpx.AsyncClient) -> None:
    party = await ask(ada, mood="party", limit=4)
    assert set(genres(party)) == {"dance"}
    assert any(r["source"] == "mood" and "Fits party" in r["text"] for i in party["items"] for r in i["reasons"])
    assert set(genres(await ask(ada, strategy="mood", mood="sleep", limit=4))) == {"ambient"}


async def test_the_moods_are_listed_with_their_rules(client: httpx.AsyncClient) -> None:
    items = (await client.get("/api/v1/moods")).json()["items"]
    assert [item["name"] for item in items] == list(MOOD_NAMES)
    for item in items:
        assert item["description"]
        assert item["rule"]
        fits = [fit for term in item["rule"] for fit in term.get("mean_of", [term])]
        assert {fit["feature"] for fit in fits} <= set(AUDIO_FEATURES)
    assert {item["name"]: item["n_songs"] for item in items}["party"] >= 10


async def test_seeds_lead_even_against_the_history(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    await tell(ada, "like", of_genre(songs, "ambient")[:5])
    seed = of_genre(songs, "rock")[3]
    answer = await ask(ada, seed_song_ids=seed["id"], limit=4)
    assert answer["is_fallback"] is False
    assert genres(answer).count("rock") >= 2
    assert seed["id"] not in ids(answer)


async def test_seeds_are_enough_without_a_history(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    seeds = [song["id"] for song in of_genre(songs, "jazz")[:2]]
    answer = await ask(ada, seed_song_ids=seeds, limit=4)
    assert answer["is_fallback"] is False
    assert set(genres(answer)) == {"jazz"}
    assert not set(seeds) & set(ids(answer))


async def test_only_the_genres_asked_for(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    answer = await ask(ada, genres=["Rock", "jazz"], limit=100)
    assert set(ids(answer)) == {song["id"] for song in songs if song["genres"][0] in ("rock", "jazz")}


async def test_excluded_songs_stay_out(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    excluded = [song["id"] for song in songs[:10]]
    answer = await ask(ada, exclude_song_ids=[*excluded, UNKNOWN], limit=100)
    assert set(ids(answer)) == {song["id"] for song in songs[10:]}


@pytest.mark.parametrize(
    ("name", "feature", "low", "high"),
    [("energy", "energy", 0.3, 0.8), ("tempo", "tempo_bpm", 100, 130), ("loudness", "loudness_db", -16, -7)],
)
async def test_bounds_hold_for_every_song(
    ada: httpx.AsyncClient, songs: list[SongJson], name: str, feature: str, low: float, high: float
) -> None:
    answer = await ask(ada, **{f"min_{name}": low, f"max_{feature}": high, "limit": 100})
    expected = {song["id"] for song in songs if low <= song["audio_features"][feature] <= high}
    assert set(ids(answer)) == expected
    assert 0 < len(expected) < len(songs)


@pytest.mark.parametrize(
    ("target", "genre"), [({"target_tempo": 70}, "ambient"), ({"target_energy": 1, "target_tempo_bpm": 142}, "rock")]
)
async def test_a_target_draws_the_answer_to_it(ada: httpx.AsyncClient, target: dict[str, float], genre: str) -> None:
    def share(answer: dict[str, Any]) -> int:
        return genres(answer).count(genre)

    assert share(await ask(ada, limit=15, **target)) > share(await ask(ada, limit=15))
    reasons = [r for item in (await ask(ada, limit=3, **target))["items"] for r in item["reasons"]]
    assert any("Near what you asked for" in reason["text"] for reason in reasons)


@pytest.mark.parametrize("explicit", [True, False])
async def test_explicit_songs_alone_or_none(ada: httpx.AsyncClient, songs: list[SongJson], explicit: bool) -> None:
    answer = await ask(ada, explicit=explicit, limit=100)
    assert set(ids(answer)) == {song["id"] for song in songs if song["explicit"] is explicit}


async def test_conditions_nothing_meets_give_an_empty_list(ada: httpx.AsyncClient) -> None:
    assert (await ask(ada, genres="rock", max_energy=0.01))["items"] == []


def spread(answer: dict[str, Any]) -> float:
    """Mean distance in energy, valence and danceability."""
    sounds = [item["song"]["audio_features"] for item in answer["items"]]
    pairs = list(itertools.combinations(sounds, 2))
    features = ("energy", "valence", "danceability")
    return sum(abs(a[f] - b[f]) for a, b in pairs for f in features) / len(pairs)


async def test_more_diversity_is_more_diverse(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    await tell(ada, "like", of_genre(songs, "rock")[:3])
    by_score = await ask(ada, diversity=0, limit=8)
    spread_out = await ask(ada, diversity=1, limit=8)
    assert spread(spread_out) > spread(by_score)
    assert len(set(genres(spread_out))) > len(set(genres(by_score)))
    assert len(ids(spread_out)) == len(set(ids(spread_out))) == 8


@pytest.mark.parametrize(("limit", "expected"), [(1, 1), (59, 59), (100, 60)])
async def test_as_many_as_asked_for_while_there_are(ada: httpx.AsyncClient, limit: int, expected: int) -> None:
    answer = await ask(ada, limit=limit)
    assert len(set(ids(answer))) == len(ids(answer)) == expected


async def test_the_same_question_has_the_same_answer(ada: httpx.AsyncClient, songs: list[SongJson]) -> None:
    await tell(ada, "like", songs[:3])
    assert ids(await ask(ada, diversity=0.7)) == ids(await ask(ada, diversity=0.7))


@pytest.mark.parametrize(
    ("params", "loc", "said"),
    [
        ({"limit": 0}, "limit", "greater than or equal to 1"),
        ({"limit": 101}, "limit", "less than or equal to 100"),
        ({"strategy": "magic"}, "strategy", "hybrid"),
        ({"strategy": "mood"}, "mood", "strategy mood needs a mood, one of: happy"),
        ({"mood": "grumpy"}, "mood", "there is no mood 'grumpy'; there are: happy"),
        ({"mood": ""}, "mood", "there is no mood ''"),
        ({"genres": ["rock", "polka"]}, "genres", "no song has the genre 'polka'"),
        ({"min_loveliness": 1}, "min_loveliness", "not permitted"),
        ({"energy": 1}, "energy", "not permitted"),
        ({"min_energy": 0.8, "max_energy": 0.2}, "min_energy", "0.8 is above max_energy, 0.2"),
        ({"min_tempo": 200, "max_tempo_bpm": 100}, "min_tempo_bpm", "200 is above max_tempo_bpm, 100"),
        ({"min_energy": 2}, "min_energy", "2 is outside 0 to 1"),
        ({"max_tempo": 1}, "max_tempo_bpm", "1 is outside 20 to 300"),
        ({"target_tempo": 0}, "target_tempo_bpm", "0 is outside 20 to 300"),
        ({"target_tempo": -100}, "target_tempo_bpm", "-100 is outside 20 to 300"),
        ({"target_energy": 1e300}, "target_energy", "outside 0 to 1"),
        ({"target_energy": "nan"}, "target_energy", "finite"),
        ({"diversity": 1.1}, "diversity", "less than or equal to 1"),
        ({"diversity": "nan"}, "diversity", ""),
        ({"explicit": "perhaps"}, "explicit", "boolean"),
        ({"seed_song_ids": "x"}, "seed_song_ids", "pattern"),
        ({"seed_song_ids": UNKNOWN}, "seed_song_ids", f"there is no song {UNKNOWN}"),
    ],
)
async def test_what_cannot_be_asked_is_refused_with_its_place_and_the_way_out(
    ada: httpx.AsyncClient, params: dict[str, Any], loc: str, said: str
) -> None:
    answer = await ada.get("/api/v1/recommendations", params=params)
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert loc in fault["loc"]
    assert said in fault["msg"]
    assert fault["msg"] in answer.json()["detail"]


@pytest.mark.parametrize("params", [{"max_energy": 1e300}, {"min_energy": -1e300}, {"max_tempo": 1e39}])
async def test_a_bound_beyond_every_value_changes_nothing(ada: httpx.AsyncClient, params: dict[str, Any]) -> None:
    assert ids(await ask(ada, limit=100, **params)) == ids(await ask(ada, limit=100))


async def test_a_session_needs_no_account_and_stores_nothing(
    client: httpx.AsyncClient, songs: list[SongJson], database: AsyncDatabase[dict[str, Any]]
) -> None:
    names = [name for name in await database.list_collection_names() if name != "jobs"]
    before = {name: await database[name].count_documents({}) for name in names}
    ambient = of_genre(songs, "ambient")
    liked, skipped = [s["id"] for s in ambient[:4]], [s["id"] for s in ambient[4:6]]
    answer = await session(client, liked_song_ids=liked, skipped_song_ids=skipped, limit=5)
    assert answer["is_fallback"] is False
    assert genres(answer) == ["ambient"] * 5
    assert not {*liked, *skipped} & set(ids(answer))
    assert {name: await database[name].count_documents({}) for name in names} == before


async def test_a_session_of_nothing_is_the_fallback(client: httpx.AsyncClient) -> None:
    answer = await session(client)
    assert answer["is_fallback"] is True
    assert len(answer["items"]) == 20


async def test_a_session_and_a_listener_with_the_same_likes_hear_the_same_first(
    ada: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    liked = of_genre(songs, "jazz")[:5]
    await tell(ada, "like", liked)
    listener = await ask(ada, strategy="content", diversity=0, limit=5)
    anonymous = await session(
        ada, liked_song_ids=[song["id"] for song in liked], strategy="content", diversity=0, limit=5
    )
    assert ids(listener) == ids(anonymous)


async def test_a_session_takes_the_same_wishes(client: httpx.AsyncClient, songs: list[SongJson]) -> None:
    answer = await session(
        client,
        minimum={"tempo": 100},
        maximum={"energy": 0.6},
        target={"valence": 0.6},
        genres=["jazz"],
        explicit=False,
        exclude_song_ids=[of_genre(songs, "jazz")[1]["id"]],
        limit=100,
    )
    expected = [song for n, song in enumerate(of_genre(songs, "jazz")) if not song["explicit"] and n != 1]
    assert set(ids(answer)) == {song["id"] for song in expected}


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"liked_song_ids": [UNKNOWN]}, ["liked_song_ids", 0]),
        ({"liked_song_ids": ["x"]}, ["liked_song_ids", 0]),
        ({"minimum": {"loveliness": 1}}, ["minimum", "loveliness"]),
        ({"target": {"loveliness": 1}}, ["target", "loveliness"]),
        ({"mood": "grumpy"}, ["mood"]),
        ({"colour": 1}, ["colour"]),
    ],
)
async def test_a_session_that_cannot_be_is_refused_at_its_place(
    client: httpx.AsyncClient, body: dict[str, Any], loc: list[Any]
) -> None:
    answer = await client.post("/api/v1/recommendations/session", json=body)
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert fault["loc"][-len(loc) :] == loc


async def test_an_empty_catalogue_gives_an_empty_list_and_no_error(
    settings: Settings, database: AsyncDatabase[dict[str, Any]]
) -> None:
    async with running_app(settings) as nobody:
        token = TokenIssuer.of(settings).access_token(await add_user("ada"), now_utc())
        async with client_of(app_of(nobody), token) as ada:
            for strategy in ("hybrid", "content", "item_cf", "popularity"):
                answer = await ask(ada, strategy=strategy)
                assert answer["items"] == []
            assert (await ask(ada))["is_fallback"] is True
            assert (await ask(ada, strategy="mood", mood="happy", target_tempo=100))["items"] == []
        assert (await session(nobody))["items"] == []
        for path in ("songs", "genres"):
            assert (await nobody.get(f"/api/v1/{path}")).json() == {"items": [], "next_cursor": None}
        assert {mood["n_songs"] for mood in (await nobody.get("/api/v1/moods")).json()["items"]} == {0}
        assert (await nobody.get("/readyz")).json()["n_songs"] == 0


async def test_the_four_genres_of_the_test_catalogue_stay_apart(
    client: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    for genre in SOUNDS:
        liked = [song["id"] for song in of_genre(songs, genre)[:4]]
        assert genres(await session(client, liked_song_ids=liked, limit=4)) == [genre] * 4
