"""The catalogue: one song, lists, search, and an operator's changes."""

from typing import Any

import httpx
import pytest
from bson import ObjectId

from src.config.settings import Settings
from src.models.pages import encode_cursor
from tests.conftest import PER_GENRE, SOUNDS, SongJson, eventually, of_genre, running_app, song_facts, store_songs

UNKNOWN = "0" * 24


async def listed(client: httpx.AsyncClient, **params: Any) -> list[SongJson]:
    answer = await client.get("/api/v1/songs", params={"limit": 100} | params)
    assert answer.status_code == 200
    items: list[SongJson] = answer.json()["items"]
    return items


async def titles(client: httpx.AsyncClient, query: str, **params: Any) -> set[str]:
    return {song["title"] for song in await listed(client, query=query, **params)}


async def recommended(client: httpx.AsyncClient, **params: Any) -> list[str]:
    answer = await client.get("/api/v1/recommendations", params={"limit": 100} | params)
    assert answer.status_code == 200
    return [item["song"]["id"] for item in answer.json()["items"]]


async def similar(client: httpx.AsyncClient, song: SongJson, limit: int = 100) -> list[SongJson]:
    answer = await client.get(f"/api/v1/songs/{song['id']}/similar", params={"limit": limit})
    assert answer.status_code == 200
    return [item["song"] for item in answer.json()["items"]]


async def test_a_song_by_its_id(client: httpx.AsyncClient, songs: list[SongJson]) -> None:
    answer = await client.get(f"/api/v1/songs/{songs[7]['id']}")
    assert answer.status_code == 200
    assert answer.json() == songs[7]


@pytest.mark.parametrize("path", ["", "/similar"])
async def test_a_song_that_is_not_there_is_404(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(f"/api/v1/songs/{UNKNOWN}{path}")
    assert answer.status_code == 404
    assert UNKNOWN in answer.json()["detail"]


@pytest.mark.parametrize("song_id", ["x", "A" * 24, "0" * 23, "0" * 25, "0" * 23 + "g", "%00" * 24])
@pytest.mark.parametrize("path", ["", "/similar"])
async def test_an_id_that_cannot_be_is_422(client: httpx.AsyncClient, song_id: str, path: str) -> None:
    answer = await client.get(f"/api/v1/songs/{song_id}{path}")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["path", "song_id"]


async def test_search_by_the_beginnings_of_words_in_any_order(client: httpx.AsyncClient, songs: list[SongJson]) -> None:
    everything = {song["title"] for song in of_genre(songs, "rock")}
    assert await titles(client, "gran") == everything
    assert await titles(client, "GRANITE 07") == {"Granite 07"}
    assert await titles(client, "07 gran") == {"Granite 07"}
    assert await titles(client, "granite rock band 2") == {"Granite 02", "Granite 07", "Granite 12"}
    assert await titles(client, "ranite") == set()


@pytest.mark.parametrize("query", ["creme", "crème brûlée", "CREME BRU", "cre\u0300me", "jazz band"])
async def test_search_knows_accents_from_no_side(client: httpx.AsyncClient, songs: list[SongJson], query: str) -> None:
    assert await titles(client, query) == {song["title"] for song in of_genre(songs, "jazz")}


@pytest.mark.parametrize("query", ["don't stop 03", "dont stop 03", "don\u2019t stop 03"])
async def test_search_takes_any_apostrophe_or_none(client: httpx.AsyncClient, query: str) -> None:
    assert await titles(client, query) == {"Don't Stop 03"}


@pytest.mark.parametrize("query", ["!!!", "\u0000", "🎵", "x" * 200, ".*", "granite zzz"])
async def test_search_for_what_nothing_has_finds_nothing(client: httpx.AsyncClient, query: str) -> None:
    assert await titles(client, query) == set()


@pytest.mark.parametrize("query", ["", "   "])
async def test_search_for_nothing_lists_everything(
    client: httpx.AsyncClient, songs: list[SongJson], query: str
) -> None:
    assert len(await listed(client, query=query)) == len(songs)


async def test_the_most_popular_come_first(client: httpx.AsyncClient) -> None:
    popularity = [song["popularity"] for song in await listed(client)]
    assert popularity == sorted(popularity, reverse=True)


async def test_by_genre_in_any_case(client: httpx.AsyncClient, songs: list[SongJson]) -> None:
    expected = {song["id"] for song in of_genre(songs, "jazz")}
    for genre in ("jazz", "Jazz", " JAZZ "):
        assert {song["id"] for song in await listed(client, genre=genre)} == expected
    assert await listed(client, genre="polka") == []


@pytest.mark.parametrize(
    ("name", "feature", "low", "high"),
    [
        ("energy", "energy", 0.3, 0.85),
        ("tempo", "tempo_bpm", 100, 125),
        ("tempo_bpm", "tempo_bpm", 100, 125),
        ("loudness", "loudness_db", -16, -7),
    ],
)
async def test_by_audio_features_with_either_name(
    client: httpx.AsyncClient, songs: list[SongJson], name: str, feature: str, low: float, high: float
) -> None:
    found = {song["id"] for song in await listed(client, **{f"min_{name}": low, f"max_{name}": high})}
    expected = {song["id"] for song in songs if low <= song["audio_features"][feature] <= high}
    assert found == expected
    assert 0 < len(found) < len(songs)


async def test_filters_and_words_narrow_together(client: httpx.AsyncClient, songs: list[SongJson]) -> None:
    found = await listed(client, query="band 3", genre="dance", min_energy=0.81)
    dance = of_genre(songs, "dance")
    expected = {s["id"] for s in dance if s["artists"] == ["Dance Band 3"] and s["audio_features"]["energy"] >= 0.81}
    assert {song["id"] for song in found} == expected != set()


@pytest.mark.parametrize("query", [None, "band", "band 3"])
async def test_pages_make_up_the_whole_list(client: httpx.AsyncClient, query: str | None) -> None:
    params: dict[str, Any] = {"limit": 7} | ({"query": query} if query else {})
    whole = await listed(client, **{**params, "limit": 100})
    paged: list[SongJson] = []
    cursor = None
    for _ in range(0, len(whole), 7):
        page = (await client.get("/api/v1/songs", params=params | ({"cursor": cursor} if cursor else {}))).json()
        paged += page["items"]
        cursor = page["next_cursor"]
    assert cursor is None
    assert paged == whole


@pytest.mark.parametrize(
    ("params", "loc"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 101}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"query": "x" * 201}, "query"),
        ({"genre": "x" * 65}, "genre"),
        ({"colour": "red"}, "colour"),
        ({"target_energy": 0.5}, "target_energy"),
        ({"min_energy": "loud"}, "min_energy"),
        ({"min_energy": "nan"}, "min_energy"),
        ({"max_energy": "inf"}, "max_energy"),
        ({"cursor": "nonsense"}, "cursor"),
    ],
)
async def test_a_parameter_that_cannot_be_is_refused_at_its_place(
    client: httpx.AsyncClient, params: dict[str, Any], loc: str
) -> None:
    answer = await client.get("/api/v1/songs", params=params)
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["errors"]] == [["query", loc]]


@pytest.mark.parametrize("place", ["0x1.0p+1023\x1f0", "nan\x1f0", "0x1p-1\x1f9" + "9" * 100, "0x1p9999\x1f0"])
async def test_a_made_up_cursor_is_a_page_or_422_but_never_an_error_of_ours(
    client: httpx.AsyncClient, place: str
) -> None:
    answer = await client.get("/api/v1/songs", params={"cursor": encode_cursor(place)})
    assert answer.status_code in (200, 422)


async def test_bounds_that_contradict_each_other_say_so(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/songs", params={"min_tempo": 140, "max_tempo_bpm": 100})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"][-1] == "min_tempo_bpm"
    assert "140 is above max_tempo_bpm, 100" in answer.json()["detail"]


async def test_genres_with_their_numbers_of_songs(client: httpx.AsyncClient) -> None:
    items = (await client.get("/api/v1/genres")).json()["items"]
    assert {item["name"]: item["n_songs"] for item in items} == dict.fromkeys(SOUNDS, PER_GENRE)


async def test_similar_songs_are_of_the_same_sound_and_not_the_song_itself(
    client: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    for genre in SOUNDS:
        asked = of_genre(songs, genre)[4]
        found = await similar(client, asked, limit=5)
        assert [song["genres"] for song in found] == [[genre]] * 5
        assert asked["id"] not in [song["id"] for song in found]


async def test_a_song_without_audio_still_has_similar_ones(client: httpx.AsyncClient) -> None:
    facts = {"title": "Silent", "artists": ["Jazz Band 1"], "genres": ["jazz"]}
    (silent,) = await store_songs([{"audio_features": {}, "external_ids": {}} | facts])

    async def known() -> bool:
        return (await client.get(f"/api/v1/songs/{silent['id']}/similar")).status_code == 200

    await eventually(known)
    assert (await similar(client, silent, limit=1))[0]["genres"] == ["jazz"]


NEW: dict[str, Any] = {
    "title": "Novelty",
    "artists": ["Newcomer"],
    "genres": ["Rock", "rock "],
    "popularity": 99,
    "audio_features": {"energy": 0.93, "tempo_bpm": 141},
}


async def test_a_new_song_is_everywhere_at_once(admin: httpx.AsyncClient, songs: list[SongJson]) -> None:
    answer = await admin.post("/api/v1/songs", json=NEW)
    assert answer.status_code == 201
    made = answer.json()
    assert made["genres"] == ["rock"]
    assert (await admin.get(f"/api/v1/songs/{made['id']}")).json() == made
    assert await listed(admin, query="novelty") == [made]
    assert (await recommended(admin, limit=1)) == [made["id"]]
    assert made["id"] in [song["id"] for song in await similar(admin, of_genre(songs, "rock")[0])]
    assert {song["genres"][0] for song in await similar(admin, made, limit=3)} == {"rock"}


async def test_a_song_that_is_there_already_is_409(admin: httpx.AsyncClient, songs: list[SongJson]) -> None:
    assert (await admin.post("/api/v1/songs", json=NEW)).status_code == 201
    again = await admin.post("/api/v1/songs", json=NEW)
    assert again.status_code == 409
    assert "artist, title and duration" in again.json()["detail"]
    taken = await admin.post("/api/v1/songs", json=NEW | {"title": "X", "external_ids": songs[0]["external_ids"]})
    assert taken.status_code == 409


@pytest.mark.parametrize(
    ("more", "loc"),
    [
        ({"title": " "}, ["body", "title"]),
        ({"artists": []}, ["body", "artists"]),
        ({"artists": ["A", ""]}, ["body", "artists", 1]),
        ({"audio_features": {"energy": 1.1}}, ["body", "audio_features", "energy"]),
        ({"audio_features": {"tempo": 100}}, ["body", "audio_features", "tempo"]),
        ({"external_ids": {"spotify": "short"}}, ["body", "external_ids", "spotify"]),
        ({"release_year": 1492}, ["body", "release_year"]),
        ({"art_url": "javascript:alert(1)"}, ["body", "art_url"]),
        ({"id": UNKNOWN}, ["body", "id"]),
    ],
)
async def test_a_song_that_cannot_be_is_refused_at_its_place(
    admin: httpx.AsyncClient, more: dict[str, Any], loc: list[Any]
) -> None:
    answer = await admin.post("/api/v1/songs", json=NEW | more)
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["errors"]] == [loc]
    assert "\n" not in answer.json()["detail"]


async def test_a_change_is_everywhere_at_once(admin: httpx.AsyncClient, songs: list[SongJson]) -> None:
    song = of_genre(songs, "rock")[0]
    patch = {
        "title": "Renamed",
        "artists": ["Ambient Band 3"],
        "genres": ["ambient"],
        "audio_features": of_genre(songs, "ambient")[3]["audio_features"],
    }
    answer = await admin.patch(f"/api/v1/songs/{song['id']}", json=patch)
    assert answer.status_code == 200
    assert answer.json() == song | patch
    assert [found["id"] for found in await listed(admin, query="renamed")] == [song["id"]]
    assert await listed(admin, query=song["title"]) == []
    assert song["id"] in [found["id"] for found in await listed(admin, genre="ambient")]
    assert song["id"] in await recommended(admin, genres="ambient")
    assert song["id"] not in await recommended(admin, genres="rock")
    assert {found["genres"][0] for found in await similar(admin, answer.json(), limit=4)} == {"ambient"}


async def test_a_patch_leaves_what_it_does_not_name(admin: httpx.AsyncClient, songs: list[SongJson]) -> None:
    answer = await admin.patch(f"/api/v1/songs/{songs[0]['id']}", json={"audio_features": {"energy": 0.11}})
    assert answer.json() == songs[0] | {"audio_features": songs[0]["audio_features"] | {"energy": 0.11}}
    answer = await admin.patch(f"/api/v1/songs/{songs[0]['id']}", json={"popularity": None})
    assert answer.json()["popularity"] is None


@pytest.mark.parametrize(
    ("patch", "loc"),
    [
        ({"title": None}, ["body", "title"]),
        ({"audio_features": {"energy": -1}}, ["body", "audio_features", "energy"]),
        ({"colour": "red"}, ["body", "colour"]),
    ],
)
async def test_a_patch_that_cannot_be_is_refused_at_its_place(
    admin: httpx.AsyncClient, songs: list[SongJson], patch: dict[str, Any], loc: list[str]
) -> None:
    answer = await admin.patch(f"/api/v1/songs/{songs[0]['id']}", json=patch)
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["errors"]] == [loc]


async def test_an_empty_patch_is_refused(admin: httpx.AsyncClient, songs: list[SongJson]) -> None:
    answer = await admin.patch(f"/api/v1/songs/{songs[0]['id']}", json={})
    assert answer.status_code == 422
    assert "names no field" in answer.json()["detail"]


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_changing_a_song_that_is_not_there_is_404(admin: httpx.AsyncClient, method: str) -> None:
    answer = await admin.request(method, f"/api/v1/songs/{ObjectId()}", json={"title": "T"})
    assert answer.status_code == 404


async def test_a_patch_to_an_id_another_song_has_is_409(admin: httpx.AsyncClient, songs: list[SongJson]) -> None:
    answer = await admin.patch(f"/api/v1/songs/{songs[0]['id']}", json={"external_ids": songs[1]["external_ids"]})
    assert answer.status_code == 409
    assert "spotify" in answer.json()["detail"]
    assert (await admin.get(f"/api/v1/songs/{songs[0]['id']}")).json() == songs[0]


async def test_a_deleted_song_is_nowhere_at_once(admin: httpx.AsyncClient, songs: list[SongJson]) -> None:
    gone = of_genre(songs, "rock")[14]
    assert gone["id"] in await recommended(admin, limit=5)
    answer = await admin.delete(f"/api/v1/songs/{gone['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await admin.get(f"/api/v1/songs/{gone['id']}")).status_code == 404
    assert (await admin.get(f"/api/v1/songs/{gone['id']}/similar")).status_code == 404
    assert await listed(admin, query=gone["title"]) == []
    assert gone["id"] not in await recommended(admin)
    assert gone["id"] not in [song["id"] for song in await similar(admin, of_genre(songs, "rock")[13])]
    like = {"song_id": gone["id"], "kind": "like"}
    assert (await admin.post("/api/v1/interactions", json=like)).status_code == 422
    genres = {item["name"]: item["n_songs"] for item in (await admin.get("/api/v1/genres")).json()["items"]}
    assert genres["rock"] == PER_GENRE - 1


async def test_a_deleted_song_can_be_imported_again(admin: httpx.AsyncClient, songs: list[SongJson]) -> None:
    await admin.delete(f"/api/v1/songs/{songs[0]['id']}")
    (again,) = await store_songs([song_facts("rock", 0)])
    assert again["id"] != songs[0]["id"]

    async def found() -> bool:
        return [song["id"] for song in await listed(admin, query=songs[0]["title"])] == [again["id"]]

    await eventually(found)


async def test_what_an_operator_set_survives_the_next_import(admin: httpx.AsyncClient, songs: list[SongJson]) -> None:
    patch = {"title": "By hand", "genres": ["by hand"], "audio_features": {"energy": 0.01}}
    await admin.patch(f"/api/v1/songs/{songs[0]['id']}", json=patch)
    (imported,) = await store_songs([song_facts("rock", 0, popularity=88.0, album="Imported")])
    assert imported["id"] == songs[0]["id"]
    assert (imported["title"], imported["genres"]) == ("By hand", ["by hand"])
    assert imported["audio_features"]["energy"] == 0.01
    assert (imported["album"], imported["popularity"]) == ("Imported", 88.0)


async def test_what_another_process_imports_becomes_visible(client: httpx.AsyncClient, songs: list[SongJson]) -> None:
    (changed, added) = await store_songs([song_facts("rock", 0, album="Reissue"), song_facts("rock", 99)])

    async def seen() -> bool:
        return await listed(client, query="granite 99") == [added]

    await eventually(seen)
    assert changed["id"] == songs[0]["id"]
    assert await listed(client, query="granite 00") == [changed]
    assert added["id"] in await recommended_to_anybody(client)


async def recommended_to_anybody(client: httpx.AsyncClient) -> list[str]:
    answer = await client.post("/api/v1/recommendations/session", json={"limit": 100})
    return [item["song"]["id"] for item in answer.json()["items"]]


async def test_a_change_through_one_application_becomes_visible_in_another(
    settings: Settings, admin: httpx.AsyncClient
) -> None:
    async with running_app(settings.model_copy(update={"data_dir": settings.data_dir / "other"})) as other:
        made = (await admin.post("/api/v1/songs", json=NEW)).json()

        async def seen() -> bool:
            return await listed(other, query="novelty") == [made]

        await eventually(seen)
        await admin.delete(f"/api/v1/songs/{made['id']}")

        async def gone() -> bool:
            return await listed(other, query="novelty") == []

        await eventually(gone)
