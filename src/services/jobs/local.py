"""Training in a process of its own on this host.

A process, not a thread: training must not take the interpreter from listeners who wait for an answer, nor
leave its memory with the server.
"""

import asyncio
import os
import sys

import structlog
from bson import ObjectId

from src.config.settings import Settings
from src.services.jobs.documents import finish

log = structlog.get_logger(__name__)


class LocalQueue:
    """Starts the process at once."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._watching: set[asyncio.Task[None]] = set()

    async def submit(self, job_id: ObjectId, *, force: bool) -> None:
        process = await start_process(self._settings, job_id, force=force)
        task = asyncio.create_task(watch_process(job_id, process))
        self._watching.add(task)
        task.add_done_callback(self._watching.discard)


async def start_process(settings: Settings, job_id: ObjectId, *, force: bool) -> asyncio.subprocess.Process:
    """The process that trains for a job and keeps its document up to date."""
    command = [sys.executable, "-m", "src.cli", "train", "--job", str(job_id), *(["--force"] if force else [])]
    return await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **_environment(settings)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )


async def watch_process(job_id: ObjectId, process: asyncio.subprocess.Process) -> None:
    """Wait for the end of a training, and close the job if it could not do so itself."""
    _, output = await process.communicate()
    if process.returncode:
        lines = output.decode(errors="replace").strip().splitlines()
        log.error("training failed", job=str(job_id), exit_code=process.returncode, last_line=lines[-1:])
        await finish(job_id, error=lines[-1] if lines else f"exit code {process.returncode}")


def _environment(settings: Settings) -> dict[str, str]:
    values = {
        "MADHUR_DATA_DIR": str(settings.data_dir),
        "MADHUR_MONGODB_DATABASE": settings.mongodb_database,
        "MADHUR_KEEP_MODELS": str(settings.keep_models),
        "MADHUR_SHARE_MODELS": str(settings.models_shared),
    }
    if settings.mongodb_uri is not None:
        values["MADHUR_MONGODB_URI"] = settings.mongodb_uri
    return values
