"""Importing songs: read and check all files first, then write the catalogue."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from src.services.catalogue.store import upsert_songs
from src.services.importing.layouts import recognise
from src.services.importing.readers import open_table
from src.services.importing.rejects import Rejects
from src.services.importing.rows import RowError, song_facts
from src.services.importing.staging import SongStage

BATCH: Final = 1000
_REPORT_EVERY: Final = 500


@dataclass(slots=True)
class FileReport:
    """What reading one file found. ``n_rows`` is the sum of the other three counts."""

    path: Path
    layout: str
    n_rows: int = 0
    n_songs: int = 0
    n_repeats: int = 0
    n_rejected: int = 0
    first_rejects: list[tuple[int, str]] = field(default_factory=list)
    rejects_path: Path | None = None


@dataclass(slots=True)
class StoreReport:
    """What writing the catalogue did, in songs; ``dropped_ids`` as in `UpsertResult`, the first hundred."""

    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    n_dropped_ids: int = 0
    dropped_ids: list[tuple[str, str, str]] = field(default_factory=list)


def stage_songs(
    path: Path, mapping: Mapping[str, str], stage: SongStage, on_progress: Callable[[float], None]
) -> FileReport:
    """Read, validate and merge the rows of one file into the stage. Rows that cannot be used are collected.

    Args:
        mapping: columns by field, over those of the recognised layout.
        on_progress: called now and then with the share of the file that is read, 0 to 1.

    Raises:
        OperatorError: the file as a whole cannot be used.
    """
    with open_table(path) as table:
        layout = recognise(path, table.columns, mapping)
        report = FileReport(path, layout.name)
        with Rejects(path, table.columns) as rejects:
            for record in table.records:
                report.n_rows += 1
                if report.n_rows % _REPORT_EVERY == 0:
                    on_progress(table.progress())
                try:
                    if record.fault:
                        raise RowError(record.fault)
                    is_new = stage.add(song_facts(record.values, layout))
                except RowError as error:
                    rejects.add(record.line, str(error), record.values)
                else:
                    report.n_songs += is_new
                    report.n_repeats += not is_new
        report.n_rejected = rejects.count
        report.first_rejects = rejects.first
        report.rejects_path = rejects.path
    on_progress(1.0)
    return report


async def store_songs(stage: SongStage, on_progress: Callable[[int], None]) -> StoreReport:
    """Write the staged songs into the catalogue. Idempotent: after an interruption simply do it again.

    Args:
        on_progress: called with the number of songs that are stored for good so far.
    """
    report = StoreReport()
    for batch in stage.batches(BATCH):
        result = await upsert_songs(batch)
        report.inserted += result.inserted
        report.updated += result.updated
        report.unchanged += result.unchanged
        report.n_dropped_ids += len(result.dropped_ids)
        report.dropped_ids += result.dropped_ids[: 100 - len(report.dropped_ids)]
        on_progress(report.inserted + report.updated + report.unchanged)
    return report
