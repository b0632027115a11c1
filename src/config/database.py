"""The MongoDB client: the database the settings name, or the embedded one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any, Final

from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import ConfigurationError, PyMongoError
from pymongo.errors import InvalidURI as InvalidUriError

from src.config.embedded import EmbeddedDatabase
from src.config.errors import OperatorError
from src.config.settings import Settings

DURABLE: Final = WriteConcern(w="majority", j=True)
"""For everything a listener is told is stored: with plain ``w=1``, and even ``w=majority``, acknowledged
writes were lost at SIGKILL; with ``j=true`` none were (docs/adr/0001)."""

BULK: Final = WriteConcern(w=1)
"""For the inside of a bulk load, which ends with one durable write."""


@asynccontextmanager
async def connect(settings: Settings) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
    """A database whose writes are durable unless a caller asks for less.

    Raises:
        OperatorError: it cannot be started or reached.
    """
    with ExitStack() as stack:
        if settings.mongodb_uri is None:
            embedded = await asyncio.to_thread(stack.enter_context, EmbeddedDatabase(settings.data_dir))
            uri = embedded.uri
        else:
            uri = settings.mongodb_uri
        try:
            client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
                uri, tz_aware=True, appname="madhur", serverSelectionTimeoutMS=5_000
            )
        except (ConfigurationError, InvalidUriError, ValueError) as error:
            raise OperatorError(f"MADHUR_MONGODB_URI cannot be used: {error}") from None
        try:
            try:
                await client.admin.command("ping")
            except PyMongoError as error:
                where = "the embedded database" if settings.embedded else "the database of MADHUR_MONGODB_URI"
                raise OperatorError(f"cannot reach {where}: {error}") from None
            yield client.get_database(settings.mongodb_database, write_concern=DURABLE)
        finally:
            await client.close()
