"""Choosing a new password by a mailed token."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from src.models.tokens import ApiToken, PasswordReset, RefreshToken
from src.models.users import User
from src.services.runtime import Runtime
from src.services.tokens import now_utc
from tests.api.test_accounts import PASSWORD, log_in_with, refresh, register
from tests.conftest import app_of

NEW = "a wholly new one"


class Mailbox:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.mails: list[tuple[str, str]] = []

    async def send(self, recipient: str, subject: str, text: str) -> None:
        self.mails.append((recipient, text))

    def token(self) -> str:
        found = re.search(r"^    (\S+)$", self.mails[-1][1], re.MULTILINE)
        assert found is not None
        return found[1]


@pytest.fixture
async def mailbox(client: httpx.AsyncClient) -> Mailbox:
    runtime: Runtime = app_of(client).state.runtime
    made = Mailbox()
    object.__setattr__(runtime, "mailer", made)
    return made


@pytest.fixture
async def account(client: httpx.AsyncClient, mailbox: Mailbox) -> dict[str, Any]:
    assert (await register(client, email="ada@example.org")).status_code == 201
    tokens: dict[str, Any] = (await log_in_with(client, "ada")).json()
    return tokens


async def ask(client: httpx.AsyncClient, name: str) -> httpx.Response:
    return await client.post("/api/v1/auth/password-reset", json={"username": name})


async def confirm(client: httpx.AsyncClient, token: str, password: str = NEW) -> httpx.Response:
    return await client.post("/api/v1/auth/password-reset/confirm", json={"token": token, "password": password})


@pytest.mark.parametrize("name", ["ada", "ADA@example.org"])
async def test_a_mailed_token_sets_a_new_password_and_ends_everything_else(
    client: httpx.AsyncClient, account: dict[str, Any], mailbox: Mailbox, name: str
) -> None:
    headers = {"Authorization": f"Bearer {account['access_token']}"}
    await client.post("/api/v1/users/me/tokens", json={"name": "t", "scopes": ["listen:write"]}, headers=headers)
    assert (await ask(client, name)).status_code == 202
    assert [recipient for recipient, _ in mailbox.mails] == ["ada@example.org"]
    assert (await confirm(client, mailbox.token())).status_code == 204
    assert (await log_in_with(client, "ada")).status_code == 401
    assert (await log_in_with(client, "ada", NEW)).status_code == 200
    assert (await refresh(client, account["refresh_token"])).status_code == 401
    assert await ApiToken.find_all().count() == 0


async def test_the_answer_is_the_same_for_everybody(
    client: httpx.AsyncClient, account: dict[str, Any], mailbox: Mailbox
) -> None:
    await register(client, username="noaddress")
    answers = [await ask(client, name) for name in ("ada", "nobody", "nobody@example.org", "noaddress")]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, answers[0].text)}
    assert len(mailbox.mails) == 1


async def test_a_token_works_once_even_at_once(
    client: httpx.AsyncClient, account: dict[str, Any], mailbox: Mailbox
) -> None:
    await ask(client, "ada")
    token = mailbox.token()
    answers = await asyncio.gather(*(confirm(client, token, f"{NEW} {i}") for i in range(5)))
    assert sorted(answer.status_code for answer in answers) == [204, 422, 422, 422, 422]
    assert (await confirm(client, token)).status_code == 422


async def test_a_later_token_replaces_the_earlier(
    client: httpx.AsyncClient, account: dict[str, Any], mailbox: Mailbox
) -> None:
    await ask(client, "ada")
    earlier = mailbox.token()
    await ask(client, "ada")
    assert (await confirm(client, earlier)).status_code == 422
    assert (await confirm(client, mailbox.token())).status_code == 204


async def test_an_expired_or_unknown_token_changes_nothing(
    client: httpx.AsyncClient, account: dict[str, Any], mailbox: Mailbox
) -> None:
    await ask(client, "ada")
    await PasswordReset.find_one().update({"$set": {"expires_at": now_utc() - timedelta(seconds=1)}})
    for token in (mailbox.token(), "unknown"):
        assert (await confirm(client, token)).json()["errors"][0]["type"] == "reset_token"
    assert (await log_in_with(client, "ada", PASSWORD)).status_code == 200
    assert await RefreshToken.find_all().count() == 2


async def test_a_password_that_is_refused_does_not_cost_the_token(
    client: httpx.AsyncClient, account: dict[str, Any], mailbox: Mailbox
) -> None:
    await ask(client, "ada")
    assert (await confirm(client, mailbox.token(), "password")).json()["errors"][0]["loc"] == ["body", "password"]
    assert (await confirm(client, mailbox.token())).status_code == 204


async def test_each_account_of_an_address_gets_its_own_token(
    client: httpx.AsyncClient, account: dict[str, Any], mailbox: Mailbox
) -> None:
    await register(client, username="eve", password="another password", email="Ada@example.org")
    await ask(client, "ada@example.org")
    assert sorted(re.findall(r'account "(\w+)"', str(mailbox.mails))) == ["ada", "eve"]


async def test_a_disabled_account_gets_no_mail(
    client: httpx.AsyncClient, account: dict[str, Any], mailbox: Mailbox
) -> None:
    await User.find_one(User.username == "ada").update({"$set": {"disabled": True}})
    assert (await ask(client, "ada")).status_code == 202
    assert mailbox.mails == []


async def test_a_mailbox_is_not_flooded(client: httpx.AsyncClient, account: dict[str, Any], mailbox: Mailbox) -> None:
    answers = [await ask(client, "ada") for _ in range(25)]
    assert {answer.status_code for answer in answers} == {202}
    assert len(mailbox.mails) == 20


async def test_the_console_shows_the_mail(client: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]) -> None:
    await register(client, email="ada@example.org")
    await ask(client, "ada")
    shown = re.search(r"^    (\S+)$", capsys.readouterr().err, re.MULTILINE)
    assert shown is not None
    assert (await confirm(client, shown[1])).status_code == 204
