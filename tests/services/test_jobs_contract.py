"""What every queue of background work promises, whoever does the work."""

from collections.abc import Iterator

import pytest
from bson import ObjectId

from src.config.settings import Settings
from src.models.errors import ConflictError
from src.models.interactions import Interaction
from src.models.operations import Job, JobRead, JobState, ModelRelease
from src.services import jobs
from src.services.jobs import JobQueue
from tests.conftest import SongJson, eventually
from tests.services.conftest import StartWorker

SOMEBODY = ObjectId()


@pytest.fixture(params=["local", "celery"])
def queue(request: pytest.FixtureRequest, settings: Settings) -> Iterator[JobQueue]:
    if request.param == "local":
        yield jobs.open_queue(settings)
        return
    settings = settings.model_copy(update={"redis_url": request.getfixturevalue("redis_url")})
    start_worker: StartWorker = request.getfixturevalue("start_worker")
    start_worker(settings)
    yield jobs.open_queue(settings)


async def started(queue: JobQueue) -> str:
    job = await jobs.start_training(queue, SOMEBODY, force=False)
    assert job.state is JobState.QUEUED
    return str(job.id)


async def ended(job_id: str) -> JobRead:
    async def over() -> JobRead | None:
        job = await jobs.get_job(job_id)
        return job if job.finished_at else None

    job: JobRead = await eventually(over)
    return job


@pytest.mark.usefixtures("songs")
async def test_a_submitted_training_is_done_and_no_other_is_taken_meanwhile(queue: JobQueue) -> None:
    job_id = await started(queue)
    with pytest.raises(ConflictError):
        await jobs.start_training(queue, SOMEBODY, force=False)
    job = await ended(job_id)
    assert (job.state, job.error, job.progress) == (JobState.SUCCEEDED, None, 1.0)
    assert [release.version for release in await ModelRelease.find_all().to_list()] == [job.result["version"]]
    assert await Job.find_all().count() == 1


async def test_a_training_that_fails_says_why_and_makes_room_for_the_next(
    queue: JobQueue, songs: list[SongJson]
) -> None:
    damaged = {"user_id": SOMEBODY, "song_id": ObjectId(songs[0]["id"]), "kind": "like"}  # when is not said
    await Interaction.get_pymongo_collection().insert_one(damaged)
    job = await ended(await started(queue))
    assert (job.state, job.result) == (JobState.FAILED, {})
    assert "occurred_at" in str(job.error)
    await Interaction.get_pymongo_collection().delete_many({})
    assert (await ended(await started(queue))).state is JobState.SUCCEEDED
