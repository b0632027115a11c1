"""``madhur worker``: does background jobs that the API hands over through Redis."""

import importlib.util

from src.models.errors import OperatorError


def worker() -> None:
    """Do background work for the API (MADHUR_REDIS_URL); on this host or any other that reaches the database."""
    if importlib.util.find_spec("celery") is None:
        raise OperatorError("a worker needs Celery: install it with `pip install madhur[worker]`")
    from src.worker import app  # the optional extra, and it reads the settings

    app.worker_main(["--quiet", "worker", "--without-gossip", "--without-mingle", "--without-heartbeat"])
