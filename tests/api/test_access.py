"""Who may call what: every route has a policy, a token cannot be forged, a role is read at the time."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, RouteContext, iter_route_contexts

from src.config.settings import Settings
from src.main import create_app
from src.models.users import RefreshToken, Role, User
from src.routes.access import POLICIES, Anyone, admin, anyone, listener
from src.services.tokens import ACCESS_TYPE, ALGORITHM, AUDIENCE, ISSUER, TokenIssuer, now_utc
from tests.conftest import TEST_SECRET, LogIn, add_user

ADMIN_ROUTES = [
    ("GET", "/metrics"),
    ("POST", "/api/v1/songs"),
    ("PATCH", "/api/v1/songs/665f1f77bcf86cd799439011"),
    ("DELETE", "/api/v1/songs/665f1f77bcf86cd799439011"),
    ("POST", "/api/v1/admin/train"),
    ("GET", "/api/v1/admin/jobs"),
    ("GET", "/api/v1/admin/jobs/665f1f77bcf86cd799439011"),
    ("GET", "/api/v1/admin/models"),
    ("POST", "/api/v1/admin/models/x/promote"),
    ("GET", "/api/v1/admin/users"),
    ("PATCH", "/api/v1/admin/users/665f1f77bcf86cd799439011"),
    ("GET", "/api/v1/admin/audit"),
]
LISTENER_ROUTES = [
    ("GET", "/api/v1/users/me"),
    ("GET", "/api/v1/users/me/history"),
    ("GET", "/api/v1/users/me/taste"),
    ("POST", "/api/v1/interactions"),
    ("POST", "/api/v1/interactions/batch"),
    ("GET", "/api/v1/recommendations"),
    ("DELETE", "/api/v1/users/me"),
    ("POST", "/api/v1/users/me/password"),
    ("GET", "/api/v1/users/me/export"),
    ("GET", "/api/v1/users/me/sessions"),
    ("DELETE", "/api/v1/users/me/sessions"),
    ("DELETE", "/api/v1/users/me/sessions/{session_id}"),
    ("GET", "/api/v1/users/me/tokens"),
    ("POST", "/api/v1/users/me/tokens"),
    ("DELETE", "/api/v1/users/me/tokens/{token_id}"),
]
FRAMEWORK_PATHS = {"/openapi.json", "/docs", "/docs/oauth2-redirect", "/redoc"}
BODIES: dict[str, Any] = {"POST": {"title": "T", "artists": ["A"]}, "PATCH": {"title": "T"}}


def calls(dependant: Dependant) -> Iterator[Any]:
    for each in dependant.dependencies:
        yield each.call
        yield from calls(each)


def api_routes(app: FastAPI) -> Iterator[RouteContext]:
    """Every route of our own; anything that is not one and not the framework's fails."""
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute):
            yield route
        else:
            assert route.path in FRAMEWORK_PATHS, f"{route!r} is not covered by the policies"


def policies_of(route: RouteContext) -> set[Any]:
    return {call for call in calls(route.dependant) if call in POLICIES}


def without_policy(app: FastAPI) -> list[str | None]:
    return [route.path for route in api_routes(app) if not policies_of(route)]


def routes_with(app: FastAPI, *policies: Any) -> set[tuple[str, str | None]]:
    """Method and path of the routes whose policies are exactly these."""
    found = (route for route in api_routes(app) if policies_of(route) == set(policies))
    return {(method, route.path) for route in found for method in route.methods or ()}


def test_every_route_declares_who_may_call_it(settings: Settings) -> None:
    app = create_app(settings)
    assert without_policy(app) == []
    for_listeners, for_admins = routes_with(app, listener), routes_with(app, admin, listener)
    assert for_listeners == set(LISTENER_ROUTES)
    assert len(for_admins) == len(ADMIN_ROUTES)
    n_routes = sum(len(route.methods or ()) for route in api_routes(app))
    assert len(routes_with(app, anyone)) + len(for_listeners) + len(for_admins) == n_routes


def test_a_route_without_a_policy_would_be_found() -> None:
    async def nothing() -> None: ...

    router = APIRouter(prefix="/inner")
    router.add_api_route("/open", nothing, dependencies=[Anyone])
    router.add_api_route("/forgotten", nothing, dependencies=[Depends(nothing)])
    app = FastAPI()
    app.include_router(router, prefix="/outer")
    app.add_api_route("/also", nothing)
    assert without_policy(app) == ["/outer/inner/forgotten", "/also"]


def test_a_mounted_application_would_be_found() -> None:
    app = FastAPI()
    app.mount("/mounted", FastAPI())
    with pytest.raises(AssertionError, match="not covered by the policies"):
        without_policy(app)


def test_a_policy_deep_in_the_tree_counts() -> None:
    async def nothing() -> None: ...

    async def outer(_: None = Anyone) -> None: ...

    app = FastAPI()
    app.add_api_route("/deep", nothing, dependencies=[Depends(outer)])
    assert without_policy(app) == []


@pytest.mark.parametrize(("method", "path"), LISTENER_ROUTES + ADMIN_ROUTES)
async def test_without_a_log_in_it_is_401_before_anything_else(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await client.request(method, path, json=BODIES.get(method))
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("method", "path"), ADMIN_ROUTES)
async def test_a_listener_may_not_do_what_an_administrator_may(ada: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await ada.request(method, path, json=BODIES.get(method))
    assert answer.status_code == 403
    assert answer.json()["code"] == "forbidden"


async def test_a_change_of_role_takes_effect_at_once(log_in: LogIn) -> None:
    eve = await log_in("eve")
    assert (await eve.get("/api/v1/admin/jobs")).status_code == 403
    await User.find_one(User.username == "eve").update({"$set": {"role": Role.ADMIN.value}})
    assert (await eve.get("/api/v1/admin/jobs")).status_code == 200
    await User.find_one(User.username == "eve").update({"$set": {"role": Role.LISTENER.value}})
    assert (await eve.get("/api/v1/admin/jobs")).status_code == 403


async def test_a_disabled_administrator_is_none(admin: httpx.AsyncClient) -> None:
    assert (await admin.get("/api/v1/admin/jobs")).status_code == 200
    await User.find_one(User.username == "root").update({"$set": {"disabled": True}})
    assert (await admin.get("/api/v1/admin/jobs")).status_code == 401


def claims(user_id: Any, **more: Any) -> dict[str, Any]:
    now = now_utc()
    made = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "iat": now,
        "nbf": now,
        "exp": now + timedelta(minutes=5),
        "jti": "x",
    } | more
    return {name: value for name, value in made.items() if value is not None}


def signed(
    payload: dict[str, Any], key: str = TEST_SECRET, algorithm: str = ALGORITHM, typ: str | None = ACCESS_TYPE
) -> str:
    return jwt.encode(payload, key, algorithm, headers={"typ": typ})


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, default=str).encode()).decode().rstrip("=")


def unsigned(payload: dict[str, Any], algorithm: str) -> str:
    payload = payload | {name: int(payload[name].timestamp()) for name in ("iat", "nbf", "exp")}
    return f"{part({'alg': algorithm, 'typ': ACCESS_TYPE})}.{part(payload)}."


PAST = now_utc() - timedelta(hours=2)
FORGERIES: dict[str, Any] = {
    "alg none": lambda user: unsigned(claims(user), "none"),
    "alg None": lambda user: unsigned(claims(user), "None"),
    "our algorithm without a signature": lambda user: unsigned(claims(user), ALGORITHM),
    "another key": lambda user: signed(claims(user), "another-key-0123456789-0123456789-0123456789"),
    "another algorithm": lambda user: signed(claims(user), TEST_SECRET * 3, "HS512"),
    "expired": lambda user: signed(claims(user, iat=PAST, nbf=PAST, exp=PAST + timedelta(hours=1))),
    "not yet valid": lambda user: signed(claims(user, nbf=now_utc() + timedelta(hours=1))),
    "issued in the future": lambda user: signed(claims(user, iat=now_utc() + timedelta(hours=1))),
    "another audience": lambda user: signed(claims(user, aud="elsewhere")),
    "another issuer": lambda user: signed(claims(user, iss="elsewhere")),
    "no type": lambda user: signed(claims(user), typ=None),
    "another type": lambda user: signed(claims(user), typ="JWT"),
    "no subject": lambda user: signed(claims(user, sub=None)),
    "a subject that is no id": lambda user: signed(claims("root")),
    "no expiry": lambda user: signed(claims(user, exp=None)),
    "no audience": lambda user: signed(claims(user, aud=None)),
    "truncated signature": lambda user: signed(claims(user))[:-10],
    "truncated payload": lambda user: ".".join(signed(claims(user)).split(".")[:2]),
    "not base64": lambda user: "%%%.%%%.%%%",
    "two dots": lambda user: "..",
    "a word": lambda user: "token",
}


async def look(client: httpx.AsyncClient, authorization: str) -> int:
    answer = await client.get("/api/v1/users/me", headers={"Authorization": authorization})
    return answer.status_code


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_token_is_401(client: httpx.AsyncClient, forgery: str) -> None:
    user = await add_user("ada")
    assert await look(client, f"Bearer {signed(claims(user))}") == 200  # the parts are right but for the forgery
    assert await look(client, f"Bearer {FORGERIES[forgery](user)}") == 401


async def test_a_changed_payload_under_a_real_signature_is_401(client: httpx.AsyncClient, settings: Settings) -> None:
    ada, bob = await add_user("ada"), await add_user("bob")
    header, payload, signature = TokenIssuer.of(settings).access_token(ada, now_utc()).split(".")
    theirs = json.loads(base64.urlsafe_b64decode(payload + "=="))
    assert theirs["sub"] == str(ada)
    assert await look(client, f"Bearer {header}.{part(theirs | {'sub': str(bob)})}.{signature}") == 401


@pytest.mark.parametrize("scheme", ["Basic", "Token", ""])
async def test_another_scheme_is_401(client: httpx.AsyncClient, scheme: str) -> None:
    assert await look(client, f"{scheme} {signed(claims(await add_user('ada')))}") == 401


async def test_a_refresh_token_is_not_an_access_token(client: httpx.AsyncClient, settings: Settings) -> None:
    pair = await TokenIssuer.of(settings).issue(await add_user("ada"), now_utc())
    assert await look(client, f"Bearer {pair.access_token}") == 200
    assert await look(client, f"Bearer {pair.refresh_token}") == 401
    body = {"refresh_token": pair.access_token}
    assert (await client.post("/api/v1/auth/refresh", json=body)).status_code == 401
    assert await RefreshToken.find_all().count() == 1


async def test_a_token_of_somebody_who_is_gone_is_401(client: httpx.AsyncClient) -> None:
    user = await add_user("ada")
    await User.find_one(User.id == user).delete()
    assert await look(client, f"Bearer {signed(claims(user))}") == 401


async def test_an_error_about_a_token_does_not_show_it(client: httpx.AsyncClient) -> None:
    token = signed(claims("root"))
    answer = await client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"})
    assert token not in answer.text
    assert TEST_SECRET not in answer.text
