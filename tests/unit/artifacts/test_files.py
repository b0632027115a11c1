"""Releases on disk: whole or absent, and never trusted unread."""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from src.services.artifacts import files
from src.services.artifacts.files import FORMAT, MANIFEST, ArtifactError, read_release, write_release

ARRAYS: dict[str, Any] = {
    "numbers": np.arange(12, dtype=np.float32).reshape(3, 4),
    "keys.of.songs": np.array([1, 2**64 - 1], np.uint64),
    "names": np.array([b"abc", b"de\x00f"], "S12"),
    "flags": np.array([True, False]),
    "none": np.empty((0, 3), np.int32),
    "columnwise": np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)),
}


@pytest.fixture
def models(tmp_path: Path) -> Path:
    write_release(tmp_path / "models", "v1", ARRAYS, {"n_songs": 3})
    return tmp_path / "models"


def change_manifest(models: Path, **facts: Any) -> None:
    path = models / "v1" / MANIFEST
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | facts))


def flip(path: Path, at: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_what_was_written_is_read_back(models: Path) -> None:
    arrays, manifest = read_release(models, "v1")

    assert arrays.keys() == ARRAYS.keys()
    for name, array in arrays.items():
        assert array.dtype == ARRAYS[name].dtype
        np.testing.assert_array_equal(array, ARRAYS[name])
        assert array.flags.c_contiguous
    assert (manifest["n_songs"], manifest["version"], manifest["format"]) == (3, "v1", FORMAT)


def test_arrays_are_mapped_and_cannot_be_written_to(models: Path) -> None:
    arrays, _ = read_release(models, "v1")
    mapped = {name: array for name, array in arrays.items() if array.size}

    assert all(isinstance(array.base, np.memmap) for array in mapped.values())
    with pytest.raises(ValueError, match="read-only"):
        mapped["numbers"][0, 0] = 1


def test_the_manifest_is_returned_and_names_the_hash_of_every_file(tmp_path: Path) -> None:
    manifest = write_release(tmp_path, "v1", ARRAYS, {"metrics": {"ndcg": 0.5}})

    assert manifest == orjson.loads((tmp_path / "v1" / MANIFEST).read_bytes())
    assert manifest["metrics"] == {"ndcg": 0.5}
    for name, facts in manifest["arrays"].items():
        assert facts["sha256"] == hashlib.sha256((tmp_path / "v1" / f"{name}.npy").read_bytes()).hexdigest()
        assert (facts["dtype"], facts["shape"]) == (ARRAYS[name].dtype.str, list(ARRAYS[name].shape))
    assert sorted(path.name for path in (tmp_path / "v1").iterdir()) == sorted(
        [MANIFEST, *(f"{n}.npy" for n in ARRAYS)]
    )


@pytest.mark.parametrize("name", sorted(ARRAYS))
@pytest.mark.parametrize("at", [0, 40, -1])
def test_a_flipped_bit_is_noticed(models: Path, name: str, at: int) -> None:
    flip(models / "v1" / f"{name}.npy", at)
    with pytest.raises(ArtifactError, match=rf"{name}\.npy is damaged"):
        read_release(models, "v1")


def test_a_truncated_array_is_noticed(models: Path) -> None:
    path = models / "v1" / "numbers.npy"
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(ArtifactError, match=r"numbers\.npy is damaged"):
        read_release(models, "v1")


def test_a_missing_array_is_named(models: Path) -> None:
    (models / "v1" / "flags.npy").unlink()
    with pytest.raises(ArtifactError, match=r"model v1 lacks flags\.npy"):
        read_release(models, "v1")


def test_a_release_without_manifest_is_not_there(models: Path) -> None:
    (models / "v1" / MANIFEST).unlink()
    for version in ("v1", "v2"):
        with pytest.raises(ArtifactError, match=f"model {version} is not under"):
            read_release(models, version)


@pytest.mark.parametrize("number", [FORMAT + 1, 0, None, "1"])
def test_another_format_is_refused(models: Path, number: object) -> None:
    change_manifest(models, format=number)
    with pytest.raises(ArtifactError, match=f"model v1 has format {number}, this program reads {FORMAT}"):
        read_release(models, "v1")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"format":1}',
        b'{"format":1,"arrays":[]}',
        b'{"format":1,"arrays":{"a":{}}}',
    ],
)
def test_a_damaged_manifest_is_named(models: Path, content: bytes) -> None:
    (models / "v1" / MANIFEST).write_bytes(content)
    with pytest.raises(ArtifactError, match=r"manifest\.json is damaged"):
        read_release(models, "v1")


class Planted:
    """Leaves a trace when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.mkdir, (os.environ["MADHUR_TEST_TRACE"],))


@pytest.mark.parametrize("shape", [[1], [0]], ids=["mapped", "read"])
def test_a_pickle_is_refused_even_if_its_hash_is_right(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: list[int]
) -> None:
    trace = tmp_path / "trace"
    monkeypatch.setenv("MADHUR_TEST_TRACE", str(trace))
    path = models / "v1" / "numbers.npy"
    np.save(path, np.array([Planted()], object), allow_pickle=True)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    change_manifest(models, arrays={"numbers": {"sha256": sha256, "dtype": "|O", "shape": shape}})

    with pytest.raises(ArtifactError, match=r"numbers\.npy is no array"):
        read_release(models, "v1")

    assert not trace.exists()


def test_an_array_of_objects_is_not_written_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        write_release(tmp_path, "v1", {**ARRAYS, "objects": np.array([{}], object)}, {})
    assert list(tmp_path.iterdir()) == []


def test_a_manifest_that_is_no_json_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_release(tmp_path, "v1", ARRAYS, {"created_at": object()})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("after", [0, 3, len(ARRAYS) + 1])
def test_nothing_is_left_when_writing_fails_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, after: int
) -> None:
    fsync, calls = os.fsync, []

    def failing(fd: int) -> None:
        calls.append(fd)
        if len(calls) > after:
            raise error
        fsync(fd)

    monkeypatch.setattr(files.os, "fsync", failing)
    with pytest.raises(type(error)):
        write_release(tmp_path, "v1", ARRAYS, {})
    assert list(tmp_path.iterdir()) == []


def test_a_version_is_never_overwritten(models: Path) -> None:
    with pytest.raises(OSError, match="v1"):
        write_release(models, "v1", {"numbers": np.zeros(1)}, {})

    assert [path.name for path in models.iterdir()] == ["v1"]
    assert read_release(models, "v1")[0].keys() == ARRAYS.keys()
