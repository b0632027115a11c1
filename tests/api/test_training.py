"""Training and models through the API: hot swaps under load, roll back, a damaged model, jobs."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from src.config.settings import Settings
from src.models.operations import Job
from src.models.users import utc_now
from src.services import jobs
from src.services.artifacts.releases import models_dir
from src.services.training import train
from tests.conftest import SongJson, add_user, eventually, running_app

Watched = dict[str, Any]


async def version_of(client: httpx.AsyncClient) -> str:
    answer = await client.post("/api/v1/recommendations/session", json={"limit": 1})
    assert answer.status_code == 200
    return str(answer.json()["model_version"])


async def serves(client: httpx.AsyncClient, version: str | None) -> None:
    async def swapped() -> bool:
        return await version_of(client) == version

    await eventually(swapped)


async def trained(settings: Settings) -> str:
    version = (await train(settings, utc_now())).version
    assert version is not None
    return version


async def job_of(admin: httpx.AsyncClient, job_id: str) -> Watched:
    answer = await admin.get(f"/api/v1/admin/jobs/{job_id}")
    assert answer.status_code == 200
    job: Watched = answer.json()
    return job


async def ended(admin: httpx.AsyncClient, job_id: str) -> Watched:
    async def over() -> Watched | None:
        job = await job_of(admin, job_id)
        return job if job["state"] in ("succeeded", "failed") else None

    job: Watched = await eventually(over)
    return job


async def test_models_are_swapped_under_load_without_a_failed_request(
    settings: Settings, ada: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    like = {"song_id": songs[0]["id"], "kind": "like"}
    await ada.post("/api/v1/interactions", json=like)
    stop = asyncio.Event()
    seen: list[tuple[int, str, int]] = []

    async def listen() -> None:
        while not stop.is_set():
            answer = await ada.get("/api/v1/recommendations", params={"limit": 5})
            seen.append((answer.status_code, answer.json()["model_version"], len(answer.json()["items"])))
            await asyncio.sleep(0)

    listeners = [asyncio.create_task(listen()) for _ in range(3)]
    versions = ["untrained"]
    try:
        for _ in range(3):
            versions.append(await trained(settings))
            await serves(ada, versions[-1])
    finally:
        stop.set()
        await asyncio.gather(*listeners)
    assert {(status, n_items) for status, _, n_items in seen} == {(200, 5)}
    assert {version for _, version, _ in seen} <= set(versions)


async def test_an_administrator_sees_the_models_and_rolls_back_at_once(
    settings: Settings, admin: httpx.AsyncClient
) -> None:
    first, second = await trained(settings), await trained(settings)
    await serves(admin, second)
    listed = (await admin.get("/api/v1/admin/models")).json()["items"]
    assert [(model["version"], model["live"]) for model in listed] == [(second, True), (first, False)]
    assert listed[0]["n_songs"] == 60
    answer = await admin.post(f"/api/v1/admin/models/{first}/promote")
    assert answer.status_code == 200
    assert [model["live"] for model in answer.json()["items"]] == [False, True]
    assert await version_of(admin) == first
    assert (await admin.post("/api/v1/admin/models/unknown/promote")).status_code == 404
    assert (await admin.post("/api/v1/admin/models/a.b/promote")).status_code == 422
    assert await version_of(admin) == first


async def test_a_damaged_model_is_not_served_and_readiness_names_it(
    settings: Settings, client: httpx.AsyncClient, songs: list[SongJson]
) -> None:
    first = await trained(settings)
    await serves(client, first)
    # Damaged before the pointer moves to it: the application must find out by itself.
    elsewhere = settings.model_copy(update={"data_dir": settings.data_dir / "elsewhere"})
    second = await trained(elsewhere)

    async def degraded() -> dict[str, Any] | None:
        answer = await client.get("/readyz")
        return answer.json() if answer.status_code == 503 else None

    told = await eventually(degraded)
    assert second in told["faults"]["model"]
    assert (told["status"], told["model_version"], told["n_songs"]) == ("degraded", first, len(songs))
    assert await version_of(client) == first
    third = await trained(settings)
    await serves(client, third)
    assert (await client.get("/readyz")).status_code == 200


async def test_a_changed_byte_in_an_array_is_found(
    settings: Settings, client: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    first, second = await trained(settings), await trained(settings)
    await serves(client, second)
    await admin.post(f"/api/v1/admin/models/{first}/promote")
    array = max((models_dir(settings) / second).glob("*.npy"), key=lambda path: path.stat().st_size)
    content = bytearray(array.read_bytes())
    content[-1] ^= 1
    array.unlink()  # what is mapped now stays whole
    array.write_bytes(content)
    await admin.post(f"/api/v1/admin/models/{second}/promote")
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert array.name in answer.json()["faults"]["model"]
    assert await version_of(client) == first


async def test_a_model_reaches_another_host_through_the_database(settings: Settings, songs: list[SongJson]) -> None:
    here = settings.model_copy(update={"share_models": True})
    there = here.model_copy(update={"data_dir": settings.data_dir / "there"})
    async with running_app(there) as client:
        version = await trained(here)
        await serves(client, version)
        assert (await client.get("/readyz")).status_code == 200
    assert (models_dir(there) / version / "manifest.json").exists()


async def test_training_runs_in_a_process_of_its_own_and_only_one_at_a_time(
    admin: httpx.AsyncClient, ada: httpx.AsyncClient
) -> None:
    answer = await admin.post("/api/v1/admin/train")
    assert answer.status_code == 202
    started = answer.json()
    assert (started["kind"], started["state"]) == ("train", "queued")
    again = await admin.post("/api/v1/admin/train")
    assert again.status_code == 409
    assert "already under way" in again.json()["detail"]
    job = await ended(admin, started["id"])
    assert (job["state"], job["error"], job["progress"]) == ("succeeded", None, 1.0)
    assert "Not evaluated" in job["result"]["verdict"]
    await serves(ada, job["result"]["version"])
    listed = (await admin.get("/api/v1/admin/jobs")).json()["items"]
    assert [each["id"] for each in listed] == [started["id"]]
    assert (await ada.get(f"/api/v1/admin/jobs/{started['id']}")).status_code == 403
    assert (await ada.get("/api/v1/admin/jobs")).status_code == 403


async def test_a_training_that_dies_is_a_failed_job_and_the_next_may_start(
    settings: Settings, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MADHUR_PORT", "no number")  # what the process of the training stumbles over
    started = (await admin.post("/api/v1/admin/train")).json()
    job = await ended(admin, started["id"])
    assert job["state"] == "failed"
    assert "MADHUR_PORT" in job["error"]
    assert await jobs.claim_training(None)


async def test_a_job_whose_process_is_gone_does_not_block_the_next(admin: httpx.AsyncClient) -> None:
    dead = await jobs.claim_training(await add_user("operator"))
    assert (await admin.post("/api/v1/admin/train")).status_code == 409
    silent = utc_now() - jobs.STALE - timedelta(seconds=1)
    await Job.find_one(Job.id == dead.id).update({"$set": {"heartbeat_at": silent}})
    started = await admin.post("/api/v1/admin/train")
    assert started.status_code == 202
    assert (await job_of(admin, str(dead.id)))["error"] == "its process died"
    assert (await ended(admin, started.json()["id"]))["state"] == "succeeded"


async def test_a_job_that_is_not_there(admin: httpx.AsyncClient) -> None:
    assert (await admin.get(f"/api/v1/admin/jobs/{'0' * 24}")).status_code == 404
    assert (await admin.get("/api/v1/admin/jobs/x")).status_code == 422
