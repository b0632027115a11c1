"""A server as a user starts it, on a small catalogue of its own, and a real Chromium to look at it with."""

import csv
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.conftest import PATIENCE_SECONDS, TEST_SECRET

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"
HOSTILE_TITLE = '<img src=x onerror="window.stolen=1">'
HOSTILE_ARTIST = "</h1><script>window.stolen=1</script>"
SOUNDS = {
    "rock": {"energy": 0.85, "valence": 0.45, "danceability": 0.45, "acousticness": 0.05, "tempo": 140},
    "ambient": {"energy": 0.12, "valence": 0.20, "danceability": 0.25, "acousticness": 0.90, "tempo": 72},
    "disco": {"energy": 0.75, "valence": 0.90, "danceability": 0.90, "acousticness": 0.10, "tempo": 120},
}
PER_GENRE = 50
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def write_catalogue(path: Path) -> None:
    """150 songs in the layout of the Kaggle track data set, and one by somebody who means harm."""
    rows: list[dict[str, Any]] = []
    for genre, sound in SOUNDS.items():
        for n in range(PER_GENRE):
            rows.append(
                {
                    "track_id": f"{genre:0<12}{n:010d}",
                    "artists": f"{genre.title()} Band {n % 7}",
                    "album_name": f"{genre.title()} {n % 5}",
                    "track_name": f"{genre.title()} Song {n:02d}",
                    "popularity": 40 + n % 30,
                    "duration_ms": 180_000 + 1_000 * n,
                    "explicit": False,
                    **{name: round(value * (1 + (n % 9 - 4) / 60), 3) for name, value in sound.items()},
                    "loudness": -8,
                    "key": n % 12,
                    "mode": n % 2,
                    "speechiness": 0.05,
                    "instrumentalness": 0.1,
                    "liveness": 0.1,
                    "time_signature": 4,
                    "track_genre": genre,
                }
            )
    rows[0] |= {"track_name": HOSTILE_TITLE, "artists": HOSTILE_ARTIST, "popularity": 100}
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running_server(folder: Path) -> Iterator[str]:
    """The address of ``madhur serve`` on a catalogue that ``madhur import songs`` brought in."""
    catalogue = folder / "songs.csv"
    write_catalogue(catalogue)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MADHUR_")}
    environment |= {"MADHUR_DATA_DIR": str(folder / "var"), "MADHUR_SECRET_KEY": TEST_SECRET, "PYTHONPATH": str(ROOT)}
    # Every test makes accounts of its own, all from one address.
    environment |= {"MADHUR_LOGIN_LIMIT_ADDRESS": "off"}
    command = [sys.executable, "-m", "src.cli"]
    # Run where there is no .env, whatever the developer has in the project's folder.
    imported = subprocess.run(
        [*command, "import", "songs", str(catalogue)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert imported.returncode == 0, imported.stdout + imported.stderr
    port = free_port()
    log = folder / "serve.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [*command, "serve", "--port", str(port)], cwd=folder, env=environment, stdout=out, stderr=out
        )
    try:
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not answers(f"{address}/readyz"):
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE_SECONDS)


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_server(tmp_path_factory.mktemp("player")) as served:
        yield served


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    found = [path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))]
    if not found:
        missing = "no Chromium: install chromium (or google-chrome) to run the browser tests"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=found[0], args=ARGUMENTS)
        yield launched
        await launched.close()


@pytest.fixture
async def context(browser: Browser, address: str) -> AsyncIterator[BrowserContext]:
    opened = await browser.new_context(base_url=address, reduced_motion="reduce")
    opened.set_default_timeout(20_000)
    yield opened
    await opened.close()


@pytest.fixture
async def page(context: BrowserContext) -> AsyncIterator[Page]:
    """A page on which no script may fail and no policy be broken."""
    opened = await context.new_page()
    faults: list[str] = []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda m: faults.append(m.text) if "Content Security Policy" in m.text else None)
    yield opened
    assert faults == []


Enter = Callable[..., Awaitable[str]]


@pytest.fixture
def enter(page: Page, address: str) -> Enter:
    """Makes an account, with likes if asked, and logs in on the page; gives the name."""

    async def enter(*liked_titles: str) -> str:
        name = f"listener-{secrets.token_hex(4)}"
        async with httpx.AsyncClient(base_url=address) as api:
            await api.post("/api/v1/auth/register", json={"username": name, "password": PASSWORD})
            answer = await api.post("/api/v1/auth/token", data={"username": name, "password": PASSWORD})
            headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
            for title in liked_titles:
                found = (await api.get("/api/v1/songs", params={"query": title, "limit": 1})).json()["items"]
                body = {"song_id": found[0]["id"], "kind": "like"}
                assert (await api.post("/api/v1/interactions", json=body, headers=headers)).status_code == 201
        await page.goto("/")
        await page.get_by_role("button", name="I have an account").click()
        await page.get_by_label("Name").fill(name)
        await page.get_by_label("Password").fill(PASSWORD)
        await page.get_by_role("button", name="Log in").click()
        await page.locator("#card-title" if liked_titles else ".tile").first.wait_for()
        return name

    return enter
