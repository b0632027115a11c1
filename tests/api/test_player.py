"""The player's page and its cookie session, over HTTP."""

import re
from http.cookies import Morsel, SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest

from src.models.users import RefreshToken
from src.routes.web.assets import ROOT, read_assets
from src.routes.web.session import COOKIE

PASSWORD = "correct horse battery"
OURS = {"X-Madhur-Player": "1", "Origin": "http://test"}


@pytest.fixture
async def ada_exists(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v1/auth/register", json={"username": "ada", "password": PASSWORD})
    assert answer.status_code == 201


async def log_in_at(client: httpx.AsyncClient, **headers: str) -> httpx.Response:
    body = {"username": "ada", "password": PASSWORD}
    return await client.post("/session/login", json=body, headers=OURS | headers)


def cookie_of(answer: httpx.Response) -> Morsel[str]:
    return SimpleCookie(answer.headers["set-cookie"])[COOKIE]


async def test_the_page_is_served_with_a_policy_that_runs_nothing_but_our_own_files(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'self'"
    assert "script-src" not in policy
    assert "style-src" not in policy
    assert (policy["base-uri"], policy["object-src"], policy["frame-ancestors"]) == ("'none'",) * 3
    assert policy["require-trusted-types-for"] == "'script'"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_page_has_no_inline_code_and_names_no_other_host(client: httpx.AsyncClient) -> None:
    html = (await client.get("/")).text
    assert re.findall(r"<script(?![^>]*\bsrc=)", html) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", html) == []
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", html) == []


async def test_everything_the_page_and_its_modules_name_is_there_and_kept_for_ever(client: httpx.AsyncClient) -> None:
    waiting = re.findall(r'(?:src|href)="(/static/[^"]+)"', (await client.get("/")).text)
    seen: dict[str, int] = {}
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        answer = await client.get(address)
        assert answer.status_code == 200, address
        assert "immutable" in answer.headers["cache-control"]
        seen[address] = len(answer.content)
        if address.endswith(".js"):
            assert answer.headers["content-type"].startswith("text/javascript")
            for name in re.findall(r'from "(\.[^"]+)"', answer.text):
                waiting.append(str(httpx.URL(f"http://test{address}").join(name).path))
    assert {address.split("/", 4)[-1] for address in seen} == set(read_assets().files), "a file that nothing loads"
    assert sum(seen.values()) < 200_000


async def test_files_are_sent_compressed_to_whoever_takes_that(client: httpx.AsyncClient) -> None:
    packed = await client.get("/", headers={"Accept-Encoding": "gzip"})
    plain = await client.get("/", headers={"Accept-Encoding": "identity"})
    assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content


async def test_a_page_that_has_not_changed_is_not_sent_again(client: httpx.AsyncClient) -> None:
    first = await client.get("/")
    again = await client.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_changed_file_changes_the_address_of_all(tmp_path: Path) -> None:
    for path in ROOT.rglob("*.*"):
        target = tmp_path / path.relative_to(ROOT)
        target.parent.mkdir(exist_ok=True, parents=True)
        target.write_bytes(path.read_bytes())
    assert read_assets(tmp_path).digest == read_assets().digest
    (tmp_path / "player.css").write_text("body { color: red }")
    changed = read_assets(tmp_path)
    assert changed.digest != read_assets().digest
    assert changed.digest.encode() in changed.page.body


@pytest.mark.parametrize("path", ["nothing.js", "..%2Fpages.py", "%2E%2E%2Fassets.py", "index.html", ""])
async def test_nothing_but_the_players_files_is_served(client: httpx.AsyncClient, path: str) -> None:
    digest = read_assets().digest
    assert (await client.get(f"/static/player/{digest}/{path}")).status_code == 404


async def test_a_file_of_another_version_is_404_not_the_wrong_one(client: httpx.AsyncClient) -> None:
    answer = await client.get("/static/player/0123456789abcdef/player.css")
    assert answer.status_code == 404
    assert "load the page again" in answer.json()["detail"]


async def test_the_refresh_token_is_in_a_cookie_no_script_and_no_other_site_gets(
    client: httpx.AsyncClient, ada_exists: None
) -> None:
    answer = await log_in_at(client)
    assert answer.status_code == 200
    assert answer.json().keys() == {"access_token", "expires_in"}
    assert answer.headers["cache-control"] == "no-store"
    cookie = cookie_of(answer)
    assert cookie.value not in answer.text
    assert (cookie["httponly"], cookie["samesite"].lower(), cookie["path"]) == (True, "strict", "/session")
    assert cookie["domain"] == ""
    assert int(cookie["max-age"]) == 30 * 24 * 3600
    me = await client.get("/api/v1/users/me", headers={"Authorization": f"Bearer {answer.json()['access_token']}"})
    assert me.json()["username"] == "ada"


@pytest.mark.parametrize(("origin", "secure"), [("http://test", ""), ("https://test", True)])
async def test_over_https_the_cookie_is_for_https_only(
    client: httpx.AsyncClient, ada_exists: None, origin: str, secure: Any
) -> None:
    assert cookie_of(await log_in_at(client, Origin=origin))["secure"] == secure


async def test_a_wrong_password_is_401_and_sets_no_cookie(client: httpx.AsyncClient, ada_exists: None) -> None:
    body = {"username": "ada", "password": "wrong horse battery"}
    answer = await client.post("/session/login", json=body, headers=OURS)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


async def test_each_refresh_gives_a_new_access_token_and_replaces_the_cookie(
    client: httpx.AsyncClient, ada_exists: None
) -> None:
    first = await log_in_at(client)
    second = await client.post("/session/refresh", headers=OURS)
    third = await client.post("/session/refresh", headers=OURS)
    assert (second.status_code, third.status_code) == (200, 200)
    assert len({cookie_of(answer).value for answer in (first, second, third)}) == 3


async def test_a_cookie_that_was_used_before_ends_the_log_in(client: httpx.AsyncClient, ada_exists: None) -> None:
    stolen = cookie_of(await log_in_at(client)).value
    assert (await client.post("/session/refresh", headers=OURS)).status_code == 200
    current = client.cookies[COOKIE]
    for token in (stolen, current):
        client.cookies.clear()
        answer = await client.post("/session/refresh", headers=OURS | {"Cookie": f"{COOKIE}={token}"})
        assert answer.status_code == 401


async def test_without_a_cookie_a_refresh_is_401(client: httpx.AsyncClient) -> None:
    assert (await client.post("/session/refresh", headers=OURS)).status_code == 401


async def test_logging_out_takes_the_cookie_back_and_ends_its_log_in(
    client: httpx.AsyncClient, ada_exists: None
) -> None:
    token = cookie_of(await log_in_at(client)).value
    answer = await client.post("/session/logout", headers=OURS)
    assert answer.status_code == 204
    assert cookie_of(answer)["max-age"] == "0"
    assert cookie_of(answer)["path"] == "/session"
    assert COOKIE not in client.cookies
    assert await RefreshToken.find_all().count() == 0
    late = await client.post("/session/refresh", headers=OURS | {"Cookie": f"{COOKIE}={token}"})
    assert late.status_code == 401


FORGED: dict[str, dict[str, str]] = {
    "no header": {"Origin": "http://test"},
    "another value": OURS | {"X-Madhur-Player": "0"},
    "no origin": {"X-Madhur-Player": "1"},
    "another origin": OURS | {"Origin": "http://evil.example"},
    "an origin that begins like ours": OURS | {"Origin": "http://test.evil.example"},
    "another port": OURS | {"Origin": "http://test:8080"},
    "a page without an origin": OURS | {"Origin": "null"},
    "cross-site by the browser's word": OURS | {"Sec-Fetch-Site": "cross-site"},
    "same site but another origin": OURS | {"Sec-Fetch-Site": "same-site"},
}


@pytest.mark.parametrize("path", ["login", "refresh", "logout"])
@pytest.mark.parametrize("forgery", FORGED)
async def test_a_request_another_site_could_cause_is_403_and_changes_nothing(
    client: httpx.AsyncClient, ada_exists: None, path: str, forgery: str
) -> None:
    token = cookie_of(await log_in_at(client)).value
    body = {"username": "ada", "password": PASSWORD} if path == "login" else None
    answer = await client.post(f"/session/{path}", json=body, headers=FORGED[forgery])
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"
    assert "set-cookie" not in answer.headers
    assert await RefreshToken.find_all().count() == 1
    assert client.cookies[COOKIE] == token
    assert (await client.post("/session/refresh", headers=OURS)).status_code == 200


async def test_behind_a_proxy_that_renames_the_host_the_browsers_word_counts(
    client: httpx.AsyncClient, ada_exists: None
) -> None:
    headers = {"Origin": "https://music.example", "Sec-Fetch-Site": "same-origin"}
    assert (await log_in_at(client, **headers)).status_code == 200


async def test_the_public_api_takes_no_cookie_for_a_log_in(client: httpx.AsyncClient, ada_exists: None) -> None:
    token = cookie_of(await log_in_at(client)).value
    answer = await client.get("/api/v1/users/me", headers={"Cookie": f"{COOKIE}={token}"})
    assert answer.status_code == 401


async def test_the_players_own_routes_are_not_part_of_the_public_api(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    assert [path for path in paths if not path.startswith(("/api/", "/healthz", "/readyz", "/metrics"))] == []
