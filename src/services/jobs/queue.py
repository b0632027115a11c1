"""The one thing that differs between one host and many: who starts the work on a claimed job."""

import importlib.util
from typing import Protocol

from bson import ObjectId

from src.config.settings import Settings
from src.models.errors import OperatorError
from src.services.jobs.local import LocalQueue


class JobQueue(Protocol):
    """Has claimed jobs done in the background; progress and outcome are in the job document."""

    async def submit(self, job_id: ObjectId, *, force: bool) -> None:
        """Have the training of a claimed job done; return as soon as that is certain to be tried.

        Raises:
            UnavailableError: it cannot be tried now.
        """
        ...


def open_queue(settings: Settings) -> JobQueue:
    """The queue the settings name: Celery with ``redis_url``, else processes of this host.

    Raises:
        OperatorError: ``redis_url`` is set and Celery is not installed.
    """
    if settings.redis_url is None:
        return LocalQueue(settings)
    if importlib.util.find_spec("celery") is None:
        raise OperatorError("MADHUR_REDIS_URL needs Celery: install it with `pip install madhur[worker]`")
    from src.services.jobs.celery import CeleryQueue  # the optional extra

    return CeleryQueue(settings.redis_url)
