"""Training as background work: a job document, and a process of its own that does the work.

A process, not a thread: training must not take the interpreter from listeners who wait for an answer, nor
leave its memory with the server.
"""

import asyncio
import os
import sys
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from beanie import PydanticObjectId
from bson import ObjectId
from pymongo.errors import DuplicateKeyError

from src.config.settings import Settings
from src.models.errors import ConflictError, NotFoundError
from src.models.operations import Job, JobRead, JobState
from src.models.users import utc_now

log = structlog.get_logger(__name__)

TRAIN: Final = "train"
STALE: Final = timedelta(minutes=2)
"""A running job whose process has not been heard of for so long has died."""

_watching: set[asyncio.Task[None]] = set()


async def start_training(settings: Settings, owner_id: ObjectId, *, force: bool) -> Job:
    """Begin training in a process of its own.

    Raises:
        ConflictError: a training is under way.
    """
    job = await claim_training(owner_id)
    command = [sys.executable, "-m", "src.cli", "train", "--job", str(job.id), *(["--force"] if force else [])]
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, **_environment(settings)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    task = asyncio.create_task(_watch(job, process))
    _watching.add(task)
    task.add_done_callback(_watching.discard)
    return job


async def claim_training(owner_id: ObjectId | None) -> Job:
    """The job document of a training; the unique ``exclusive_key`` lets only one at a time exist.

    Raises:
        ConflictError: a training is under way.
    """
    for _ in range(2):
        now = utc_now()
        owner = PydanticObjectId(owner_id) if owner_id else None
        job = Job(kind=TRAIN, exclusive_key=TRAIN, owner_id=owner, heartbeat_at=now, message="waiting")
        try:
            return await job.insert()
        except DuplicateKeyError:
            dead = await Job.get_pymongo_collection().find_one_and_update(
                {"exclusive_key": TRAIN, "heartbeat_at": {"$lt": now - STALE}},
                {
                    "$set": {"state": JobState.FAILED.value, "finished_at": now, "error": "its process died"},
                    "$unset": {"exclusive_key": ""},
                },
            )
            if dead is None:
                break
    raise ConflictError("A training is already under way; GET /api/v1/admin/jobs shows it.")


async def report(job_id: ObjectId, message: str, progress: float) -> None:
    now = utc_now()
    fields = {"state": JobState.RUNNING.value, "message": message, "progress": progress, "heartbeat_at": now}
    await _set(job_id, fields, started_at=now)


async def finish(job_id: ObjectId, *, result: dict[str, Any] | None = None, error: str | None = None) -> None:
    """Close a job that is not closed yet, as a success with ``result`` or a failure with ``error``."""
    state = JobState.SUCCEEDED if error is None else JobState.FAILED
    fields: dict[str, Any] = {"state": state.value, "finished_at": utc_now(), "result": result or {}}
    fields |= {"progress": 1.0, "message": "done"} if error is None else {"error": error}
    await _set(job_id, fields, close=True)


async def _set(
    job_id: ObjectId, fields: dict[str, Any], *, started_at: datetime | None = None, close: bool = False
) -> None:
    update: dict[str, Any] = {"$set": fields}
    if started_at is not None:
        update["$min"] = {"started_at": started_at}  # the first report's time stays
    if close:
        update["$unset"] = {"exclusive_key": ""}
    open_states = [JobState.QUEUED.value, JobState.RUNNING.value]
    await Job.get_pymongo_collection().update_one({"_id": job_id, "state": {"$in": open_states}}, update)


async def _watch(job: Job, process: asyncio.subprocess.Process) -> None:
    _, output = await process.communicate()
    if process.returncode:
        assert job.id is not None
        lines = output.decode(errors="replace").strip().splitlines()
        log.error("training failed", job=str(job.id), exit_code=process.returncode, last_line=lines[-1:])
        await finish(job.id, error=lines[-1] if lines else f"exit code {process.returncode}")


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


async def get_job(job_id: str) -> JobRead:
    """Raises:
    NotFoundError: there is no such job.
    """
    job = await Job.get(PydanticObjectId(job_id))
    if job is None:
        raise NotFoundError(f"There is no job {job_id}.")
    return read_job(job)


def read_job(job: Job) -> JobRead:
    return JobRead(id=str(job.id), **job.model_dump(include=set(JobRead.model_fields) - {"id"}))


async def list_jobs(limit: int) -> list[JobRead]:
    """The newest jobs, newest first."""
    return [read_job(job) for job in await Job.find_all().sort("-created_at").limit(limit).to_list()]
