"""Personal tokens: shown once, scoped, expiring, revocable."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from src.models.tokens import ApiToken, Scope
from src.models.users import User
from src.services.tokens import now_utc
from tests.conftest import SongJson, app_of, client_of

CALLS: dict[str, tuple[str, str]] = {
    "listen:write": ("POST", "/api/v1/interactions"),
    "recommend:read": ("GET", "/api/v1/recommendations"),
    "library:read": ("GET", "/api/v1/users/me/history"),
    "admin": ("GET", "/api/v1/admin/jobs"),
}
LOG_IN_ONLY = [
    ("GET", "/api/v1/users/me/tokens"),
    ("POST", "/api/v1/users/me/tokens"),
    ("GET", "/api/v1/users/me/sessions"),
    ("DELETE", "/api/v1/users/me/sessions"),
    ("GET", "/api/v1/users/me/export"),
    ("POST", "/api/v1/users/me/password"),
    ("DELETE", "/api/v1/users/me"),
]


async def make(client: httpx.AsyncClient, *scopes: str, **more: Any) -> dict[str, Any]:
    answer = await client.post("/api/v1/users/me/tokens", json={"name": "script", "scopes": list(scopes), **more})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def call(client: httpx.AsyncClient, token: str, method: str, path: str, song: SongJson | None = None) -> int:
    body = {"song_id": song["id"], "kind": "like"} if song else {}
    async with client_of(app_of(client), token) as script:
        return (await script.request(method, path, json=body if method != "GET" else None)).status_code


@pytest.mark.parametrize("scope", list(Scope))
async def test_a_token_does_what_its_scope_says_and_nothing_else(
    admin: httpx.AsyncClient, songs: list[SongJson], scope: str
) -> None:
    token = (await make(admin, scope))["token"]
    answers = {each: await call(admin, token, *CALLS[each], songs[0]) for each in CALLS}
    assert answers.pop(scope) in (200, 201)
    assert set(answers.values()) == {403}


@pytest.mark.parametrize(("method", "path"), LOG_IN_ONLY)
async def test_no_token_manages_the_account_itself(admin: httpx.AsyncClient, method: str, path: str) -> None:
    token = (await make(admin, *CALLS))["token"]
    assert await call(admin, token, method, path) == 403


async def test_a_token_is_shown_once_and_only_its_hash_is_kept(ada: httpx.AsyncClient) -> None:
    made = await make(ada, "listen:write")
    listed = (await ada.get("/api/v1/users/me/tokens")).json()["items"]
    assert listed == [{name: value for name, value in made.items() if name != "token"}]
    assert made["token"] not in str(await ApiToken.get_pymongo_collection().find().to_list())


async def test_use_is_noted(ada: httpx.AsyncClient) -> None:
    made = await make(ada, "recommend:read")
    assert made["last_used_at"] is None
    assert await call(ada, made["token"], "GET", "/api/v1/recommendations") == 200
    assert (await ada.get("/api/v1/users/me/tokens")).json()["items"][0]["last_used_at"] is not None


async def test_a_revoked_token_is_401_at_once(ada: httpx.AsyncClient, bob: httpx.AsyncClient) -> None:
    made = await make(ada, "recommend:read")
    path = f"/api/v1/users/me/tokens/{made['id']}"
    assert (await bob.delete(path)).status_code == 404
    assert await call(ada, made["token"], "GET", "/api/v1/recommendations") == 200
    assert (await ada.delete(path)).status_code == 204
    assert await call(ada, made["token"], "GET", "/api/v1/recommendations") == 401


async def test_an_expired_token_is_401(ada: httpx.AsyncClient) -> None:
    made = await make(ada, "recommend:read", expires_in_days=1)
    assert await call(ada, made["token"], "GET", "/api/v1/recommendations") == 200
    await ApiToken.find_one().update({"$set": {"expires_at": now_utc() - timedelta(seconds=1)}})
    assert await call(ada, made["token"], "GET", "/api/v1/recommendations") == 401


async def test_a_token_of_a_disabled_account_is_401(ada: httpx.AsyncClient) -> None:
    made = await make(ada, "recommend:read")
    await User.find_one(User.username == "ada").update({"$set": {"disabled": True}})
    assert await call(ada, made["token"], "GET", "/api/v1/recommendations") == 401


async def test_a_listener_gets_no_administrators_token(ada: httpx.AsyncClient) -> None:
    body = {"name": "script", "scopes": ["admin"]}
    assert (await ada.post("/api/v1/users/me/tokens", json=body)).status_code == 403


async def test_an_administrators_token_ends_with_the_role(admin: httpx.AsyncClient) -> None:
    made = await make(admin, "admin")
    await User.find_one(User.username == "root").update({"$set": {"role": "listener"}})
    assert await call(admin, made["token"], *CALLS["admin"]) == 403


@pytest.mark.parametrize("token", ["mdr_", "mdr_unknown", "mdr_" + "x" * 500])
async def test_an_unknown_token_is_401(ada: httpx.AsyncClient, token: str) -> None:
    assert await call(ada, token, "GET", "/api/v1/recommendations") == 401


async def test_a_token_is_neither_refreshed_nor_are_there_more_than_fifty(ada: httpx.AsyncClient) -> None:
    made = await make(ada, "listen:write")
    answer = await ada.post("/api/v1/auth/refresh", json={"refresh_token": made["token"]})
    assert answer.status_code == 401
    for _ in range(49):
        await make(ada, "listen:write")
    body = {"name": "one more", "scopes": ["listen:write"]}
    assert (await ada.post("/api/v1/users/me/tokens", json=body)).status_code == 409
