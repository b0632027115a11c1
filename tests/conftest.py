"""Fixtures every test may use: a real database over the wire, an application on it, people to log in as.

The database is the embedded server, one per test process, or the one ``MADHUR_TEST_MONGODB_URI`` names; each
test process has a database of its own, emptied before each test.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from beanie import init_beanie
from bson import ObjectId
from fastapi import FastAPI
from pymongo.asynchronous.database import AsyncDatabase

from src.config.database import connect
from src.config.embedded import EmbeddedDatabase
from src.config.settings import Settings
from src.main import create_app
from src.models import DOCUMENTS
from src.models.songs import Song
from src.models.users import Role, User, name_key
from src.services.catalogue.columns import read_song
from src.services.catalogue.identity import import_key
from src.services.catalogue.store import song_document, upsert_songs
from src.services.tokens import TokenIssuer, now_utc

TEST_SECRET = "only-for-tests-0123456789-0123456789"
PATIENCE_SECONDS = 60.0

SOUNDS: dict[str, dict[str, float]] = {
    "rock": {"energy": 0.90, "valence": 0.50, "danceability": 0.45, "acousticness": 0.05, "tempo_bpm": 140},
    "jazz": {"energy": 0.35, "valence": 0.60, "danceability": 0.50, "acousticness": 0.80, "tempo_bpm": 110},
    "ambient": {"energy": 0.10, "valence": 0.20, "danceability": 0.20, "acousticness": 0.90, "tempo_bpm": 70},
    "dance": {"energy": 0.80, "valence": 0.90, "danceability": 0.90, "acousticness": 0.05, "tempo_bpm": 124},
}
"""Four genres that nobody would confuse by ear."""

PER_GENRE = 15
TITLES = {"rock": "Granite", "jazz": "Crème Brûlée", "ambient": "Stillness", "dance": "Don't Stop"}

SongJson = dict[str, Any]
"""A song as the API reads it."""


def pytest_configure(config: pytest.Config) -> None:
    # PyMongo's monitor leaves a socket unclosed when its client is closed while it connects; whichever test runs when
    # that is collected would fail. Every other warning stays an error.
    config.addinivalue_line("filterwarnings", "ignore:.*<socket.socket:pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(scope="session")
def database_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    given = os.environ.get("MADHUR_TEST_MONGODB_URI")
    if given:
        yield given
        return
    with EmbeddedDatabase(tmp_path_factory.mktemp("embedded")) as embedded:
        yield embedded.uri


@pytest.fixture(scope="session")
def database_name() -> str:
    return f"madhur_test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"


@pytest.fixture(scope="session")
async def opened_database(
    database_uri: str, database_name: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
    settings = Settings(
        _env_file=None,
        data_dir=tmp_path_factory.mktemp("opened"),
        mongodb_uri=database_uri,
        mongodb_database=database_name,
    )
    async with connect(settings) as database:
        await database.client.drop_database(database_name)
        await init_beanie(database=database, document_models=DOCUMENTS)
        yield database
        await database.client.drop_database(database_name)


@pytest.fixture
async def database(opened_database: AsyncDatabase[dict[str, Any]]) -> AsyncDatabase[dict[str, Any]]:
    """An empty database with every document's indexes."""
    # An application of the test before bound the documents to its own client, which is closed by now.
    await init_beanie(database=opened_database, document_models=DOCUMENTS, skip_indexes=True)
    for document in DOCUMENTS:
        await document.get_pymongo_collection().delete_many({})
    for shared in ("models.files", "models.chunks"):
        await opened_database[shared].delete_many({})
    return opened_database


@pytest.fixture
def settings(tmp_path: Path, database_uri: str, database_name: str) -> Settings:
    """Settings of an application on the test database, with a data folder of its own."""
    return Settings(
        _env_file=None,
        data_dir=tmp_path / "var",
        mongodb_uri=database_uri,
        mongodb_database=database_name,
        secret_key=TEST_SECRET,
        share_models=False,
        poll_seconds=0.05,
    )


@asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of an application, which is started and stopped."""
    async with app.router.lifespan_context(app), client_of(app) as client:
        yield client


@asynccontextmanager
async def running_app(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of a started application."""
    async with serving(create_app(settings)) as client:
        yield client


def client_of(app: FastAPI, token: str | None = None) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers)


def app_of(client: httpx.AsyncClient) -> FastAPI:
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    assert isinstance(transport.app, FastAPI)
    return transport.app


def song_facts(genre: str, number: int, **more: Any) -> dict[str, Any]:
    """The facts of one of the small catalogue's songs; ``number`` moves its sound a little."""
    sound = SOUNDS[genre]
    return {
        "title": f"{TITLES[genre]} {number:02d}",
        "artists": [f"{genre.title()} Band {number % 5}"],
        "genres": [genre],
        "duration_ms": 180_000 + 1_000 * number,
        "explicit": number % 4 == 0,
        "popularity": float(5 * number + len(genre)),
        "audio_features": {
            **{name: round(sound[name] + 0.004 * number, 3) for name in sound if name != "tempo_bpm"},
            "tempo_bpm": sound["tempo_bpm"] + number / 4,
            "loudness_db": -6.0 - 12 * sound["acousticness"] - number / 10,
        },
        "external_ids": {"spotify": f"{genre:0<12}{number:010d}"},
        **more,
    }


async def store_songs(facts: list[dict[str, Any]]) -> list[SongJson]:
    """Insert songs as an import does and read them back in the same order."""
    documents = [song_document(known, import_key(known)) for known in facts]
    await upsert_songs(documents)
    found = Song.get_pymongo_collection().find({"import_key": {"$in": [d["import_key"] for d in documents]}})
    by_key = {song["import_key"]: read_song(song) async for song in found}
    return [by_key[document["import_key"]] for document in documents]


@pytest.fixture
async def songs(database: AsyncDatabase[dict[str, Any]]) -> list[SongJson]:
    """A catalogue of 60 songs of four genres, as the API reads them; the genres follow one another."""
    return await store_songs([song_facts(genre, n) for genre in SOUNDS for n in range(PER_GENRE)])


def of_genre(songs: list[SongJson], genre: str) -> list[SongJson]:
    return [song for song in songs if genre in song["genres"]]


@pytest.fixture
async def client(settings: Settings, songs: list[SongJson]) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody's client of an application that serves ``songs``."""
    async with running_app(settings) as started:
        yield started


async def add_user(name: str, role: Role = Role.LISTENER) -> ObjectId:
    """An account nobody needs to hash a password for."""
    user = await User(username=name, username_key=name_key(name), password_hash="!", role=role).insert()
    assert user.id is not None
    return user.id


LogIn = Callable[..., Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def log_in(settings: Settings, client: httpx.AsyncClient) -> AsyncIterator[LogIn]:
    """Makes an account and gives a client that is logged in to it, of ``client``'s application."""
    opened: list[httpx.AsyncClient] = []

    async def log_in(name: str, role: Role = Role.LISTENER) -> httpx.AsyncClient:
        token = TokenIssuer.of(settings).access_token(await add_user(name, role), now_utc())
        opened.append(client_of(app_of(client), token))
        return opened[-1]

    yield log_in
    for each in opened:
        await each.aclose()


@pytest.fixture
async def ada(log_in: LogIn) -> httpx.AsyncClient:
    """A listener's client."""
    return await log_in("ada")


@pytest.fixture
async def bob(log_in: LogIn) -> httpx.AsyncClient:
    """Another listener's client."""
    return await log_in("bob")


@pytest.fixture
async def admin(log_in: LogIn) -> httpx.AsyncClient:
    """An administrator's client."""
    return await log_in("root", Role.ADMIN)


async def eventually(holds: Callable[[], Awaitable[Any]]) -> Any:
    """Wait until ``holds`` returns something true, and return that; fail when it never does."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (found := await holds()):  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.02)
    return found
