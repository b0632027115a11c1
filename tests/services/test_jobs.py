"""Training jobs: one at a time, never stuck, closed once."""

import asyncio
from datetime import timedelta

import pytest
from bson import ObjectId

from src.models.errors import ConflictError, NotFoundError
from src.models.operations import Job, JobState
from src.models.users import utc_now
from src.services import jobs

pytestmark = pytest.mark.usefixtures("database")


async def claimed() -> ObjectId:
    job = await jobs.claim_training(None)
    assert job.id is not None
    return job.id


async def test_only_one_training_at_a_time_also_of_many_at_once() -> None:
    claims = await asyncio.gather(*(jobs.claim_training(None) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(claim, Job) for claim in claims) == 1
    assert sum(isinstance(claim, ConflictError) for claim in claims) == 4
    assert await Job.find_all().count() == 1


async def test_a_finished_training_makes_room_for_the_next() -> None:
    first = await claimed()
    await jobs.finish(first, result={"version": "v"})
    second = await claimed()
    assert second != first
    done = await jobs.get_job(str(first))
    assert (done.state, done.progress, done.result) == (JobState.SUCCEEDED, 1.0, {"version": "v"})
    assert done.finished_at is not None


async def test_a_training_that_is_heard_of_is_not_taken_over() -> None:
    job_id = await claimed()
    await jobs.report(job_id, "fitting", 0.5)
    with pytest.raises(ConflictError):
        await jobs.claim_training(None)
    running = await jobs.get_job(str(job_id))
    assert (running.state, running.progress, running.message) == (JobState.RUNNING, 0.5, "fitting")


async def test_a_running_job_says_since_when() -> None:
    job_id = await claimed()
    assert (await jobs.get_job(str(job_id))).started_at is None
    await jobs.report(job_id, "reading", 0.1)
    started = (await jobs.get_job(str(job_id))).started_at
    assert started is not None
    await jobs.report(job_id, "fitting", 0.5)
    assert (await jobs.get_job(str(job_id))).started_at == started


async def test_a_training_whose_process_died_is_taken_over_and_says_so() -> None:
    dead = await claimed()
    silent = utc_now() - jobs.STALE - timedelta(seconds=1)
    await Job.find_one(Job.id == dead).update({"$set": {"heartbeat_at": silent}})
    alive = await claimed()
    assert alive != dead
    read = await jobs.get_job(str(dead))
    assert (read.state, read.error) == (JobState.FAILED, "its process died")
    # It was not dead after all, and reports: the job stays closed, and the new one is left alone.
    await jobs.report(dead, "fitting", 0.9)
    await jobs.finish(dead, result={"version": "late"})
    assert (await jobs.get_job(str(dead))).state is JobState.FAILED
    with pytest.raises(ConflictError):
        await jobs.claim_training(None)


async def test_a_job_is_closed_once() -> None:
    job_id = await claimed()
    await jobs.finish(job_id, error="no disk")
    await jobs.finish(job_id, result={"version": "v"})
    read = await jobs.get_job(str(job_id))
    assert (read.state, read.error, read.result) == (JobState.FAILED, "no disk", {})


async def test_jobs_are_listed_newest_first() -> None:
    made = []
    for _ in range(3):
        made.append(str(await claimed()))
        await jobs.finish(ObjectId(made[-1]))
    assert [job.id for job in await jobs.list_jobs(2)] == made[:0:-1]


async def test_a_job_that_is_not_there() -> None:
    with pytest.raises(NotFoundError):
        await jobs.get_job("0" * 24)
