"""Training on a worker: a real Redis, real workers, a real kill; and a Redis that is not there."""

import asyncio
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from bson import ObjectId
from redis import Redis

from src.config.settings import Settings
from src.models.operations import Job, JobState, ModelRelease
from src.models.users import Role, utc_now
from src.services import jobs
from src.services.jobs import Taken
from src.services.jobs.celery import QUEUE, REDELIVER_SECONDS
from src.services.tokens import TokenIssuer, now_utc
from tests.conftest import add_user, app_of, client_of, eventually, running_app
from tests.services.conftest import StartWorker, Worker

UNACKED, UNACKED_TIMES = "unacked", "unacked_index"
"""Where kombu keeps what was delivered and not acknowledged: message by tag, and time by tag."""


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def settings(settings: Settings, redis_url: str) -> Settings:
    """As for every application of the tests, but with a queue on Redis."""
    return settings.model_copy(update={"redis_url": redis_url})


async def job_of(admin: httpx.AsyncClient, job_id: str) -> dict[str, Any]:
    job: dict[str, Any] = (await admin.get(f"/api/v1/admin/jobs/{job_id}")).json()
    return job


async def in_state(admin: httpx.AsyncClient, job_id: str, *states: str) -> dict[str, Any]:
    async def reached() -> dict[str, Any] | None:
        job = await job_of(admin, job_id)
        return job if job["state"] in states else None

    job: dict[str, Any] = await eventually(reached)
    return job


async def says(worker: Worker, words: str) -> None:
    async def said() -> bool:
        return worker.said(words)

    await eventually(said)


async def all_acknowledged(redis: Redis) -> None:
    async def nothing_left() -> bool:
        return not redis.llen(QUEUE) and not redis.hlen(UNACKED)

    await eventually(nothing_left)


async def silent_for(job_id: ObjectId, silence: timedelta) -> None:
    await Job.find_one(Job.id == job_id).update({"$set": {"heartbeat_at": utc_now() - silence}})


async def test_a_training_runs_on_a_worker_and_is_served_and_a_second_delivery_does_nothing(
    settings: Settings, admin: httpx.AsyncClient, redis: Redis, start_worker: StartWorker
) -> None:
    worker = start_worker(settings)
    answer = await admin.post("/api/v1/admin/train")
    assert answer.status_code == 202
    assert (await admin.post("/api/v1/admin/train")).status_code == 409
    job = await in_state(admin, answer.json()["id"], "succeeded", "failed")
    assert (job["state"], job["error"]) == ("succeeded", None)

    async def served() -> bool:
        return bool((await admin.get("/readyz")).json()["model_version"] == job["result"]["version"])

    await eventually(served)

    await jobs.open_queue(settings).submit(ObjectId(job["id"]), force=True)
    await says(worker, '"taken": "closed"')
    await all_acknowledged(redis)
    assert await job_of(admin, job["id"]) == job
    assert await ModelRelease.find_all().count() == 1


async def test_a_training_whose_worker_is_killed_is_finished_once_by_another(
    settings: Settings, admin: httpx.AsyncClient, redis: Redis, start_worker: StartWorker
) -> None:
    first = start_worker(settings)
    job_id = (await admin.post("/api/v1/admin/train")).json()["id"]
    await in_state(admin, job_id, "running")
    first.kill()
    assert (await job_of(admin, job_id))["state"] == "running"
    assert await ModelRelease.find_all().count() == 0

    # The time passes after which Redis delivers again.
    delivered = dict(redis.zrange(UNACKED_TIMES, 0, -1, withscores=True))
    assert len(delivered) == 1
    redis.zadd(UNACKED_TIMES, {tag: at - REDELIVER_SECONDS for tag, at in delivered.items()})
    await silent_for(ObjectId(job_id), timedelta(seconds=REDELIVER_SECONDS))

    second = start_worker(settings)
    job = await in_state(admin, job_id, "succeeded", "failed")
    assert (job["state"], job["error"]) == ("succeeded", None)
    await says(second, '"taken": "mine"')
    await all_acknowledged(redis)
    assert [each.version for each in await ModelRelease.find_all().to_list()] == [job["result"]["version"]]
    assert len((await admin.get("/api/v1/admin/jobs")).json()["items"]) == 1


async def test_a_job_that_a_live_process_works_on_is_left_alone_and_looked_at_again(
    settings: Settings, admin: httpx.AsyncClient, redis: Redis, start_worker: StartWorker
) -> None:
    job = await jobs.claim_training(None)
    assert job.id is not None
    await jobs.report(job.id, "fitting", 0.5)
    before = await job_of(admin, str(job.id))
    worker = start_worker(settings)
    await jobs.open_queue(settings).submit(job.id, force=False)
    await says(worker, '"taken": "busy"')
    worker.stop()
    assert await job_of(admin, str(job.id)) == before
    assert redis.llen(QUEUE) == 1  # what a stopped worker has not acknowledged, the next one gets


async def test_a_training_that_dies_on_a_worker_is_a_failed_job_and_is_not_tried_again(
    settings: Settings, admin: httpx.AsyncClient, redis: Redis, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker(settings)
    await says(worker, "ready")
    (tmp_path / ".env").write_text("MADHUR_PORT=no number\n")  # what the process of the training stumbles over
    job_id = (await admin.post("/api/v1/admin/train")).json()["id"]
    job = await in_state(admin, job_id, "succeeded", "failed")
    assert job["state"] == "failed"
    assert "MADHUR_PORT" in job["error"]
    await all_acknowledged(redis)


async def test_a_worker_without_redis_says_what_to_set(settings: Settings, start_worker: StartWorker) -> None:
    worker = start_worker(settings.model_copy(update={"redis_url": ""}))
    assert await asyncio.to_thread(worker.process.wait) == 2
    assert worker.log.read_text().splitlines() == [
        "error: a worker needs Redis: set MADHUR_REDIS_URL to its address, as for the API"
    ]


@pytest.mark.usefixtures("database")
async def test_of_many_deliveries_at_once_one_takes_the_job() -> None:
    job = await jobs.claim_training(None)
    assert job.id is not None
    job_id = job.id
    taken = await asyncio.gather(*(jobs.take(job_id) for _ in range(5)))
    assert sorted(each.value for each in taken) == ["busy"] * 4 + ["mine"]
    await silent_for(job_id, jobs.STALE + timedelta(seconds=1))
    taken = await asyncio.gather(*(jobs.take(job_id) for _ in range(5)))
    assert sorted(each.value for each in taken) == ["busy"] * 4 + ["mine"]
    await jobs.finish(job_id, error="no disk")
    assert await jobs.take(job_id) is Taken.CLOSED
    assert await jobs.take(ObjectId()) is Taken.CLOSED


@pytest.mark.usefixtures("database")
async def test_a_job_is_alive_while_its_process_is_though_it_has_nothing_to_report() -> None:
    job = await jobs.claim_training(None)
    assert job.id is not None
    job_id = job.id
    assert await jobs.take(job_id) is Taken.MINE
    await silent_for(job_id, jobs.STALE + timedelta(seconds=1))
    long_ago = utc_now() - jobs.STALE

    async def heard_of() -> bool:
        found = await Job.get(job_id)
        return found is not None and found.heartbeat_at is not None and found.heartbeat_at > long_ago

    async with jobs.heartbeat(job_id):
        await eventually(heard_of)
    assert await jobs.take(job_id) is Taken.BUSY


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("listening", [False, True], ids=["nothing listens", "what listens is silent"])
async def test_without_redis_a_training_is_refused_and_the_job_failed(settings: Settings, listening: bool) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if listening:
            silent.listen()
        url = f"redis://:hunter2@127.0.0.1:{silent.getsockname()[1]}/0"
        broken = settings.model_copy(update={"redis_url": url})
        async with running_app(broken) as client:
            token = TokenIssuer.of(broken).access_token(await add_user("root", Role.ADMIN), now_utc())
            async with client_of(app_of(client), token) as admin:
                answer = await admin.post("/api/v1/admin/train")
                listed = (await admin.get("/api/v1/admin/jobs")).json()["items"]
                assert (await jobs.claim_training(None)).state is JobState.QUEUED  # it blocks nobody
    assert answer.status_code == 503
    problem = answer.json()
    assert problem["code"] == "unavailable"
    assert "MADHUR_REDIS_URL" in problem["detail"]
    assert "hunter2" not in answer.text
    assert [(job["state"], job["error"]) for job in listed] == [("failed", problem["detail"])]
