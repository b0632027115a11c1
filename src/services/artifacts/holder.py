"""What a serving process recommends from: the live release, kept up with the catalogue."""

import asyncio

import numpy as np
import structlog
from pymongo.errors import PyMongoError

from src.config.settings import Settings
from src.services.artifacts.codec import decode
from src.services.artifacts.files import ArtifactError
from src.services.artifacts.releases import fetch, live_version
from src.services.catalogue.reading import catch_up, read_catalogue
from src.services.catalogue.snapshot import Snapshot
from src.services.recommender.context import Context, Request
from src.services.recommender.pipeline import recommend

log = structlog.get_logger(__name__)


class SnapshotHolder:
    """Holds one snapshot and swaps the reference when a better one is ready; readers never wait.

    Attributes:
        snapshot: what to serve from now. Take it once per request.
        problem: why the live release could not be loaded, or None; the older one serves on meanwhile.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._refreshing = asyncio.Lock()
        self.snapshot = Snapshot.empty()
        self.problem: str | None = None
        self._refused: str | None = None

    async def start(self) -> None:
        """Load the live release; without one, or with a broken one, read the songs and serve untrained."""
        await self._follow_pointer()
        if self.snapshot.change == 0:
            songs, change = await read_catalogue()
            self.snapshot = await asyncio.to_thread(Snapshot.of, songs, change)
        await self.refresh()

    async def refresh(self) -> None:
        """Take in a moved pointer and changed songs, now."""
        async with self._refreshing:
            await self._follow_pointer()
            while (newer := await catch_up(self.snapshot)) is not self.snapshot:
                self.snapshot = newer

    async def run(self) -> None:
        """Refresh for ever, every ``poll_seconds``; a database that is away is asked again."""
        while True:
            await asyncio.sleep(self._settings.poll_seconds)
            try:
                await self.refresh()
            except PyMongoError as error:
                log.warning("could not look for catalogue changes", error=str(error))

    async def _follow_pointer(self) -> None:
        version = await live_version()
        if version in (None, self.snapshot.version):
            self.problem = self._refused = None
            return
        if version == self._refused:
            return  # damaged files do not mend themselves; a new pointer is tried at once
        try:
            fresh = decode(*await fetch(self._settings, version))
            await asyncio.to_thread(_warm, fresh)
            # Songs that changed since the release was made must be in before it serves.
            while (newer := await catch_up(fresh)) is not fresh:
                fresh = newer
        except ArtifactError as error:
            self.problem, self._refused = str(error), version
            log.error("live model refused; serving on with the older one", error=str(error), version=version)
            return
        self.snapshot, self.problem, self._refused = fresh, None, None
        log.info("model loaded", version=version, n_songs=len(fresh.bundle))


def _warm(snapshot: Snapshot) -> None:
    """Touch the arrays once, so that the first listener does not wait for the disk."""
    if len(snapshot.bundle):
        first = np.zeros(1, np.int32)
        recommend(snapshot.bundle, Context(positives=first, weights=np.ones(1, np.float32)), Request())
