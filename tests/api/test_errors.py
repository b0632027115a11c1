"""Every error is a problem document (RFC 9457) with the request's id, and gives nothing away."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from src.config.embedded import EmbeddedDatabase
from src.config.settings import Settings
from src.main import create_app
from src.services.tokens import TokenIssuer, now_utc
from tests.conftest import SongJson, add_user, app_of, client_of, database_dies, running_app

PROBLEM = "application/problem+json"


def check(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM
    body: dict[str, Any] = answer.json()
    assert body.keys() - {"errors"} == {"type", "title", "status", "detail", "code", "request_id"}
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"urn:madhur:problem:{code.replace('_', '-')}"
    assert body["title"]
    assert body["detail"]
    assert answer.headers["x-request-id"] == body["request_id"]
    assert "Traceback" not in answer.text
    return body


async def test_an_address_there_is_nothing_at(client: httpx.AsyncClient) -> None:
    assert "/nowhere" in check(await client.get("/nowhere"), 404, "not_found")["detail"]


async def test_a_method_an_address_does_not_know(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/api/v1/moods")
    check(answer, 405, "http_error")
    assert answer.headers["allow"] == "GET"


async def test_every_fault_of_a_request_is_listed(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/songs", params={"limit": 0, "colour": "red"})
    body = check(answer, 422, "invalid_request")
    assert len(body["errors"]) == 2
    for fault in body["errors"]:
        assert fault.keys() == {"loc", "msg", "type"}
    assert body["detail"].endswith("(and 1 more)")


@pytest.mark.parametrize(
    "content", [b"{", b"[1,]", b"", b"nonsense", b'{"a": "\xff"}', b'{"a": ' + b"9" * 5_000 + b"}"]
)
async def test_a_body_that_is_not_json(client: httpx.AsyncClient, content: bytes) -> None:
    answer = await client.post("/api/v1/auth/register", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    check(answer, answer.status_code, answer.json()["code"])


async def test_a_name_that_is_no_text_is_refused_and_not_an_error_of_ours(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/api/v1/auth/register",
        content=b'{"username": "ada", "password": "correct horse", "\\ud800": 1}',
        headers={"Content-Type": "application/json"},
    )
    check(answer, 422, "invalid_request")


async def test_a_conflict(client: httpx.AsyncClient) -> None:
    await add_user("ada")
    body = {"username": "ada", "password": "correct horse"}
    check(await client.post("/api/v1/auth/register", json=body), 409, "conflict")


async def test_not_logged_in_and_not_allowed(client: httpx.AsyncClient, ada: httpx.AsyncClient) -> None:
    check(await client.get("/api/v1/users/me"), 401, "unauthenticated")
    check(await ada.get("/api/v1/admin/jobs"), 403, "forbidden")


@pytest.fixture
async def small(settings: Settings, songs: list[SongJson]) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application that takes bodies of 1,000 bytes at most."""
    async with running_app(settings.model_copy(update={"max_body_bytes": 1_000})) as client:
        yield client


async def in_parts(n_bytes: int) -> AsyncIterator[bytes]:
    for _ in range(n_bytes // 100):
        yield b" " * 100


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/api/v1/recommendations/session", "/api/v1/auth/token"])
async def test_a_body_that_is_too_large(small: httpx.AsyncClient, chunked: bool, path: str) -> None:
    content: Any = in_parts(2_000) if chunked else b" " * 2_000
    kind = "application/json" if path.endswith("session") else "application/x-www-form-urlencoded"
    answer = await small.post(path, content=content, headers={"Content-Type": kind, "X-Request-ID": "big-1"})
    assert ("content-length" in answer.request.headers) is not chunked
    body = check(answer, 413, "payload_too_large")
    assert "1,000 bytes" in body["detail"]
    assert body["request_id"] == "big-1"


async def test_a_body_just_small_enough_is_read(small: httpx.AsyncClient) -> None:
    answer = await small.post(
        "/api/v1/recommendations/session",
        content=b"{}" + b" " * 998,
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 200


async def test_a_request_keeps_its_id_and_gets_one_otherwise(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz", headers={"X-Request-ID": "abc-1.2_3"})
    assert answer.headers["x-request-id"] == "abc-1.2_3"
    first, second = [(await client.get("/healthz")).headers["x-request-id"] for _ in range(2)]
    assert first
    assert second
    assert first != second


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "<script>", "a\u00e9"])
async def test_an_id_that_could_be_misread_is_replaced(client: httpx.AsyncClient, given: str) -> None:
    answer = await client.get("/healthz", headers={"X-Request-ID": given.encode()})
    assert answer.headers["x-request-id"] not in ("", given)


async def test_answers_carry_the_headers_that_protect_browsers(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/nowhere"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


async def test_an_unforeseen_error_shows_nothing_of_its_cause(settings: Settings, songs: list[SongJson]) -> None:
    app = create_app(settings)

    async def broken() -> None:
        raise RuntimeError("the secret of the house")

    app.add_api_route("/broken", broken)
    async with app.router.lifespan_context(app), client_of(app) as client:
        answer = await client.get("/broken", headers={"X-Request-ID": "mine"})
    body = check(answer, 500, "internal_error")
    assert body["request_id"] == "mine"
    assert "secret of the house" not in answer.text
    assert "RuntimeError" not in answer.text


@database_dies
async def test_a_database_that_goes_away_is_503_and_what_needs_none_still_works(
    settings: Settings, tmp_path: Path
) -> None:
    database = EmbeddedDatabase(tmp_path / "short-lived")
    await asyncio.to_thread(database.__enter__)
    stopped = False
    try:
        # A client gives up after the time its address names; an operator's would be five seconds.
        away = settings.model_copy(update={"mongodb_uri": f"{database.uri}&timeoutMS=1500"})
        async with running_app(away) as client:
            token = TokenIssuer.of(settings).access_token(await add_user("ada"), now_utc())
            async with client_of(app_of(client), token) as ada:
                assert (await ada.get("/api/v1/users/me")).status_code == 200
                assert (await ada.get("/readyz")).status_code == 200
                await asyncio.to_thread(database.__exit__, None, None, None)
                stopped = True
                answer = await ada.get("/api/v1/recommendations")
                assert answer.headers["retry-after"] == "2"
                check(answer, 503, "unavailable")
                check(await ada.get("/api/v1/users/me"), 503, "unavailable")
                ready = await ada.get("/readyz")
                assert ready.status_code == 503
                assert "does not answer" in ready.json()["faults"]["database"]
                assert (await ada.get("/healthz")).status_code == 200
                assert (await ada.get("/api/v1/songs")).status_code == 200
                session = await ada.post("/api/v1/recommendations/session", json={})
                assert session.status_code == 200
    finally:
        if not stopped:
            await asyncio.to_thread(database.__exit__, None, None, None)
