"""What a running process has: settings, the snapshot it serves from, tokens, limits, mail, the queue of jobs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import PyMongoError

from src.config.settings import Settings
from src.services.artifacts.holder import SnapshotHolder
from src.services.database import open_database
from src.services.jobs import JobQueue, open_queue
from src.services.limits import Limits
from src.services.mail import Mailer, mailer_of
from src.services.tokens import TokenIssuer


@dataclass(frozen=True, slots=True)
class Runtime:
    settings: Settings
    database: AsyncDatabase[dict[str, Any]]
    holder: SnapshotHolder
    tokens: TokenIssuer
    limits: Limits
    mailer: Mailer
    queue: JobQueue

    async def faults(self) -> dict[str, str]:
        """What is wrong just now, by part; empty when all is well."""
        found = {}
        try:
            await asyncio.wait_for(self.database.command("ping"), timeout=3)
        except (PyMongoError, TimeoutError) as error:
            found["database"] = f"does not answer: {type(error).__name__}"
        if self.holder.problem:
            found["model"] = self.holder.problem
        return found


@asynccontextmanager
async def open_runtime(settings: Settings) -> AsyncIterator[Runtime]:
    """A process ready to serve: the database open, a snapshot loaded and kept up to date.

    Raises:
        OperatorError: the database cannot be opened, or a key file, address or queue of the settings not be used.
    """
    # Before the database: a mistake in these settings is told at once.
    tokens, limits, mailer = TokenIssuer.of(settings), Limits.of(settings), mailer_of(settings)
    queue = open_queue(settings)
    async with open_database(settings) as database:
        holder = SnapshotHolder(settings)
        await holder.start()
        following = asyncio.create_task(holder.run(), name="follow-releases")
        try:
            yield Runtime(settings, database, holder, tokens, limits, mailer, queue)
        finally:
            await limits.close()
            # More than once: before Python 3.12 `asyncio.wait_for`, with which PyMongo waits, may swallow a cancel.
            while not following.done():
                following.cancel()
                await asyncio.wait([following], timeout=1)
            with contextlib.suppress(asyncio.CancelledError):
                await following
