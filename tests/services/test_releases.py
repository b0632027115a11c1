"""Releases: published whole, promoted back, pruned, shared between hosts."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from pymongo.asynchronous.database import AsyncDatabase

from src.config.settings import Settings
from src.models.errors import NotFoundError
from src.services.artifacts.files import ArtifactError
from src.services.artifacts.holder import SnapshotHolder
from src.services.artifacts.releases import fetch, list_releases, live_version, models_dir, promote, publish
from tests.conftest import SongJson

ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "none": np.empty((0, 4), np.int32)}
MANIFEST: dict[str, Any] = {"n_songs": 2, "n_listeners": 1, "n_interactions": 3, "metrics": {}}

pytestmark = pytest.mark.usefixtures("database")


def folders(settings: Settings) -> set[str]:
    return {path.name for path in models_dir(settings).iterdir()}


async def test_what_is_published_is_live_and_can_be_fetched(settings: Settings) -> None:
    await publish(settings, "v1", ARRAYS, MANIFEST)
    assert await live_version() == "v1"
    arrays, manifest = await fetch(settings, "v1")
    assert {name: array.tolist() for name, array in arrays.items()} == {n: a.tolist() for n, a in ARRAYS.items()}
    assert arrays["a"].dtype == np.float32
    assert not arrays["a"].flags.writeable
    assert manifest["n_songs"] == 2
    assert folders(settings) == {"v1"}


async def test_releases_are_listed_newest_first_and_the_live_one_is_marked(settings: Settings) -> None:
    for version in ("v1", "v2", "v3"):
        await publish(settings, version, ARRAYS, MANIFEST)
    await promote("v2")
    assert [(release.version, release.live) for release in await list_releases()] == [
        ("v3", False),
        ("v2", True),
        ("v1", False),
    ]


async def test_promoting_rolls_back_and_says_what_was_live(settings: Settings) -> None:
    await publish(settings, "v1", ARRAYS, MANIFEST)
    await publish(settings, "v2", ARRAYS, MANIFEST)
    assert await promote("v1") == "v2"
    assert await live_version() == "v1"
    with pytest.raises(NotFoundError, match="madhur models"):
        await promote("v9")
    assert await live_version() == "v1"


async def test_old_releases_are_pruned_but_never_the_live_one_or_the_one_before(settings: Settings) -> None:
    few = settings.model_copy(update={"keep_models": 2})
    for version in ("v1", "v2"):
        await publish(few, version, ARRAYS, MANIFEST)
    await promote("v1")
    for version in ("v3", "v4"):
        await publish(few, version, ARRAYS, MANIFEST)
    assert [release.version for release in await list_releases()] == ["v4", "v3"]
    assert folders(few) == {"v3", "v4"}
    await promote("v3")
    await promote("v4")
    await publish(few, "v5", ARRAYS, MANIFEST)
    assert {release.version for release in await list_releases()} == {"v4", "v5"} == folders(few)


async def test_a_shared_release_reaches_a_host_with_another_folder(
    settings: Settings, songs: list[SongJson], database: AsyncDatabase[dict[str, Any]]
) -> None:
    here = settings.model_copy(update={"share_models": True, "keep_models": 2})
    there = here.model_copy(update={"data_dir": settings.data_dir / "there"})
    for version in ("v1", "v2", "v3"):
        await publish(here, version, ARRAYS, MANIFEST)
    assert not models_dir(there).exists()
    arrays, _ = await fetch(there, "v3")
    assert arrays["a"].tolist() == ARRAYS["a"].tolist()
    assert folders(there) == {"v3"}
    assert await database["models.files"].distinct("filename") == ["v2", "v3"]
    with pytest.raises(ArtifactError, match="v1 is neither on this host nor in the database"):
        await fetch(there, "v1")
    assert folders(there) == {"v3"}


async def test_without_sharing_nothing_is_stored_in_the_database(
    settings: Settings, database: AsyncDatabase[dict[str, Any]]
) -> None:
    before = await database["models.files"].count_documents({})
    await publish(settings, "v1", ARRAYS, MANIFEST)
    assert await database["models.files"].count_documents({}) == before


async def damaged(settings: Settings, how: str) -> None:
    folder = models_dir(settings) / "v1"
    match how:
        case "array":
            whole = (folder / "a.npy").read_bytes()
            (folder / "a.npy").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        case "lacking array":
            (folder / "a.npy").unlink()
        case "manifest":
            (folder / "manifest.json").write_text("{")
        case "format":
            text = (folder / "manifest.json").read_text()
            (folder / "manifest.json").write_text(text.replace('"format": 1', '"format": 999'))
        case "no manifest":
            (folder / "manifest.json").unlink()
        case "not a file":
            (folder / "manifest.json").unlink()
            (folder / "manifest.json").mkdir()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("array", "a.npy is damaged"),
        ("lacking array", "lacks a.npy"),
        ("manifest", "manifest.json is damaged"),
        ("format", "format 999"),
        ("no manifest", "is not under"),
        ("not a file", "cannot be read"),
    ],
)
async def test_a_damaged_release_is_refused_and_the_process_serves_on(
    settings: Settings, songs: list[SongJson], how: str, said: str
) -> None:
    holder = SnapshotHolder(settings)
    await holder.start()
    served = holder.snapshot
    await publish(settings, "v1", ARRAYS, MANIFEST | {"created_at": datetime.now(UTC).isoformat()})
    await damaged(settings, how)
    await holder.refresh()
    assert holder.snapshot is served
    assert holder.problem is not None
    assert said in holder.problem
    assert "v1" in holder.problem


async def test_a_release_that_is_no_model_is_refused(settings: Settings, songs: list[SongJson]) -> None:
    holder = SnapshotHolder(settings)
    await holder.start()
    await publish(settings, "v1", ARRAYS, MANIFEST)
    await holder.refresh()
    assert "incomplete" in (holder.problem or "")
    assert len(holder.snapshot.bundle) == len(songs)
