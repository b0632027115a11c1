"""Refresh tokens under loss, theft and races; the list of devices; what ends log-ins."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from src.models.audit import Act, AuditEvent
from src.models.tokens import RefreshToken
from src.services.tokens import GRACE
from tests.api.test_accounts import PASSWORD, log_in_with, me, refresh, register

LATE = GRACE + timedelta(seconds=1)


@pytest.fixture
async def account(client: httpx.AsyncClient) -> dict[str, Any]:
    assert (await register(client)).status_code == 201
    tokens: dict[str, Any] = (await log_in_with(client, "ada")).json()
    return tokens


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


async def let_the_grace_pass() -> None:
    async for login in RefreshToken.find_all():
        assert login.rotated_at is not None
        await login.set({"rotated_at": login.rotated_at - LATE})


async def test_a_lost_answer_is_asked_for_again_and_only_the_last_successor_works(
    client: httpx.AsyncClient, account: dict[str, Any]
) -> None:
    lost = (await refresh(client, account["refresh_token"])).json()
    again = await refresh(client, account["refresh_token"])
    assert again.status_code == 200
    assert again.json()["refresh_token"] != lost["refresh_token"]
    following = await refresh(client, again.json()["refresh_token"])
    assert following.status_code == 200
    assert (await refresh(client, lost["refresh_token"])).status_code == 401


async def test_the_successor_that_a_retry_withdrew_ends_the_log_in_when_it_is_used(
    client: httpx.AsyncClient, account: dict[str, Any]
) -> None:
    stolen = (await refresh(client, account["refresh_token"])).json()
    mine = (await refresh(client, account["refresh_token"])).json()
    assert (await refresh(client, stolen["refresh_token"])).status_code == 401
    assert (await refresh(client, mine["refresh_token"])).status_code == 401
    assert await RefreshToken.find_all().count() == 0


async def test_a_token_whose_successor_was_used_ends_that_log_in_at_once_but_no_other(
    client: httpx.AsyncClient, account: dict[str, Any]
) -> None:
    other_device = (await log_in_with(client, "ada")).json()
    heir = (await refresh(client, account["refresh_token"])).json()
    latest = (await refresh(client, heir["refresh_token"])).json()
    assert (await refresh(client, account["refresh_token"])).status_code == 401
    assert (await refresh(client, latest["refresh_token"])).status_code == 401
    assert (await refresh(client, other_device["refresh_token"])).status_code == 200
    assert await AuditEvent.find(AuditEvent.act == Act.REFRESH_REUSED).count() == 1


async def test_a_token_used_again_after_the_grace_ends_the_log_in(
    client: httpx.AsyncClient, account: dict[str, Any]
) -> None:
    heir = (await refresh(client, account["refresh_token"])).json()
    await let_the_grace_pass()
    assert (await refresh(client, account["refresh_token"])).status_code == 401
    assert (await refresh(client, heir["refresh_token"])).status_code == 401


async def test_retries_do_not_prolong_the_grace(client: httpx.AsyncClient, account: dict[str, Any]) -> None:
    await refresh(client, account["refresh_token"])
    before = await RefreshToken.find_one()
    await refresh(client, account["refresh_token"])
    after = await RefreshToken.find_one()
    assert before is not None
    assert after is not None
    assert after.rotated_at == before.rotated_at


async def test_an_ancient_token_still_ends_the_log_in(client: httpx.AsyncClient, account: dict[str, Any]) -> None:
    latest = account
    for _ in range(5):
        latest = (await refresh(client, latest["refresh_token"])).json()
    assert (await refresh(client, account["refresh_token"])).status_code == 401
    assert (await refresh(client, latest["refresh_token"])).status_code == 401


async def test_somebody_elses_guess_ends_nothing(client: httpx.AsyncClient, account: dict[str, Any]) -> None:
    assert (await refresh(client, "guess." + account["refresh_token"].partition(".")[2])).status_code == 401
    assert (await refresh(client, account["refresh_token"])).status_code == 200


async def test_of_fifty_refreshes_of_one_token_at_once_at_most_one_successor_works(
    client: httpx.AsyncClient, account: dict[str, Any]
) -> None:
    answers = await asyncio.gather(*(refresh(client, account["refresh_token"]) for _ in range(50)))
    assert {answer.status_code for answer in answers} <= {200, 401}
    logins = await RefreshToken.find_all().to_list()
    assert len(logins) <= 1
    heirs = [answer.json()["refresh_token"] for answer in answers if answer.status_code == 200]
    assert heirs
    # Each heir is tried on the state the race left: the log-in is put back as it was before every try.
    working = 0
    for heir in heirs:
        working += (await refresh(client, heir)).status_code == 200
        await RefreshToken.find_all().delete()
        await RefreshToken.insert_many(logins)
    assert working <= 1


async def test_of_fifty_refreshes_after_the_grace_none_leaves_a_log_in(
    client: httpx.AsyncClient, account: dict[str, Any]
) -> None:
    heir = (await refresh(client, account["refresh_token"])).json()
    await let_the_grace_pass()
    answers = await asyncio.gather(*(refresh(client, account["refresh_token"]) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {401}
    assert await RefreshToken.find_all().count() == 0
    assert (await refresh(client, heir["refresh_token"])).status_code == 401


async def test_only_hashes_are_stored(client: httpx.AsyncClient, account: dict[str, Any]) -> None:
    heir = (await refresh(client, account["refresh_token"])).json()
    stored = str(await RefreshToken.get_pymongo_collection().find().to_list())
    for token in (account["refresh_token"], heir["refresh_token"]):
        assert all(part not in stored for part in (token, *token.split(".")))


async def test_devices_are_listed_and_each_can_be_logged_out(
    client: httpx.AsyncClient, account: dict[str, Any]
) -> None:
    form = {"username": "ada", "password": PASSWORD}
    phone = (await client.post("/api/v1/auth/token", data=form, headers={"User-Agent": "Phone/1.0"})).json()
    items = (await client.get("/api/v1/users/me/sessions", headers=bearer(account))).json()["items"]
    assert [item["device"].partition("/")[0] for item in items] == ["Phone", "python-httpx"]
    assert items[0].keys() == {"id", "device", "created_at", "last_used_at", "expires_at"}
    path = f"/api/v1/users/me/sessions/{items[0]['id']}"
    assert (await client.delete(path, headers=bearer(account))).status_code == 204
    assert (await client.delete(path, headers=bearer(account))).status_code == 404
    assert (await refresh(client, phone["refresh_token"])).status_code == 401
    assert (await refresh(client, account["refresh_token"])).status_code == 200


async def test_logging_out_everywhere_ends_every_device(client: httpx.AsyncClient, account: dict[str, Any]) -> None:
    other = (await log_in_with(client, "ada")).json()
    assert (await client.delete("/api/v1/users/me/sessions", headers=bearer(account))).status_code == 204
    for tokens in (account, other):
        assert (await refresh(client, tokens["refresh_token"])).status_code == 401


async def change(client: httpx.AsyncClient, tokens: dict[str, Any], current: str, new: str) -> httpx.Response:
    body = {"current_password": current, "new_password": new}
    return await client.post("/api/v1/users/me/password", json=body, headers=bearer(tokens))


async def test_a_changed_password_ends_every_log_in(client: httpx.AsyncClient, account: dict[str, Any]) -> None:
    assert (await change(client, account, PASSWORD, "a wholly new one")).status_code == 204
    assert (await refresh(client, account["refresh_token"])).status_code == 401
    assert (await log_in_with(client, "ada")).status_code == 401
    assert (await log_in_with(client, "ada", "a wholly new one")).status_code == 200


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("not the password", "a wholly new one", "current_password"),
        (PASSWORD, "short", "new_password"),
        (PASSWORD, "password123", "new_password"),
    ],
)
async def test_a_password_that_cannot_be_changed_stays(
    client: httpx.AsyncClient, account: dict[str, Any], current: str, new: str, field: str
) -> None:
    answer = await change(client, account, current, new)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["body", field]
    assert (await refresh(client, account["refresh_token"])).status_code == 200
    assert (await me(client, account["access_token"])).status_code == 200
