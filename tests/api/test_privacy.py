"""All of a listener's data in one file, and all of it gone."""

import asyncio
import json
from typing import Any, get_args

import httpx
import pytest
from beanie import Document, PydanticObjectId
from bson import ObjectId
from pymongo.asynchronous.database import AsyncDatabase

from src.config.settings import Settings
from src.models import DOCUMENTS
from src.models.interactions import Interaction, TasteProfile
from src.models.operations import Impression, Job, ModelRelease, Playlist
from src.models.users import User
from src.services.privacy import NAMED, OWNED
from src.services.tokens import now_utc
from src.services.training import train
from tests.api.test_accounts import PASSWORD, log_in_with, register
from tests.conftest import SongJson, app_of, client_of

NAME, ADDRESS = "zuleika", "zuleika@example.org"
SONG_FIELDS = ("id", "song_id", "song_ids", "deleted_ids", "heard", "liked", "banned")
ACCOUNT_FIELDS = ("user_id", "owner_id", "actor_id", "target_id")


@pytest.fixture
async def listener(client: httpx.AsyncClient, songs: list[SongJson]) -> Any:
    """A listener with something in every collection that can hold anything of a listener."""
    assert (await register(client, username=NAME, email=ADDRESS)).status_code == 201
    await log_in_with(client, NAME, "not the password")
    tokens = (await log_in_with(client, NAME)).json()
    async with client_of(app_of(client), tokens["access_token"]) as mine:
        for song in songs[:5]:
            answer = await mine.post("/api/v1/interactions", json={"song_id": song["id"], "kind": "like"})
            assert answer.status_code == 201
        assert (await mine.post("/api/v1/users/me/tokens", json={"name": "t", "scopes": ["admin"]})).status_code == 403
        body = {"name": "my phone", "scopes": ["listen:write"]}
        assert (await mine.post("/api/v1/users/me/tokens", json=body)).status_code == 201
        assert (await client.post("/api/v1/auth/password-reset", json={"username": NAME})).status_code == 202
        user_id = await id_of(NAME)
        song_ids = [PydanticObjectId(song["id"]) for song in songs[:3]]
        await Playlist(user_id=user_id, name="mornings", song_ids=song_ids).insert()
        await Impression(user_id=user_id, song_ids=song_ids, strategy="hybrid", model_version="x").insert()
        await Job(kind="train", owner_id=user_id).insert()
        yield mine


async def id_of(name: str) -> PydanticObjectId:
    user = await User.find_one(User.username == name)
    assert user is not None
    assert user.id is not None
    return user.id


async def collections_with(database: AsyncDatabase[dict[str, Any]], *words: object) -> set[str]:
    """Collections in which any of the words stands anywhere, in whatever field."""
    found = set()
    for name in await database.list_collection_names():
        text = repr([document async for document in database[name].find()])
        if any(str(word) in text for word in words):
            found.add(name)
    return found


def test_every_field_that_names_an_account_is_exported_and_deleted() -> None:
    """A document that is added later must say whose it is."""
    named: set[tuple[type[Document], str]] = set()
    for document in DOCUMENTS:
        for name, field in document.model_fields.items():
            is_id = field.annotation is PydanticObjectId or PydanticObjectId in get_args(field.annotation)
            if is_id and name not in SONG_FIELDS:
                assert name in ACCOUNT_FIELDS, f"{document.__name__}.{name}: an account's id? see services/privacy.py"
                named.add((document, name))
    known = {(document, field) for document, field in OWNED.items() if field != "_id"}
    known |= {(document, field) for document, fields in NAMED.items() for field in fields}
    assert named == known


async def test_an_export_has_everything_but_secrets(listener: httpx.AsyncClient) -> None:
    answer = await listener.get("/api/v1/users/me/export")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    assert answer.headers["content-disposition"].startswith("attachment")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    expected = {document.get_pymongo_collection().name for document in (*OWNED, *NAMED)}
    assert {line["collection"] for line in lines} == expected
    assert sum(line["collection"] == "interactions" for line in lines) == 5
    (account,) = (line for line in lines if line["collection"] == "users")
    assert (account["username"], account["email"]) == (NAME, ADDRESS)
    assert not any(field.endswith("_hash") for line in lines for field in line)


async def test_an_export_has_nothing_of_anybody_else(listener: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    other = str(await id_of("bob"))
    assert other not in (await listener.get("/api/v1/users/me/export")).text
    assert NAME not in (await bob.get("/api/v1/users/me/export")).text


async def test_after_deletion_there_is_no_trace_in_any_collection_or_later_model(
    listener: httpx.AsyncClient,
    bob: httpx.AsyncClient,
    songs: list[SongJson],
    settings: Settings,
    database: AsyncDatabase[dict[str, Any]],
) -> None:
    user_id = await id_of(NAME)
    await bob.post("/api/v1/interactions", json={"song_id": songs[9]["id"], "kind": "like"})
    before = await collections_with(database, repr(user_id), user_id, NAME, ADDRESS)
    assert before == {document.get_pymongo_collection().name for document in (*OWNED, *NAMED)}

    assert (await listener.request("DELETE", "/api/v1/users/me", json={"password": PASSWORD})).status_code == 204

    assert await collections_with(database, repr(user_id), user_id, NAME, ADDRESS) == set()
    assert await Interaction.find_all().count() == 1  # Bob's
    report = await train(settings, now_utc(), force=True)
    assert (report.n_listeners, report.n_interactions) == (1, 1)
    manifests = [release.manifest async for release in ModelRelease.find_all()]
    assert manifests
    files = [path for path in settings.data_dir.rglob("*") if path.is_file()]
    assert any(path.suffix == ".npy" for path in files)
    for trace in (str(user_id).encode(), user_id.binary, NAME.encode(), ADDRESS.encode()):
        assert trace not in repr(manifests).encode()
        assert [path for path in files if trace in path.read_bytes()] == []


async def test_a_token_that_outlives_its_account_writes_and_reads_nothing(
    listener: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    assert (await listener.request("DELETE", "/api/v1/users/me", json={"password": PASSWORD})).status_code == 204
    like = {"song_id": songs[7]["id"], "kind": "like"}
    assert (await listener.post("/api/v1/interactions", json=like)).status_code == 401
    assert (await listener.get("/api/v1/users/me/export")).status_code == 401
    assert (await listener.get("/api/v1/users/me/history")).json()["items"] == []
    assert await Interaction.find_all().count() == 0
    assert await TasteProfile.find_all().count() == 0


async def test_interactions_that_race_with_the_deletion_leave_nothing(
    listener: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    likes = [listener.post("/api/v1/interactions", json={"song_id": s["id"], "kind": "like"}) for s in songs[10:30]]
    deletion = listener.request("DELETE", "/api/v1/users/me", json={"password": PASSWORD})
    *answers, deleted = await asyncio.gather(*likes, deletion)
    assert deleted.status_code == 204
    assert {answer.status_code for answer in answers} <= {201, 401}
    assert await Interaction.find_all().count() == 0
    assert await TasteProfile.find_all().count() == 0


async def test_deleting_needs_the_password(listener: httpx.AsyncClient) -> None:
    answer = await listener.request("DELETE", "/api/v1/users/me", json={"password": "not the password"})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["body", "password"]
    assert await id_of(NAME)


async def test_a_name_is_free_again_and_nothing_of_the_former_is_seen(
    client: httpx.AsyncClient, listener: httpx.AsyncClient
) -> None:
    former = await id_of(NAME)
    assert (await listener.request("DELETE", "/api/v1/users/me", json={"password": PASSWORD})).status_code == 204
    assert (await register(client, username=NAME)).status_code == 201
    assert ObjectId(await id_of(NAME)) != former
