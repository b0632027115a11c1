"""Registering, logging in, refreshing, logging out."""

import asyncio
from typing import Any

import httpx
import pytest

from src.models.users import RefreshToken, User

PASSWORD = "correct horse battery"


async def register(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await client.post("/api/v1/auth/register", json={"username": "ada", "password": PASSWORD} | body)


async def log_in_with(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/api/v1/auth/token", data={"username": username, "password": password})


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/api/v1/auth/refresh", json={"refresh_token": token})


async def me(client: httpx.AsyncClient, access_token: str) -> httpx.Response:
    return await client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {access_token}"})


@pytest.fixture
async def account(client: httpx.AsyncClient) -> dict[str, Any]:
    """Ada's account and her first log-in."""
    assert (await register(client, email="Ada@Example.org")).status_code == 201
    tokens: dict[str, Any] = (await log_in_with(client, "ada")).json()
    return tokens


async def test_registering_answers_201_with_the_account_and_no_password(client: httpx.AsyncClient) -> None:
    answer = await register(client, username="  Ada ", email="ada@example.org")
    assert answer.status_code == 201
    body = answer.json()
    assert (body["username"], body["email"], body["role"]) == ("Ada", "ada@example.org", "listener")
    assert body.keys() == {"id", "username", "email", "role", "created_at"}
    stored = await User.find_one(User.username == "Ada")
    assert stored is not None
    assert stored.password_hash.startswith("$argon2id$")


@pytest.mark.parametrize("again", ["ADA", "ada", "\uff41\uff44\uff41", " ada "])
async def test_a_name_that_is_the_same_by_case_or_width_is_taken(
    client: httpx.AsyncClient, account: dict[str, Any], again: str
) -> None:
    answer = await register(client, username=again)
    assert answer.status_code == 409
    assert answer.json()["code"] == "conflict"
    assert "username" in answer.json()["detail"]


async def test_registering_a_known_address_looks_like_registering_a_new_one(
    client: httpx.AsyncClient, account: dict[str, Any]
) -> None:
    known = await register(client, username="eve", password="another password", email="ada@EXAMPLE.org")
    fresh = await register(client, username="eva", password="another password", email="new@EXAMPLE.org")
    assert (
        (known.status_code, known.json().keys())
        == (fresh.status_code, fresh.json().keys())
        == (201, known.json().keys())
    )
    # Each of them can log in with the address, by the password that is theirs.
    for password in (PASSWORD, "another password"):
        assert (await log_in_with(client, "ada@example.org", password)).status_code == 200


async def test_of_many_who_register_one_name_at_once_one_gets_it(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(register(client) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert await User.find_all().count() == 1


@pytest.mark.parametrize(
    ("body", "loc"),
    [
        ({"username": "a"}, ["body", "username"]),
        ({"username": "   "}, ["body", "username"]),
        ({"username": "a" * 65}, ["body", "username"]),
        ({"username": "a b"}, ["body", "username"]),
        ({"username": "a\u0000b"}, ["body", "username"]),
        ({"username": "a\nb"}, ["body", "username"]),
        ({"username": None}, ["body", "username"]),
        ({"password": "s3kr1t!"}, ["body", "password"]),
        ({"password": "s3kr1t!" * 19}, ["body", "password"]),
        ({"password": None}, ["body", "password"]),
        ({"password": ["s3kr1t!s3kr1t!"]}, ["body", "password"]),
        ({"email": "nowhere"}, ["body", "email"]),
        ({"email": "a@" + "b" * 260 + ".org"}, ["body", "email"]),
        ({"role": "admin"}, ["body", "role"]),
    ],
)
async def test_what_cannot_be_an_account_is_refused_at_its_place(
    client: httpx.AsyncClient, body: dict[str, Any], loc: list[str]
) -> None:
    answer = await register(client, **body)
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["errors"]] == [loc]
    assert answer.json()["detail"].startswith(".".join(loc))
    assert "s3kr1t" not in answer.text
    assert PASSWORD not in answer.text
    assert await User.find_all().count() == 0


async def test_the_password_is_in_no_error_even_when_another_field_is_wrong(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/auth/register", json={"password": PASSWORD})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["body", "username"]
    assert PASSWORD not in answer.text


async def test_the_longest_password_with_any_characters_works(client: httpx.AsyncClient) -> None:
    password = "pä\u0000ß🎵 " * 21
    assert (await register(client, password=password)).status_code == 201
    assert (await log_in_with(client, "ada", password)).status_code == 200
    assert (await log_in_with(client, "ada", password[:-1] + "x")).status_code == 401


async def test_a_log_in_gives_a_pair_that_works(client: httpx.AsyncClient, account: dict[str, Any]) -> None:
    assert account.keys() == {"access_token", "refresh_token", "token_type", "expires_in"}
    assert account["token_type"] == "bearer"
    assert account["expires_in"] == 15 * 60
    answer = await me(client, account["access_token"])
    assert answer.status_code == 200
    assert answer.json()["username"] == "ada"


@pytest.mark.parametrize("name", ["ADA", " ada ", "ada@example.org", "ADA@EXAMPLE.ORG"])
async def test_one_logs_in_by_name_or_address_in_any_case(
    client: httpx.AsyncClient, account: dict[str, Any], name: str
) -> None:
    assert (await log_in_with(client, name)).status_code == 200


async def test_tokens_are_not_to_be_cached(client: httpx.AsyncClient, account: dict[str, Any]) -> None:
    assert (await log_in_with(client, "ada")).headers["cache-control"] == "no-store"
    assert (await refresh(client, account["refresh_token"])).headers["cache-control"] == "no-store"


async def test_nobody_can_lock_another_out_by_taking_a_name_as_address(client: httpx.AsyncClient) -> None:
    await register(client, username="ada@example.org")
    await register(client, username="eve", password="another password", email="ada@example.org")
    assert (await log_in_with(client, "ada@example.org")).status_code == 200
    assert (await log_in_with(client, "ada@example.org", "another password")).status_code == 200
    assert (await log_in_with(client, "ada@example.org", "neither of both")).status_code == 401


def told(answer: httpx.Response) -> tuple[int, dict[str, Any], str | None]:
    body = answer.json()
    body.pop("request_id")
    return answer.status_code, body, answer.headers.get("www-authenticate")


async def test_a_wrong_password_and_an_unknown_name_cannot_be_told_apart(
    client: httpx.AsyncClient, account: dict[str, Any]
) -> None:
    wrong = told(await log_in_with(client, "ada", "not the password"))
    assert wrong[0] == 401
    assert wrong[2] == "Bearer"
    assert told(await log_in_with(client, "nobody")) == wrong
    assert told(await log_in_with(client, "nobody@example.org")) == wrong


@pytest.mark.parametrize("password", ["x" * 5_000, "x" * 100_000, "\u0000", " "])
async def test_a_password_nobody_can_have_is_just_wrong(
    client: httpx.AsyncClient, account: dict[str, Any], password: str
) -> None:
    assert (await log_in_with(client, "ada", password)).status_code == 401
    assert (await log_in_with(client, "nobody", password)).status_code == 401


async def test_a_log_in_without_a_password_names_the_field(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/auth/token", data={"username": "ada"})
    assert answer.status_code == 422
    assert [fault["loc"] for fault in answer.json()["errors"]] == [["body", "password"]]


async def test_an_account_without_a_password_cannot_be_logged_in_to(client: httpx.AsyncClient) -> None:
    await User(username="imported", username_key="imported", password_hash="!").insert()
    assert (await log_in_with(client, "imported", "!")).status_code == 401


async def test_a_refresh_gives_a_new_pair(client: httpx.AsyncClient, account: dict[str, Any]) -> None:
    answer = await refresh(client, account["refresh_token"])
    assert answer.status_code == 200
    fresh = answer.json()
    assert fresh["refresh_token"] != account["refresh_token"]
    assert (await me(client, fresh["access_token"])).status_code == 200
    assert (await refresh(client, fresh["refresh_token"])).status_code == 200


async def test_logging_out_ends_the_log_in_and_is_repeatable(
    client: httpx.AsyncClient, account: dict[str, Any]
) -> None:
    heir = (await refresh(client, account["refresh_token"])).json()
    for _ in range(2):
        answer = await client.post("/api/v1/auth/logout", json={"refresh_token": heir["refresh_token"]})
        assert answer.status_code == 204
        assert answer.content == b""
    assert (await refresh(client, heir["refresh_token"])).status_code == 401
    assert await RefreshToken.find_all().count() == 0


@pytest.mark.parametrize("token", ["", "x" * 513, None, 7])
async def test_what_cannot_be_a_refresh_token_is_refused_at_its_place(client: httpx.AsyncClient, token: Any) -> None:
    answer = await refresh(client, token)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["body", "refresh_token"]


async def test_an_unknown_refresh_token_is_401(client: httpx.AsyncClient) -> None:
    assert (await refresh(client, "unknown")).status_code == 401


async def test_a_disabled_user_can_neither_log_in_nor_refresh_nor_look(
    client: httpx.AsyncClient, account: dict[str, Any]
) -> None:
    await User.find_one(User.username == "ada").update({"$set": {"disabled": True}})
    wrong = told(await log_in_with(client, "nobody"))
    assert told(await log_in_with(client, "ada")) == wrong
    assert (await refresh(client, account["refresh_token"])).status_code == 401
    assert (await me(client, account["access_token"])).status_code == 401


async def test_a_deleted_user_can_neither_refresh_nor_look(client: httpx.AsyncClient, account: dict[str, Any]) -> None:
    await User.find_one(User.username == "ada").delete()
    assert (await refresh(client, account["refresh_token"])).status_code == 401
    assert (await me(client, account["access_token"])).status_code == 401
