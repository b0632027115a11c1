"""Training on another host: a Celery task sent through Redis."""

import asyncio
from typing import Any, Final

from bson import ObjectId
from celery import Celery
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from src.models.errors import UnavailableError

TRAIN_TASK: Final = "madhur.train"
QUEUE: Final = "madhur"

REDELIVER_SECONDS: Final = 3600
"""A task whose worker has not acknowledged it for so long goes to another one (Redis calls it the visibility
timeout). Longer than a training, so that a task is not delivered again for nothing; should one take longer, its
heartbeat keeps the second worker off."""

SEND_SECONDS: Final = 2.0
"""How long Redis may take to accept a connection, and to answer, before a request for a training is refused."""


def make_celery(redis_url: str, **transport_options: Any) -> Celery:
    """A Celery application as the sender and the worker both need it: JSON only, no results."""
    app = Celery("madhur", broker=redis_url, set_as_current=False)
    app.conf.update(
        task_default_queue=QUEUE,
        task_serializer="json",
        accept_content=["json"],  # never pickle: whoever reaches Redis must not run code here
        task_ignore_result=True,  # the job document says what came of it
        broker_transport_options={"visibility_timeout": REDELIVER_SECONDS, **transport_options},
    )
    return app


class CeleryQueue:
    """Sends the task and is done; a worker of any host takes it (``src.worker``)."""

    def __init__(self, redis_url: str) -> None:
        self._app = make_celery(
            redis_url,
            socket_connect_timeout=SEND_SECONDS,
            socket_timeout=SEND_SECONDS,
            max_retries=0,  # of connecting; without a number kombu tries for ever
        )

    async def submit(self, job_id: ObjectId, *, force: bool) -> None:
        try:
            await asyncio.to_thread(self._send, str(job_id), force)
        except (OperationalError, RedisError, OSError) as error:
            raise UnavailableError(
                "The queue for background work does not answer: see that Redis runs where MADHUR_REDIS_URL says."
            ) from error

    def _send(self, job_id: str, force: bool) -> None:
        # A connection of its own: trainings are rare, and a kept one might have died meanwhile.
        with self._app.connection_for_write() as connection:
            self._app.send_task(TRAIN_TASK, args=[job_id, force], connection=connection, retry=False)
