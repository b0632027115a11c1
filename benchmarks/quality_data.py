"""The public data sets of ``quality.py``: listeners by songs, and the songs as the product's columns."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy import sparse

from src.services.catalogue.names import name_key, recording_key
from src.services.recommender.catalogue import FEATURES, Columns
from src.services.recommender.ragged import Ragged

SOURCE_NAMES: Final = {"tempo_bpm": "tempo", "loudness_db": "loudness"}
DATASETS: Final = {"playlists_1k": "playlists_1k_songs", "lastfm_2k": "lastfm_2k_artists"}
_CREDITS: Final = re.compile(r"\s+(?:featuring|feat\.?|ft\.?|with|x)\s+|\s*;\s*|,\s+|\s+&\s+")


@dataclass(frozen=True)
class Dataset:
    """``plays``: float32 (n_users, n_items), counts; row ``i`` of ``columns`` is column ``i`` of ``plays``."""

    name: str
    plays: sparse.csr_matrix
    columns: Columns


def read_dataset(folder: Path, name: str) -> Dataset:
    """A data set from its two Parquet files.

    Raises:
        FileNotFoundError: a file is not in the folder.
    """
    songs: dict[str, list[Any]] = pq.read_table(folder / f"{DATASETS[name]}.parquet").to_pydict()
    table: dict[str, list[Any]] = pq.read_table(folder / f"{name}_interactions.parquet").to_pydict()
    row_of = {item: row for row, item in enumerate(songs["item"])}
    user_of = {user: row for row, user in enumerate(sorted(set(table["user"])))}
    # A song that stands in one playlist twice is one interaction.
    count = {
        (user_of[user], row_of[item]): float(n)
        for user, item, n in zip(table["user"], table["item"], table["count"], strict=True)
    }
    users, rows = np.array(list(count), np.int64).T
    shape = (len(user_of), len(row_of))
    plays = sparse.csr_matrix((np.array(list(count.values()), np.float32), (users, rows)), shape=shape)
    plays.sort_indices()
    return Dataset(name, plays, _columns(songs))


def _columns(songs: dict[str, list[Any]]) -> Columns:
    n = len(songs["item"])
    nothing: list[Any] = [None] * n

    def numbers(feature: str) -> NDArray[np.float32]:
        values = songs.get(SOURCE_NAMES.get(feature, feature), nothing)
        return np.array([np.nan if value is None else value for value in values], np.float32)

    def names(values: list[list[str]]) -> Ragged:
        rows = [list(dict.fromkeys(name_key(name) for name in found)) for found in values]
        indptr = np.cumsum([0, *(len(row) for row in rows)], dtype=np.int64)
        return Ragged(indptr, np.array([key for row in rows for key in row], np.uint64), np.empty(0, np.float32))

    # In lastfm_2k an item is an artist.
    titles = songs.get("track_name") or songs["name"]
    credits = songs.get("artist") or nothing
    return Columns(
        ids=np.array([b"%012d" % i for i in range(n)], "S12"),
        active=np.ones(n, np.bool_),
        audio=np.column_stack([numbers(feature) for feature in FEATURES]),
        popularity=np.full(n, np.nan, np.float32),  # today's figure would tell of the plays to be found
        year=np.zeros(n, np.int16),
        explicit=np.full(n, -1, np.int8),
        recording=np.array(
            [
                recording_key(credit, title) if credit and title else name_key(f"item {i}")
                for i, (credit, title) in enumerate(zip(credits, titles, strict=True))
            ],
            np.uint64,
        ),
        artists=names([[a.strip() for a in _CREDITS.split(c.lower()) if a.strip()] if c else [] for c in credits]),
        genres=names([g.split("|") if g else [] for g in songs.get("genres_114k") or nothing]),
        tags=names([t.split("|") if t else [] for t in songs.get("top_tags") or nothing]),
    )
