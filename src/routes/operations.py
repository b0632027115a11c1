"""Operators: training, jobs, models; and the probes of whatever watches the process."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from src.controllers import operations
from src.models.operations import JobRead, ModelRead
from src.models.pages import Page
from src.routes.access import AdminDep, Anyone, RuntimeDep
from src.routes.parameters import Limit
from src.routes.problems import responses

router = APIRouter()

JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{24}$")]
Version = Annotated[str, Path(pattern=r"^[0-9A-Za-z-]{1,64}$")]


@router.get("/healthz", tags=["probes"], dependencies=[Anyone])
async def healthz() -> dict[str, str]:
    """The process runs."""
    return {"status": "ok"}


@router.get("/readyz", tags=["probes"], dependencies=[Anyone], responses={503: {"description": "Degraded"}})
async def readyz(runtime: RuntimeDep) -> Response:
    """It can answer listeners: 200, or 503 with what is degraded."""
    faults = await runtime.faults()
    snapshot = runtime.holder.snapshot
    body: dict[str, Any] = {
        "status": "degraded" if faults else "ready",
        "faults": faults,
        "model_version": snapshot.version,
        "n_songs": int(snapshot.bundle.columns.active.sum()),
    }
    return Response(orjson.dumps(body), 503 if faults else 200, media_type="application/json")


@router.get("/metrics", tags=["probes"], include_in_schema=False)
async def metrics(_: AdminDep) -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


@router.post("/api/v1/admin/train", status_code=202, tags=["admin"], responses=responses(401, 403, 409, 422, 503))
async def start_training(runtime: RuntimeDep, caller: AdminDep, force: bool = False) -> JobRead:
    """Train on everything stored, in a process of its own; poll the job. `force` publishes whatever the gate says."""
    return await operations.start_training(runtime, caller, force=force)


@router.get("/api/v1/admin/jobs", tags=["admin"], responses=responses(401, 403, 422))
async def list_jobs(_: AdminDep, limit: Limit = 20) -> Page[JobRead]:
    """The newest jobs."""
    return await operations.list_jobs(limit)


@router.get("/api/v1/admin/jobs/{job_id}", tags=["admin"], responses=responses(401, 403, 404, 422))
async def get_job(_: AdminDep, job_id: JobId) -> JobRead:
    """One job."""
    return await operations.get_job(job_id)


@router.get("/api/v1/admin/models", tags=["admin"], responses=responses(401, 403))
async def list_models(_: AdminDep) -> Page[ModelRead]:
    """The models that are kept, newest first, with their held-out metrics."""
    return await operations.list_models()


@router.post("/api/v1/admin/models/{version}/promote", tags=["admin"], responses=responses(401, 403, 404, 422))
async def promote_model(runtime: RuntimeDep, caller: AdminDep, version: Version) -> Page[ModelRead]:
    """Make a kept model live again. Every process follows within seconds; no request is dropped."""
    return await operations.promote_model(runtime, caller, version)
