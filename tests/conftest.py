"""Fixtures every test may use: a real database over the wire, an application on it, people to log in as.

The database is the embedded server, one per test process, or the one ``MADHUR_TEST_MONGODB_URI`` names; each
test process has a database of its own, emptied before each test.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from beanie import init_beanie
from pymongo.asynchronous.database import AsyncDatabase

from src.config.database import connect
from src.config.embedded import EmbeddedDatabase
from src.config.settings import Settings
from src.models import DOCUMENTS

TEST_SECRET = "only-for-tests-0123456789-0123456789"


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
    for document in DOCUMENTS:
        await document.get_pymongo_collection().delete_many({})
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
async def running_app(settings: Settings) -> AsyncIterator[Any]:
    """An HTTP client of a started application."""
    import httpx

    from src.main import create_app

    app = create_app(settings)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=False), base_url="http://test"
        ) as client,
    ):
        yield client


@pytest.fixture
async def client(settings: Settings, database: AsyncDatabase[dict[str, Any]]) -> AsyncIterator[Any]:
    async with running_app(settings) as started:
        yield started
