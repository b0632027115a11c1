"""Releases on disk: a folder per version with ``manifest.json`` and one ``.npy`` file per array.

No pickle is written or read. A release is staged aside, synced and renamed, so that a folder under its
final name is always whole; each array's SHA-256 stands in the manifest and is checked when loaded.
"""

import hashlib
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"

Arrays = dict[str, NDArray[np.generic]]


class ArtifactError(Exception):
    """A release cannot be read: missing, damaged, or of another format. Says which file and why."""


def write_release(
    models_dir: Path, version: str, arrays: Mapping[str, NDArray[np.generic]], manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """Write a release so that it is whole or absent, whatever happens meanwhile.

    Returns:
        The manifest as written: ``manifest`` with ``format``, ``version`` and ``arrays`` added.
    """
    models_dir.mkdir(parents=True, exist_ok=True)
    staging = models_dir / f".staging-{secrets.token_hex(6)}"
    staging.mkdir()
    try:
        listed = {}
        for name, array in arrays.items():
            path = staging / f"{name}.npy"
            with path.open("wb") as file:
                np.save(file, np.ascontiguousarray(array), allow_pickle=False)
                file.flush()
                os.fsync(file.fileno())
            listed[name] = {"sha256": _sha256(path), "dtype": array.dtype.str, "shape": list(array.shape)}
        whole = {**manifest, "format": FORMAT, "version": version, "arrays": listed}
        with (staging / MANIFEST).open("wb") as file:
            file.write(orjson.dumps(whole, option=orjson.OPT_INDENT_2))
            file.flush()
            os.fsync(file.fileno())
        _sync_folder(staging)
        staging.rename(models_dir / version)
        _sync_folder(models_dir)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return whole


def read_release(models_dir: Path, version: str) -> tuple[Arrays, dict[str, Any]]:
    """Arrays (memory-mapped, read-only) and manifest of a release, every array checked.

    Raises:
        ArtifactError: it is missing, damaged or of another format.
    """
    folder = models_dir / version
    try:
        manifest: dict[str, Any] = orjson.loads((folder / MANIFEST).read_bytes())
    except FileNotFoundError:
        raise ArtifactError(f"model {version} is not under {models_dir}") from None
    except ValueError as error:
        raise ArtifactError(f"{folder / MANIFEST} is damaged: {error}") from None
    if not isinstance(manifest, dict):
        raise ArtifactError(f"{folder / MANIFEST} is damaged: it holds no object")
    if manifest.get("format") != FORMAT:
        raise ArtifactError(f"model {version} has format {manifest.get('format')}, this program reads {FORMAT}")
    arrays: Arrays = {}
    try:
        listed = {name: (facts["sha256"], facts["shape"]) for name, facts in manifest["arrays"].items()}
    except (AttributeError, KeyError, TypeError):
        raise ArtifactError(f"{folder / MANIFEST} is damaged: its list of arrays is") from None
    for name, (sha256, shape) in listed.items():
        path = folder / f"{name}.npy"
        if not path.is_file():
            raise ArtifactError(f"model {version} lacks {path.name}")
        if _sha256(path) != sha256:
            raise ArtifactError(f"{path} is damaged: its SHA-256 is not the manifest's")
        # An array without elements cannot be mapped.
        mode: Any = "r" if 0 not in shape else None
        try:
            # As a plain array over the mapping: numpy's memmap class costs a microsecond at every slice.
            arrays[name] = np.load(path, mmap_mode=mode, allow_pickle=False).view(np.ndarray)
        except ValueError as error:
            raise ArtifactError(f"{path} is no array: {error}") from None
    return arrays, manifest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder; its rename is durable enough without
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
