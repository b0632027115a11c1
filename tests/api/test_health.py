"""Probes, metrics and the documentation that the application serves about itself."""

from typing import Any

import httpx

from tests.conftest import SongJson


async def test_the_probes_of_a_healthy_process(client: httpx.AsyncClient, songs: list[SongJson]) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "faults": {},
        "model_version": "untrained",
        "n_songs": len(songs),
    }


async def test_metrics_count_requests_by_route_and_not_by_song(admin: httpx.AsyncClient, songs: list[SongJson]) -> None:
    await admin.get(f"/api/v1/songs/{songs[0]['id']}")
    await admin.get("/nowhere")
    answer = await admin.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'madhur_requests_total{method="GET",route="/api/v1/songs/{song_id}",status="200"}' in answer.text
    assert songs[0]["id"] not in answer.text
    assert "nowhere" not in answer.text


async def openapi(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.get("/openapi.json")
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    return body


async def test_the_documentation_pages_are_served(client: httpx.AsyncClient) -> None:
    answer = await client.get("/docs")
    assert answer.status_code == 200
    assert "swagger-ui" in answer.text
    assert "/openapi.json" in answer.text


async def test_authorize_asks_for_the_token_where_it_is_given(client: httpx.AsyncClient) -> None:
    schema = await openapi(client)
    (scheme,) = schema["components"]["securitySchemes"].values()
    token_url = scheme["flows"]["password"]["tokenUrl"]
    assert "post" in schema["paths"][token_url]
    await client.post("/api/v1/auth/register", json={"username": "ada", "password": "correct horse"})
    form = {"grant_type": "password", "username": "ada", "password": "correct horse"}
    answer = await client.post(token_url, data=form)
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "bearer"


async def test_what_needs_a_log_in_says_so_in_the_schema(client: httpx.AsyncClient) -> None:
    paths = (await openapi(client))["paths"]
    assert "security" in paths["/api/v1/recommendations"]["get"]
    assert "security" in paths["/api/v1/songs"]["post"]
    assert "security" not in paths["/api/v1/songs"]["get"]
    assert "security" not in paths["/api/v1/auth/register"]["post"]


async def test_every_operation_is_described_and_every_error_is_a_problem(client: httpx.AsyncClient) -> None:
    schema = await openapi(client)
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path} says nothing of itself"
            for status, response in operation["responses"].items():
                if int(status) >= 400 and path != "/readyz":
                    assert list(response["content"]) == ["application/problem+json"], f"{method} {path} {status}"


async def test_features_can_be_named_with_and_without_their_unit(client: httpx.AsyncClient) -> None:
    parameters = (await openapi(client))["paths"]["/api/v1/recommendations"]["get"]["parameters"]
    names = {parameter["name"] for parameter in parameters}
    assert {f"{side}_{name}" for side in ("min", "max", "target") for name in ("tempo", "tempo_bpm", "energy")} <= names
