"""Background work: a job document in the database, and a queue that has it done."""

from bson import ObjectId

from src.models.operations import Job
from src.services.jobs.documents import (
    STALE,
    Taken,
    claim_training,
    finish,
    get_job,
    heartbeat,
    list_jobs,
    read_job,
    report,
    take,
)
from src.services.jobs.queue import JobQueue, open_queue

__all__ = [
    "STALE",
    "JobQueue",
    "Taken",
    "claim_training",
    "finish",
    "get_job",
    "heartbeat",
    "list_jobs",
    "open_queue",
    "read_job",
    "report",
    "start_training",
    "take",
]


async def start_training(queue: JobQueue, owner_id: ObjectId, *, force: bool) -> Job:
    """Have a training done in the background.

    Raises:
        ConflictError: a training is under way.
        UnavailableError: the queue does not answer; the job is closed as failed.
    """
    job = await claim_training(owner_id)
    assert job.id is not None
    try:
        await queue.submit(job.id, force=force)
    except BaseException as error:  # also a cancelled request: a job that nobody will do must not stay open
        await finish(job.id, error=str(error) or type(error).__name__)
        raise
    return job
