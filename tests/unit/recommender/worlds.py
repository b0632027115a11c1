"""Small catalogues and listeners for tests of the recommender, with the gaps that real ones have."""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from src.services.recommender.bundle import Bundle, derive
from src.services.recommender.catalogue import COLUMN, FEATURES, Columns
from src.services.recommender.context import Context
from src.services.recommender.fit import Parameters, fit_model
from src.services.recommender.interactions import Events, aggregate
from src.services.recommender.ragged import Ragged

Float = NDArray[np.float32]


def ragged(
    rows: Sequence[Sequence[int]], dtype: Any = np.int32, data: Sequence[Sequence[float]] | None = None
) -> Ragged:
    """Rows given as lists."""
    indptr = np.cumsum([0, *(len(row) for row in rows)], dtype=np.int64)
    values = [] if data is None else [value for row in data for value in row]
    return Ragged(indptr, np.array([i for row in rows for i in row], dtype), np.array(values, np.float32))


def as_lists(rows: Ragged) -> list[list[int]]:
    return [rows.row(i).tolist() for i in range(len(rows))]


def as_dense(rows: Ragged, n_columns: int) -> NDArray[np.float64]:
    dense = np.zeros((len(rows), n_columns))
    np.add.at(dense, (rows.owners(), rows.indices), rows.data)
    return dense


def audio_of(*songs: dict[str, float]) -> Float:
    """Raw audio of songs given by their known features."""
    return np.array([[song.get(name, np.nan) for name in FEATURES] for song in songs], np.float32)


def columns_of(n: int, seed: int = 0, **given: Any) -> Columns:
    """A catalogue of ``n`` songs: some without any audio, with gaps, with versions of one recording."""
    rng = np.random.default_rng(seed)
    audio = rng.random((n, len(FEATURES))).astype(np.float32)
    audio[:, COLUMN["tempo_bpm"]] = rng.uniform(60, 200, n)
    audio[:, COLUMN["loudness_db"]] = rng.uniform(-30, 0, n)
    audio[:, COLUMN["key"]] = rng.integers(0, 12, n)
    audio[:, COLUMN["mode"]] = rng.integers(0, 2, n)
    audio[:, COLUMN["time_signature"]] = rng.integers(3, 6, n)
    audio[rng.random(audio.shape) < 0.1] = np.nan
    audio[5::11] = np.nan
    popularity = rng.random(n).astype(np.float32)
    popularity[::7] = np.nan
    recording = np.arange(1, n + 1, dtype=np.uint64)
    recording[9::10] = recording[8::10][: len(recording[9::10])]
    artist = rng.integers(1, max(2, n // 4), n)
    values = {
        "ids": np.array([b"song%08d" % i for i in rng.permutation(n)], "S12"),
        "active": np.ones(n, np.bool_),
        "audio": audio,
        "popularity": popularity,
        "year": rng.integers(1960, 2025, n).astype(np.int16),
        "explicit": rng.integers(-1, 2, n).astype(np.int8),
        "recording": recording,
        "artists": ragged([[a, 1_000 + i % 5] if i % 3 == 0 else [a] for i, a in enumerate(artist)], np.uint64),
        "genres": ragged([sorted({i % 5 + 1, i % 3 + 10}) if i % 8 else [] for i in range(n)], np.uint64),
        "tags": ragged([[i % 7 + 1] if i % 4 == 1 else [] for i in range(n)], np.uint64),
    }
    return Columns(**values | given)


def events_of(n_users: int, n_items: int, seed: int = 0, per_user: int = 12) -> Events:
    """Listeners who keep to one third of the catalogue each."""
    rng = np.random.default_rng(seed)
    users = np.repeat(np.arange(n_users, dtype=np.int32), per_user)
    rows = (rng.integers(0, max(1, n_items // 3), len(users)) * 3 + users % 3).astype(np.int32) % n_items
    weights = rng.uniform(0.2, 1.5, len(users)).astype(np.float32)
    ages = rng.uniform(0, 200, len(users)).astype(np.float32)
    return aggregate(users, rows.astype(np.int32), weights, ages, n_users)


def trained(n: int = 120, seed: int = 0, **given: Any) -> Bundle:
    """A bundle with a fitted model, its arrays read-only as memory-mapped ones are."""
    columns = columns_of(n, seed, **given)
    return read_only(derive(columns, fit_model(events_of(60, n, seed), columns, Parameters())))


def untrained(n: int = 120, seed: int = 0, **given: Any) -> Bundle:
    return read_only(derive(columns_of(n, seed, **given)))


def arrays_in(part: object) -> Iterator[NDArray[Any]]:
    """Every array of nested dataclasses."""
    if isinstance(part, np.ndarray):
        yield part
    elif is_dataclass(part):
        for f in fields(part):
            yield from arrays_in(getattr(part, f.name))


def read_only(bundle: Bundle) -> Bundle:
    for array in arrays_in(bundle):
        array.setflags(write=False)
    return bundle


def listener(*rows: int, skipped: Sequence[int] = ()) -> Context:
    """Who likes ``rows``, the later the better."""
    return Context(
        positives=np.array(rows, np.int32),
        weights=np.linspace(0.5, 1, len(rows), dtype=np.float32),
        negatives=np.array(skipped, np.int32),
        negative_weights=np.ones(len(skipped), np.float32),
    )


def without_row(bundle: Bundle, *rows: int) -> Bundle:
    """The same after songs have left the catalogue."""
    active = bundle.columns.active.copy()
    active[list(rows)] = False
    return replace(bundle, columns=replace(bundle.columns, active=active))
