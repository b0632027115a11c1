"""Opening the database: the client, and the documents with their indexes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from beanie import init_beanie
from pymongo.asynchronous.database import AsyncDatabase

from src.config.database import connect
from src.config.settings import Settings
from src.models import DOCUMENTS


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
    """The service's database, its documents ready to use and their indexes built.

    Starts (or joins) the embedded database when no ``MADHUR_MONGODB_URI`` is set.

    Raises:
        OperatorError: the database cannot be reached or started; the message says how to mend it.
    """
    async with connect(settings) as database:
        await init_beanie(database=database, document_models=DOCUMENTS)
        yield database
