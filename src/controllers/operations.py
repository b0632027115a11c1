"""Use cases of operators: training, jobs, releases."""

from src.controllers.caller import Caller
from src.models.audit import Act
from src.models.operations import JobRead, ModelRead
from src.models.pages import Page
from src.services import jobs
from src.services.artifacts.releases import list_releases, promote
from src.services.audit import note
from src.services.runtime import Runtime


async def start_training(runtime: Runtime, caller: Caller, *, force: bool) -> JobRead:
    job = await jobs.start_training(runtime.queue, caller.user_id, force=force)
    await note(Act.TRAINING_STARTED, actor_id=caller.user_id, job=str(job.id), force=force)
    return jobs.read_job(job)


async def get_job(job_id: str) -> JobRead:
    return await jobs.get_job(job_id)


async def list_jobs(limit: int) -> Page[JobRead]:
    return Page(items=await jobs.list_jobs(limit))


async def list_models() -> Page[ModelRead]:
    return Page(items=await list_releases())


async def promote_model(runtime: Runtime, caller: Caller, version: str) -> Page[ModelRead]:
    await promote(version)
    await note(Act.MODEL_PROMOTED, actor_id=caller.user_id, version=version)
    await runtime.holder.refresh()
    return Page(items=await list_releases())
