"""The job document: claimed before its work is submitted, taken by a worker, kept alive, closed once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, Final

import structlog
from beanie import PydanticObjectId
from bson import ObjectId
from pymongo.errors import DuplicateKeyError, PyMongoError

from src.models.errors import ConflictError, NotFoundError
from src.models.operations import Job, JobRead, JobState
from src.models.users import utc_now

log = structlog.get_logger(__name__)

TRAIN: Final = "train"
STALE: Final = timedelta(minutes=2)
"""A running job whose process has not been heard of for so long has died."""

HEARTBEAT_SECONDS: Final = 15.0
"""A process that works on a job says so this often, however long one step takes."""

OPEN: Final = (JobState.QUEUED.value, JobState.RUNNING.value)


class Taken(Enum):
    """What came of trying to take a job."""

    MINE = "mine"
    BUSY = "busy"
    CLOSED = "closed"


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


async def take(job_id: ObjectId) -> Taken:
    """Take a submitted job to work on it; of many at once, one gets it.

    Returns:
        MINE: it waited, or its process has died, and now it is the caller's.
        BUSY: a live process works on it.
        CLOSED: it has ended, or does not exist; there is nothing to do.
    """
    now = utc_now()
    waits = {"state": JobState.QUEUED.value}
    died = {"state": JobState.RUNNING.value, "heartbeat_at": {"$lt": now - STALE}}
    jobs = Job.get_pymongo_collection()
    taken = await jobs.find_one_and_update(
        {"_id": job_id, "$or": [waits, died]},
        {"$set": {"state": JobState.RUNNING.value, "heartbeat_at": now, "message": "starting"}},
    )
    if taken is not None:
        return Taken.MINE
    is_open = await jobs.count_documents({"_id": job_id, "state": {"$in": OPEN}}, limit=1)
    return Taken.BUSY if is_open else Taken.CLOSED


@asynccontextmanager
async def heartbeat(job_id: ObjectId) -> AsyncIterator[None]:
    """Keep a job alive for as long as the block runs."""

    async def beat() -> None:
        while True:
            try:
                await _set(job_id, {"heartbeat_at": utc_now()})
            except PyMongoError as error:  # STALE leaves room for several more tries
                log.warning("heartbeat failed", job=str(job_id), error=str(error))
            await asyncio.sleep(HEARTBEAT_SECONDS)

    beating = asyncio.create_task(beat(), name="heartbeat")
    try:
        yield
    finally:
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating


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
    await Job.get_pymongo_collection().update_one({"_id": job_id, "state": {"$in": OPEN}}, update)


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
