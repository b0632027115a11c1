"""A place on disk for the songs of an import, between reading the files and writing the database.

Files repeat tracks, far apart, and may turn out damaged at their very end. So all of them are read,
validated and merged here first: the database sees every song once and nothing of a file that is
not sound, and memory does not grow with the files.
"""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

import orjson

from src.models.errors import OperatorError
from src.services.catalogue.identity import import_key
from src.services.catalogue.merging import merge_repeat
from src.services.catalogue.store import song_document

_CACHE_KIB: Final = 32 * 1024


class SongStage:
    """Songs by import key, in the order they first came."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.n_songs = 0
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        connection.execute("PRAGMA journal_mode = OFF")  # it lives no longer than this process
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("CREATE TABLE songs (position INTEGER PRIMARY KEY, digest BLOB UNIQUE, facts BLOB)")
        connection.execute("BEGIN")

    def add(self, facts: dict[str, Any]) -> bool:
        """Add what one row says; True when its song is new here, False when it was merged.

        Raises:
            OperatorError: no room on the disk.
        """
        # A digest keeps the index small however long the keys are.
        digest = hashlib.blake2b(import_key(facts).encode(), digest_size=16).digest()
        try:
            cursor = self._connection.execute(
                "INSERT INTO songs (digest, facts) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (digest, orjson.dumps(facts)),
            )
            if cursor.rowcount == 1:
                self.n_songs += 1
                return True
            found = self._connection.execute("SELECT facts FROM songs WHERE digest = ?", (digest,)).fetchone()
            merged = orjson.loads(found[0])
            merge_repeat(merged, facts)
            self._connection.execute("UPDATE songs SET facts = ? WHERE digest = ?", (orjson.dumps(merged), digest))
        except sqlite3.OperationalError as error:
            raise OperatorError(f"no room for the songs in the temporary folder ({error}); set TMPDIR") from None
        return False

    def batches(self, size: int) -> Iterator[list[dict[str, Any]]]:
        """The merged songs, as documents for `src.services.catalogue.store.upsert_songs`."""
        cursor = self._connection.execute("SELECT facts FROM songs ORDER BY position")
        while rows := cursor.fetchmany(size):
            batch = [orjson.loads(row[0]) for row in rows]
            yield [song_document(facts, import_key(facts)) for facts in batch]


@contextmanager
def open_stage() -> Iterator[SongStage]:
    """An empty stage in a temporary file, which is gone when it is closed, or the process dies."""
    # An empty name is SQLite's private temporary database: in memory up to the cache size, then on disk.
    with closing(sqlite3.connect("", isolation_level=None)) as connection:
        yield SongStage(connection)
