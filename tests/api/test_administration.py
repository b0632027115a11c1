"""Administrators: accounts, the last administrator, the audit log."""

import asyncio
from typing import Any

import httpx
import pytest

from src.models.audit import Act
from src.models.users import Role, User
from tests.api.test_accounts import PASSWORD, log_in_with, refresh, register
from tests.conftest import LogIn, SongJson


async def id_of(name: str) -> str:
    user = await User.find_one(User.username == name)
    assert user is not None
    return str(user.id)


async def patch(client: httpx.AsyncClient, name: str, **fields: Any) -> httpx.Response:
    return await client.patch(f"/api/v1/admin/users/{await id_of(name)}", json=fields)


async def n_admins() -> int:
    return await User.find({"role": "admin", "disabled": False}).count()


async def test_accounts_are_listed_page_by_page(
    admin: httpx.AsyncClient, ada: httpx.AsyncClient, bob: httpx.AsyncClient
) -> None:
    first = (await admin.get("/api/v1/admin/users", params={"limit": 2})).json()
    rest = (await admin.get("/api/v1/admin/users", params={"cursor": first["next_cursor"]})).json()
    assert [user["username"] for user in first["items"] + rest["items"]] == ["root", "ada", "bob"]
    assert rest["next_cursor"] is None
    assert first["items"][0].keys() == {"id", "username", "email", "role", "disabled", "created_at"}


async def test_a_disabled_account_is_logged_out_and_can_be_enabled_again(
    admin: httpx.AsyncClient, client: httpx.AsyncClient
) -> None:
    await register(client)
    tokens = (await log_in_with(client, "ada")).json()
    answer = await patch(admin, "ada", disabled=True)
    assert (answer.status_code, answer.json()["disabled"]) == (200, True)
    assert (await refresh(client, tokens["refresh_token"])).status_code == 401
    assert (await log_in_with(client, "ada")).status_code == 401
    assert (await patch(admin, "ada", disabled=False)).status_code == 200
    assert (await log_in_with(client, "ada")).status_code == 200


async def test_a_promoted_listener_administers_at_once(admin: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    assert (await ada.get("/api/v1/admin/users")).status_code == 403
    assert (await patch(admin, "ada", role="admin")).json()["role"] == "admin"
    assert (await ada.get("/api/v1/admin/users")).status_code == 200


@pytest.mark.parametrize("fields", [{"disabled": True}, {"role": "listener"}])
async def test_the_last_administrator_stays_one(admin: httpx.AsyncClient, fields: dict[str, Any]) -> None:
    answer = await patch(admin, "root", **fields)
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    await User(username="old", username_key="old", password_hash="!", role=Role.ADMIN, disabled=True).insert()
    assert (await patch(admin, "root", **fields)).status_code == 409  # one who is disabled is no help
    assert await n_admins() == 1


async def test_the_last_administrator_cannot_delete_their_account(
    client: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    await register(client)
    await patch(admin, "ada", role="admin")
    headers = {"Authorization": f"Bearer {(await log_in_with(client, 'ada')).json()['access_token']}"}
    await patch(admin, "root", role="listener")
    body = {"password": PASSWORD}
    answer = await client.request("DELETE", "/api/v1/users/me", json=body, headers=headers)
    assert answer.status_code == 409
    assert await n_admins() == 1


async def test_administrators_who_demote_one_another_at_once_do_not_all_succeed(log_in: LogIn) -> None:
    names = ["one1", "two2", "three3"]
    clients = [await log_in(name, Role.ADMIN) for name in names]
    pairs = zip(clients, names[1:] + names[:1], strict=True)
    answers = await asyncio.gather(*(patch(client, name, role="listener") for client, name in pairs))
    assert {answer.status_code for answer in answers} <= {200, 403, 409}
    assert await n_admins() >= 1


@pytest.mark.parametrize("fields", [{}, {"password_hash": "x"}, {"role": "owner"}, {"disabled": None}])
async def test_what_cannot_be_changed_is_422(admin: httpx.AsyncClient, fields: dict[str, Any]) -> None:
    assert (await patch(admin, "root", **fields)).status_code == 422


async def test_an_account_that_is_not_there_is_404(admin: httpx.AsyncClient) -> None:
    answer = await admin.patch("/api/v1/admin/users/665f1f77bcf86cd799439011", json={"disabled": True})
    assert answer.status_code == 404


async def test_the_audit_log_has_who_did_what_to_whom_without_names(
    admin: httpx.AsyncClient, client: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    await register(client, email="ada@example.org")
    await log_in_with(client, "ada", "not the password")
    await log_in_with(client, "ada")
    await patch(admin, "ada", disabled=True)
    await admin.delete(f"/api/v1/songs/{songs[0]['id']}")
    events = (await admin.get("/api/v1/admin/audit")).json()["items"]
    assert [event["act"] for event in events] == [
        Act.SONG_DELETED,
        Act.USER_CHANGED,
        Act.LOGIN,
        Act.LOGIN_FAILED,
        Act.REGISTERED,
    ]
    root, ada = await id_of("root"), await id_of("ada")
    assert [(event["actor_id"], event["target_id"]) for event in events] == [
        (root, None),
        (root, ada),
        (ada, ada),
        (None, ada),
        (ada, ada),
    ]
    assert events[0]["details"] == {"song": songs[0]["id"]}
    assert events[1]["details"] == {"disabled": True}
    assert {event["address"] for event in events} == {"127.0.0.1"}
    text = str(events)
    assert all(word not in text for word in ("ada@example.org", PASSWORD, "not the password", "'ada'"))


async def test_the_audit_log_is_filtered_and_paged(admin: httpx.AsyncClient, client: httpx.AsyncClient) -> None:
    await register(client)
    for _ in range(3):
        await log_in_with(client, "ada")
    params: dict[str, Any] = {"act": "login.succeeded", "user_id": await id_of("ada"), "limit": 2}
    first = (await admin.get("/api/v1/admin/audit", params=params)).json()
    rest = (await admin.get("/api/v1/admin/audit", params=params | {"cursor": first["next_cursor"]})).json()
    assert [len(first["items"]), len(rest["items"])] == [2, 1]
    assert len({event["id"] for event in first["items"] + rest["items"]}) == 3
    nobody = {"user_id": "665f1f77bcf86cd799439011"}
    assert (await admin.get("/api/v1/admin/audit", params=nobody)).json()["items"] == []
