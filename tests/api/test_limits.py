"""How often: log-ins by account and by address, requests by listener and by address."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from src.config.settings import Settings
from src.models.users import User
from src.services.limits import CounterStorage, Limits
from src.services.tokens import TokenIssuer, now_utc
from tests.api.test_accounts import log_in_with, register
from tests.conftest import SongJson, add_user, app_of, client_of, running_app


@pytest.fixture
async def strict(settings: Settings, songs: list[SongJson]) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application with low limits, behind a proxy that it trusts."""
    low = {
        "rate_limit": "5/minute",
        "login_limit_account": "3/15minutes",
        "trusted_proxies": ["127.0.0.1"],
    }
    async with running_app(settings.model_copy(update=low)) as client:
        yield client


def is_limited(answer: httpx.Response) -> bool:
    if answer.status_code != 429:
        return False
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "too_many_requests"
    assert 1 <= int(answer.headers["retry-after"]) <= 3600
    return True


def from_address(number: int) -> dict[str, str]:
    return {"X-Forwarded-For": f"203.0.113.{number}"}


async def try_log_in(client: httpx.AsyncClient, name: str, address: int, password: str = "wrong one") -> httpx.Response:
    form = {"username": name, "password": password}
    return await client.post("/api/v1/auth/token", data=form, headers=from_address(address))


@pytest.mark.parametrize("name", ["ada", "nobody"])
async def test_an_account_is_throttled_from_wherever_it_is_tried_and_exists_or_not(
    strict: httpx.AsyncClient, name: str
) -> None:
    assert (await register(strict)).status_code == 201
    answers = [await try_log_in(strict, spelling, i) for i, spelling in enumerate([name, name.upper(), f" {name}"])]
    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert is_limited(await try_log_in(strict, name, 9))
    # Nor does the right password get through: whoever tries would learn that it is right.
    assert is_limited(await try_log_in(strict, name, 10, "correct horse battery"))


async def test_a_log_in_forgives_what_failed_before(strict: httpx.AsyncClient) -> None:
    await register(strict)
    for round_ in range(2):
        for i in range(2):
            assert (await try_log_in(strict, "ada", 10 * round_ + i)).status_code == 401
        assert (await try_log_in(strict, "ada", 10 * round_ + 5, "correct horse battery")).status_code == 200


async def test_an_address_is_throttled_whatever_account_it_tries(settings: Settings, songs: list[SongJson]) -> None:
    low = {"rate_limit": "off", "login_limit_address": "6/15minutes", "trusted_proxies": ["127.0.0.1"]}
    async with running_app(settings.model_copy(update=low)) as client:
        answers = [await try_log_in(client, f"user{i}", 1) for i in range(6)]
        assert [answer.status_code for answer in answers] == [401] * 6
        assert is_limited(await try_log_in(client, "user7", 1))
        assert (await try_log_in(client, "user7", 2)).status_code == 401


async def test_attempts_at_once_are_all_counted(strict: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(try_log_in(strict, "ada", i) for i in range(20)))
    assert sorted({answer.status_code for answer in answers}) == [401, 429]
    assert sum(answer.status_code == 401 for answer in answers) == 3


async def test_registrations_and_resets_are_throttled_by_address(settings: Settings, songs: list[SongJson]) -> None:
    low = settings.model_copy(update={"login_limit_address": "2/hour"})
    async with running_app(low) as client:
        assert (await register(client, username="one1")).status_code == 201
        reset = {"username": "one1"}
        assert (await client.post("/api/v1/auth/password-reset", json=reset)).status_code == 202
        assert is_limited(await client.post("/api/v1/auth/password-reset", json=reset))
        assert is_limited(await register(client, username="two2"))
        assert await User.find_all().count() == 1


async def test_requests_are_counted_by_listener_and_told_in_headers(
    strict: httpx.AsyncClient, settings: Settings
) -> None:
    issuer = TokenIssuer.of(settings)
    ada, bob = await add_user("ada"), await add_user("bob")
    # Two tokens of one listener share the limit.
    tokens = [issuer.access_token(ada, now_utc()) for _ in range(2)]
    answers = []
    for i in range(5):
        async with client_of(app_of(strict), tokens[i % 2]) as client:
            answers.append(await client.get("/api/v1/recommendations"))
    assert [answer.status_code for answer in answers] == [200] * 5
    assert [answer.headers["ratelimit"].split(";")[1] for answer in answers] == [f"r={n}" for n in (4, 3, 2, 1, 0)]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"requests";q=5;w=60'}
    async with client_of(app_of(strict), tokens[0]) as client:
        assert is_limited(await client.get("/api/v1/recommendations"))
    async with client_of(app_of(strict), issuer.access_token(bob, now_utc())) as client:
        assert (await client.get("/api/v1/recommendations")).status_code == 200


async def test_without_a_log_in_an_address_is_counted_and_forged_tokens_are_no_way_around(
    strict: httpx.AsyncClient,
) -> None:
    for i in range(5):
        forged = {"Authorization": f"Bearer forged-{i}", **from_address(1)}
        assert (await strict.get("/api/v1/recommendations", headers=forged)).status_code == 401
    assert is_limited(await strict.get("/api/v1/moods", headers=from_address(1)))
    assert (await strict.get("/api/v1/moods", headers=from_address(2))).status_code == 200


async def test_probes_are_never_limited(strict: httpx.AsyncClient) -> None:
    for _ in range(10):
        assert (await strict.get("/healthz")).status_code == 200


async def test_a_limit_that_is_off_lets_everything_pass(settings: Settings, songs: list[SongJson]) -> None:
    off = {"rate_limit": "off", "login_limit_account": "off", "login_limit_address": "off"}
    async with running_app(settings.model_copy(update=off)) as client:
        answers = [await log_in_with(client, "nobody") for _ in range(8)]
        assert {answer.status_code for answer in answers} == {401}
        assert "ratelimit" not in (await client.get("/api/v1/moods")).headers


@pytest.mark.parametrize(
    ("forwarded", "counted"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("6.6.6.6, 198.51.100.7", "198.51.100.7"),
        ("198.51.100.7, 127.0.0.1", "198.51.100.7"),
        ("nonsense", "127.0.0.1"),
        ("6.6.6.6, nonsense", "127.0.0.1"),
    ],
)
async def test_behind_a_trusted_proxy_the_rightmost_address_that_is_none_counts(
    strict: httpx.AsyncClient, forwarded: str, counted: str
) -> None:
    for _ in range(5):
        await strict.get("/api/v1/moods", headers={"X-Forwarded-For": forwarded})
    direct = {} if counted == "127.0.0.1" else {"X-Forwarded-For": counted}
    assert is_limited(await strict.get("/api/v1/moods", headers=direct))


async def test_without_a_trusted_proxy_nobody_believes_forwarded_headers(
    settings: Settings, songs: list[SongJson]
) -> None:
    async with running_app(settings.model_copy(update={"rate_limit": "2/minute"})) as client:
        for i in range(2):
            headers = {**from_address(i), "X-Forwarded-Proto": "https"}
            answer = await client.get("/api/v1/moods", headers=headers)
            assert "strict-transport-security" not in answer.headers
        assert is_limited(await client.get("/api/v1/moods", headers=from_address(7)))


async def test_the_players_files_are_not_counted(settings: Settings, songs: list[SongJson]) -> None:
    async with running_app(settings.model_copy(update={"rate_limit": "2/minute"})) as client:
        page = (await client.get("/")).text
        (script,) = re.findall(r'<script type="module" src="([^"]+)"', page)
        for _ in range(5):
            assert (await client.get(script)).status_code == 200
        assert not is_limited(await client.get("/api/v1/moods"))
        assert is_limited(await client.get("/api/v1/moods"))


async def test_https_by_a_trusted_proxy_is_kept_for_a_year(strict: httpx.AsyncClient) -> None:
    over_https = await strict.get("/healthz", headers={"X-Forwarded-Proto": "https"})
    assert over_https.headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in (await strict.get("/healthz")).headers


async def test_api_answers_cannot_be_framed_run_or_kept(strict: httpx.AsyncClient, settings: Settings) -> None:
    token = TokenIssuer.of(settings).access_token(await add_user("ada"), now_utc())
    answer = await strict.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answer.headers["cache-control"] == "no-store"


async def test_counters_that_have_ended_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("src.services.limits.time.time", lambda: now)
    storage = CounterStorage()
    assert [await storage.incr("a", 10) for _ in range(3)] == [1, 2, 3]
    now += 10
    assert await storage.get("a") == 0
    assert await storage.incr("a", 10) == 1
    now += CounterStorage.SWEEP_SECONDS + 1
    assert await storage.incr("b", 10) == 1
    assert await storage.reset() == 1


async def test_a_redis_that_does_not_answer_limits_nobody() -> None:
    values: dict[str, Any] = {"redis_url": "redis://127.0.0.1:1/0", "rate_limit": "1/minute"}
    limits = Limits.of(Settings(_env_file=None, **values))
    assert [await limits.count_request("ada") for _ in range(3)] == [None, None, None]
    await limits.close()
