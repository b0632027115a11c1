"""What belongs to one listener is, for every other, not there."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from beanie import PydanticObjectId

from src.config.settings import Settings
from src.main import create_app
from src.models.users import User
from src.routes.access import admin, listener
from src.services.tokens import TokenIssuer, now_utc
from tests.api.test_access import api_routes, policies_of


async def a_login(owner: PydanticObjectId, settings: Settings, client: httpx.AsyncClient) -> str:
    await TokenIssuer.of(settings).issue(owner, now_utc())
    return str((await client.get("/api/v1/users/me/sessions")).json()["items"][0]["id"])


async def a_token(owner: PydanticObjectId, settings: Settings, client: httpx.AsyncClient) -> str:
    body = {"name": "script", "scopes": ["listen:write"]}
    return str((await client.post("/api/v1/users/me/tokens", json=body)).json()["id"])


Make = Callable[[PydanticObjectId, Settings, httpx.AsyncClient], Awaitable[str]]

OWNED: dict[tuple[str, str], Make] = {
    ("DELETE", "/api/v1/users/me/sessions/{session_id}"): a_login,
    ("DELETE", "/api/v1/users/me/tokens/{token_id}"): a_token,
}
"""Every route that a listener may call and that names something, and how to make such a thing."""


def test_every_route_that_names_something_of_a_listener_is_tried(settings: Settings) -> None:
    named = {
        (method, route.path)
        for route in api_routes(create_app(settings))
        if listener in policies_of(route) and admin not in policies_of(route) and "{" in (route.path or "")
        for method in route.methods or ()
    }
    assert named == OWNED.keys()


@pytest.mark.parametrize(("method", "path"), OWNED)
async def test_what_is_somebody_elses_is_404_and_stays(
    settings: Settings, ada: httpx.AsyncClient, bob: httpx.AsyncClient, method: str, path: str
) -> None:
    owner = await User.find_one(User.username == "ada")
    assert owner is not None
    assert owner.id is not None
    thing = await OWNED[method, path](owner.id, settings, ada)
    address = path.partition("{")[0] + thing
    theirs = await bob.request(method, address)
    nothing = await bob.request(method, path.partition("{")[0] + "665f1f77bcf86cd799439011")
    assert (theirs.status_code, theirs.json()["code"]) == (404, "not_found")
    # Not even the words tell what is somebody's from what is nobody's.
    assert theirs.json()["detail"].replace(thing, "") == nothing.json()["detail"].replace(
        "665f1f77bcf86cd799439011", ""
    )
    assert (await ada.request(method, address)).status_code == 204
