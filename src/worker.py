"""The worker of background jobs: ``madhur worker``, or ``celery -A src.worker worker``.

A task is a message in Redis that says which job to do; the job document in MongoDB is the truth about it. Redis
delivers a message again when its worker is gone, so a task looks at the document first.
"""

import asyncio
from typing import Any, Final

import structlog
from bson import ObjectId
from celery.signals import setup_logging

from src.config.logging import configure_logging
from src.config.settings import Settings
from src.models.errors import OperatorError
from src.services.database import open_database
from src.services.jobs import STALE, Taken, take
from src.services.jobs.celery import TRAIN_TASK, make_celery
from src.services.jobs.local import start_process, watch_process

log = structlog.get_logger(__name__)

settings = Settings()
if settings.redis_url is None:
    raise OperatorError("a worker needs Redis: set MADHUR_REDIS_URL to its address, as for the API")

app = make_celery(settings.redis_url)
app.conf.update(
    task_acks_late=True,  # a task whose worker dies is delivered again
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,  # a waiting task stays in Redis, for whichever worker is free first
    worker_concurrency=1,  # a training uses every core by itself, and only one is allowed at a time
    broker_connection_retry_on_startup=True,
    worker_enable_remote_control=False,
    worker_send_task_events=False,
)

LOOK_AGAIN_SECONDS: Final = STALE.total_seconds() / 2


@setup_logging.connect(weak=False)  # type: ignore[untyped-decorator]
def _log_as_the_service_does(**_: Any) -> None:
    configure_logging(settings)


@app.task(name=TRAIN_TASK, bind=True, max_retries=None)  # type: ignore[untyped-decorator]
def train(task: Any, job_id: str, force: bool = False) -> None:
    """Train for a job. Safe to deliver any number of times.

    A job that has ended is left alone. So is one that a live process works on, but it is looked at again: that
    process may be about to die, and this message may be the last that knows of the job.
    """
    taken = asyncio.run(_train(ObjectId(job_id), force=force))
    log.info("training task", job=job_id, taken=taken.value)
    if taken is Taken.BUSY:
        raise task.retry(countdown=LOOK_AGAIN_SECONDS)


async def _train(job_id: ObjectId, *, force: bool) -> Taken:
    async with open_database(settings):
        taken = await take(job_id)
        if taken is Taken.MINE:
            # A process of its own gives all its memory back.
            await watch_process(job_id, await start_process(settings, job_id, force=force))
        return taken
