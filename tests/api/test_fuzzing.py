"""The whole API against its own schema, injections in every string, and fields nobody may assign."""

import asyncio
import re
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
import requests
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from src.config.settings import Settings
from src.main import create_app
from src.models.users import Role, User
from src.services.tokens import TokenIssuer, now_utc
from tests.api.test_accounts import register
from tests.conftest import SongJson, add_user

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
NOT_FUZZED = {
    ("POST", "/api/v1/admin/train"): "starts a process; tests/api/test_training.py",
    ("DELETE", "/api/v1/users/me/sessions"): "nothing to vary",
}
EXAMPLES = 8


@pytest.fixture
def served(settings: Settings, songs: list[SongJson]) -> Iterator[tuple[str, str]]:
    """The address of a running server and an administrator's token.

    It runs in a thread with a loop of its own, as schemathesis calls without one.
    """
    open_ = settings.model_copy(
        update={"rate_limit": "off", "login_limit_account": "off", "login_limit_address": "off", "log_level": "ERROR"}
    )
    config = uvicorn.Config(create_app(open_), port=0, log_config=None, lifespan="on")
    server = uvicorn.Server(config)
    found: dict[str, str] = {}

    async def serve() -> None:
        task = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - it has no event to wait for
            await asyncio.sleep(0.01)
        found["token"] = TokenIssuer.of(open_).access_token(await add_user("fuzz", Role.ADMIN), now_utc())
        found["port"] = str(server.servers[0].sockets[0].getsockname()[1])
        ready.set()
        await task

    ready = threading.Event()
    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(30)
    yield f"http://127.0.0.1:{found['port']}", found["token"]
    server.should_exit = True
    thread.join()


def test_every_operation_keeps_to_its_schema(served: tuple[str, str]) -> None:
    address, token = served
    session = requests.Session()
    schema = schemathesis.openapi.from_url(f"{address}/openapi.json")
    tried = 0
    for result in schema.get_all_operations():
        operation = result.ok()
        if (operation.method.upper(), operation.path) in NOT_FUZZED:
            continue
        tried += 1

        @seed(20_240_611)
        @hypothesis_settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(operation.as_strategy())
        def conforms(case: Any) -> None:
            headers = {"Authorization": f"Bearer {token}"}
            case.call_and_validate(session=session, headers=headers, checks=CHECKS)

        conforms()
    session.close()
    assert tried > 30


INJECTIONS: list[Any] = [
    {"$ne": None},
    {"$gt": ""},
    {"$where": "sleep(5000)"},
    ["$ne"],
    "' || 'x'=='x",
    '{"$ne": null}',
    "$where",
    "q.z",
    "\u0000",
    "../../etc/passwd",
]


def string_parameters(schema: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Method, path and name of every parameter of the path or the query that takes text."""
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", []):
                if "string" in str(parameter["schema"]) and parameter["in"] in ("path", "query"):
                    yield method, path, parameter["name"]


async def test_an_injection_in_a_parameter_is_a_word_or_refused(
    client: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    schema = (await client.get("/openapi.json")).json()
    parameters = list(string_parameters(schema))
    assert len(parameters) > 15
    for method, path, name in parameters:
        for injection in INJECTIONS:
            place = path.replace(f"{{{name}}}", quote(str(injection), safe=""))
            for query in ({name: str(injection)}, {f"{name}[$ne]": "x"}):
                answer = await admin.request(method, place, params=None if place != path else query)
                assert answer.status_code in (200, 403, 404, 405, 422), (method, path, name, injection)
                if answer.status_code == 200:
                    # Nothing but the list that a word nobody has gives.
                    assert answer.json()["items"] == [] or query.keys() != {name}, (path, name, injection)


async def test_an_injection_in_a_body_is_a_word_or_refused(client: httpx.AsyncClient, admin: httpx.AsyncClient) -> None:
    await register(client)
    schema = (await client.get("/openapi.json")).json()
    bodies = [
        (path, method, operation["requestBody"]["content"]["application/json"]["schema"])
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]
    assert len(bodies) > 10
    for path, method, body in bodies:
        fields = schema["components"]["schemas"][body["$ref"].rpartition("/")[2]]["properties"]
        address = re.sub(r"\{\w+\}", "665f1f77bcf86cd799439011", path)
        for injection in INJECTIONS:
            answer = await admin.request(method, address, json=dict.fromkeys(fields, injection))
            assert answer.status_code in (202, 204, 401, 404, 422), (path, injection, answer.text)
    for name in ({"$ne": None}, "[$ne]"):
        answer = await client.post(
            "/api/v1/auth/token", data={"username": str(name), "password": "x", "username[$ne]": "y"}
        )
        assert answer.status_code == 401
    assert await User.find_all().count() == 2


@pytest.mark.parametrize(
    "field", ["id", "_id", "role", "disabled", "password_hash", "username_key", "created_at", "admin_changes", "scopes"]
)
async def test_no_field_is_assigned_that_is_not_offered(client: httpx.AsyncClient, field: str) -> None:
    body = {"username": "eve", "password": "correct horse battery", field: "admin"}
    answer = await client.post("/api/v1/auth/register", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["loc"] == ["body", field]
    assert await User.find_all().count() == 0


async def test_every_body_refuses_fields_it_does_not_know(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/openapi.json")).json()
    open_bodies = [
        path
        for path, operations in schema["paths"].items()
        for operation in operations.values()
        for content in [operation.get("requestBody", {}).get("content", {}).get("application/json")]
        if content
        and schema["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]].get("additionalProperties")
        is not False
    ]
    assert open_bodies == []


async def test_interactions_are_always_the_callers_own(
    ada: httpx.AsyncClient, bob: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    bobs_id = (await bob.get("/api/v1/users/me")).json()["id"]
    like = {"song_id": songs[0]["id"], "kind": "like", "user_id": bobs_id}
    assert (await ada.post("/api/v1/interactions", json=like)).status_code == 422
    assert (await bob.get("/api/v1/users/me/history")).json()["items"] == []


async def test_of_fifty_who_register_one_name_at_once_exactly_one_gets_it(client: httpx.AsyncClient) -> None:
    names = ["ada", "ADA", "Ada", "\uff41da", " ada"]
    answers = await asyncio.gather(
        *(register(client, username=names[i % 5], email=f"{i}@example.org") for i in range(50))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 49
    assert await User.find_all().count() == 1
