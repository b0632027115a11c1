"""Publishing, promoting and fetching releases: the record and the pointer are in MongoDB.

Publish = write the folder, share it through GridFS where several hosts serve, record it, then move the
pointer. Every serving process follows the pointer by itself.
"""

import asyncio
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from bson import ObjectId
from gridfs import AsyncGridFSBucket, NoFile
from numpy.typing import NDArray

from src.config.settings import Settings
from src.models.errors import NotFoundError
from src.models.operations import ModelPointer, ModelRead, ModelRelease
from src.models.users import utc_now
from src.services.artifacts.files import MANIFEST, Arrays, ArtifactError, read_release, write_release

POINTER = "live"


def models_dir(settings: Settings) -> Path:
    return settings.data_dir / "models"


async def publish(
    settings: Settings, version: str, arrays: Mapping[str, NDArray[np.generic]], manifest: Mapping[str, Any]
) -> None:
    """Make a release live. Either all of it happens or the old one stays live."""
    whole = await asyncio.to_thread(write_release, models_dir(settings), version, arrays, manifest)
    if settings.models_shared:
        await _upload(models_dir(settings) / version)
    record = {key: value for key, value in whole.items() if key not in ("arrays", "genre_names")}
    await ModelRelease(version=version, manifest=record).insert()
    await _point_to(version)
    await prune(settings)


async def promote(version: str) -> str | None:
    """Make an earlier release live again.

    Returns:
        The version that was live until now.

    Raises:
        NotFoundError: there is no such release.
    """
    if await ModelRelease.find_one(ModelRelease.version == version) is None:
        raise NotFoundError(f"There is no model {version}; `madhur models` lists those that are kept.")
    return await _point_to(version)


async def list_releases() -> list[ModelRead]:
    """The releases that are kept, newest first."""
    live = await live_version()
    releases = await ModelRelease.find_all().sort("-created_at").to_list()
    return [
        ModelRead(
            version=release.version,
            live=release.version == live,
            created_at=release.created_at,
            **{name: release.manifest[name] for name in ("n_songs", "n_listeners", "n_interactions", "metrics")},
        )
        for release in releases
    ]


async def live_version() -> str | None:
    pointer = await ModelPointer.get_pymongo_collection().find_one({"_id": POINTER})
    return None if pointer is None else str(pointer["version"])


async def _point_to(version: str) -> str | None:
    collection = ModelPointer.get_pymongo_collection()
    before = await collection.find_one_and_update(
        {"_id": POINTER}, [{"$set": {"previous": "$version", "version": version, "moved_at": utc_now()}}]
    )
    if before is not None:
        return str(before["version"])
    await ModelPointer(id=POINTER, version=version).save()
    return None


async def fetch(settings: Settings, version: str) -> tuple[Arrays, dict[str, Any]]:
    """Arrays and manifest of a release, from this host's disk or else from GridFS.

    Raises:
        ArtifactError: it is in neither place, or damaged.
    """
    folder = models_dir(settings)
    try:
        if settings.models_shared and not (folder / version / MANIFEST).exists():
            await _download(folder, version)
        return await asyncio.to_thread(read_release, folder, version)
    except (OSError, tarfile.TarError) as error:
        raise ArtifactError(f"model {version} cannot be read: {error}") from error


async def prune(settings: Settings) -> None:
    """Forget releases beyond the newest ``keep_models``; the live one and the one before it always stay."""
    pointer = await ModelPointer.get(POINTER)
    kept = {pointer.version, pointer.previous} if pointer else set()
    releases = await ModelRelease.find_all().sort("-created_at").to_list()
    for release in releases[settings.keep_models :]:
        if release.version in kept:
            continue
        await release.delete()
        await asyncio.to_thread(shutil.rmtree, models_dir(settings) / release.version, ignore_errors=True)
        if settings.models_shared:
            await _remove_shared(release.version)


def _bucket() -> AsyncGridFSBucket:
    return AsyncGridFSBucket(ModelRelease.get_pymongo_collection().database, bucket_name="models")


async def _upload(folder: Path) -> None:
    with tempfile.TemporaryFile() as packed:

        def pack() -> None:
            with tarfile.open(fileobj=packed, mode="w") as archive:
                for path in sorted(folder.iterdir()):
                    archive.add(path, arcname=path.name)
            packed.seek(0)

        await asyncio.to_thread(pack)
        await _bucket().upload_from_stream(folder.name, packed)


async def _download(models: Path, version: str) -> None:
    staging = await asyncio.to_thread(_staging_folder, models)
    try:
        with tempfile.TemporaryFile() as packed:
            try:
                await _bucket().download_to_stream_by_name(version, packed)
            except NoFile:
                raise ArtifactError(f"model {version} is neither on this host nor in the database") from None
            packed.seek(0)

            def unpack() -> None:
                with tarfile.open(fileobj=packed) as archive:
                    archive.extractall(staging, filter="data")
                # Another worker of this host may have been faster; then its copy serves.
                if not (models / version).exists():
                    staging.rename(models / version)

            await asyncio.to_thread(unpack)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _staging_folder(models: Path) -> Path:
    models.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=".staging-", dir=models))


async def _remove_shared(version: str) -> None:
    bucket = _bucket()
    found: list[ObjectId] = [file._id async for file in bucket.find({"filename": version})]
    for file_id in found:
        await bucket.delete(file_id)
