"""``madhur import``: songs and interactions from files."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from pymongo.errors import PyMongoError
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from src.config.settings import Settings
from src.models.errors import MadhurError, OperatorError
from src.services.database import open_database
from src.services.importing.events import COLUMNS
from src.services.importing.interactions import InteractionReport, check_interactions, import_interactions
from src.services.importing.layouts import CONVERTERS, parse_mapping
from src.services.importing.readers import FORMATS
from src.services.importing.songs import FileReport, StoreReport, stage_songs, store_songs
from src.services.importing.staging import SongStage, open_stage

app = typer.Typer(help="Bring songs and listening data from files.", no_args_is_help=True)

FAILED = 1
INTERRUPTED = 130
RUN_AGAIN = "What was stored stays; run the same command again to finish, it skips what is there."

MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="FIELD=COLUMN", help="Take one of our fields from a column. Repeatable."),
]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Read and check all, write nothing to the database.")]


@app.command(epilog=f"Formats: {FORMATS}. Fields for --map: {', '.join(sorted(CONVERTERS))}.")
def songs(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files of songs.")],
    mapping: MapOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Import songs.

    The layouts of Kaggle "Spotify Tracks", TidyTuesday spotify_songs, the Spotify 1921-2020 set,
    Exportify and our own field names are recognised. All files are checked before the first write.
    Rows that cannot be used are listed in FILE.rejects.csv. Importing again changes nothing.
    """
    with _one_line_errors(), _progress() as progress, open_stage() as stage:
        columns = parse_mapping(mapping or [], list(CONVERTERS))
        reports = []
        for file in files:
            task = progress.add_task(f"Reading {file.name}", total=1.0)
            on_progress = partial(_move, progress, task)
            reports.append(stage_songs(file, columns, stage, on_progress))
        stored = None if dry_run or not stage.n_songs else asyncio.run(_store(stage, progress))
        progress.stop()
        _show_songs(reports, stored)
        if not stage.n_songs:
            raise typer.Exit(FAILED)


async def _store(stage: SongStage, progress: Progress) -> StoreReport:
    task = progress.add_task("Storing songs", total=stage.n_songs)
    async with open_database(Settings()):
        return await store_songs(stage, partial(_move, progress, task))


@app.command(epilog=f"Formats: {FORMATS}. Fields for --map: {', '.join(COLUMNS)}.")
def interactions(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of plays, likes and skips.")],
    mapping: MapOption = None,
    dry_run: DryRunOption = False,
) -> None:
    """Import what listeners did: a user and a song, and if known a kind or a count, a time, ms_played.

    Listeners without an account get one that nobody can log in with. A song is named by our id, a
    Spotify id, an ISRC, a MusicBrainz id or an import key, and must be in the catalogue. Times are ISO
    8601 (UTC unless they say) or Unix seconds or milliseconds; a row without one counts as of its first
    import. Importing again changes nothing.
    """
    with _one_line_errors(), _progress() as progress:
        columns = parse_mapping(mapping or [], list(COLUMNS))
        report = asyncio.run(_import_interactions(file, columns, dry_run, progress))
        progress.stop()
        _show_interactions(report, dry_run)
        if report.n_rejected == report.n_rows:
            raise typer.Exit(FAILED)


async def _import_interactions(
    file: Path, columns: dict[str, str], dry_run: bool, progress: Progress
) -> InteractionReport:
    checking = progress.add_task(f"Checking {file.name}", total=1.0)
    check_interactions(file, columns, partial(_move, progress, checking))
    reading = progress.add_task("Storing interactions", total=1.0)
    profiles = progress.add_task("Computing taste profiles", total=None, visible=not dry_run)
    async with open_database(Settings()):
        return await import_interactions(
            file,
            columns,
            dry_run=dry_run,
            on_progress=partial(_move, progress, reading),
            on_profile=partial(_move, progress, profiles),
        )


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except OperatorError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None
    except (MadhurError, PyMongoError) as error:
        typer.echo(f"error: the database: {error}. {RUN_AGAIN}", err=True)
        raise typer.Exit(FAILED) from None
    except KeyboardInterrupt:
        typer.echo(f"Interrupted. {RUN_AGAIN}", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _progress() -> Progress:
    """Bars that vanish when done, so that an error is the one line on standard error; none in a log."""
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _move(progress: Progress, task: TaskID, done: float, total: float | None = None) -> None:
    progress.update(task, completed=done, total=total)  # a total of None leaves the task's own


def _show_songs(reports: list[FileReport], stored: StoreReport | None) -> None:
    console = Console()
    for report in reports:
        _show_rejects(console, report.path, report.first_rejects, report.n_rejected, report.rejects_path)
    files = Table(Column("File", overflow="fold"), "Layout", *_right("Rows", "Songs", "Repeats merged", "Rejected"))
    for report in reports:
        counts = (report.n_rows, report.n_songs, report.n_repeats, report.n_rejected)
        files.add_row(report.path.name, report.layout, *(f"{count:,}" for count in counts))
    console.print(files)
    if stored is None:
        console.print("Nothing was written to the database.")
        return
    console.print(
        f"Catalogue: {stored.inserted:,} songs added, {stored.updated:,} updated, {stored.unchanged:,} unchanged."
    )
    if stored.n_dropped_ids:
        console.print(f"Warning: {stored.n_dropped_ids:,} external ids belong to another song and were left out:")
        for key, name, value in stored.dropped_ids[:10]:
            console.print(f"  {key}: {name} {value}", markup=False)


def _show_interactions(report: InteractionReport, dry_run: bool) -> None:
    console = Console()
    _show_rejects(console, report.path, report.first_rejects, report.n_rejected, report.rejects_path)
    table = Table(
        Column("File", overflow="fold"), *_right("Rows", "Usable" if dry_run else "Stored", "Already there", "Rejected")
    )
    counts = (report.n_rows, report.n_stored, report.n_known, report.n_rejected)
    table.add_row(report.path.name, *(f"{count:,}" for count in counts))
    console.print(table)
    console.print(f"Listeners: {report.n_listeners:,}, of which {report.n_created:,} new.")
    if report.n_undated:
        console.print(f"{report.n_undated:,} rows say no time and count as of their first import.")
    if dry_run:
        console.print("Nothing was written to the database.")


def _show_rejects(
    console: Console, path: Path, first: list[tuple[int, str]], count: int, rejects_path: Path | None
) -> None:
    for line, reason in first:
        console.print(f"{path.name}, line {line}: {reason}", markup=False, highlight=False)
    if count > len(first):
        console.print(f"... and {count - len(first):,} more rejected rows", markup=False)
    if rejects_path:
        console.print(f"All rejected rows are in {rejects_path}", markup=False, soft_wrap=True)


def _right(*headers: str) -> list[Column]:
    return [Column(header, justify="right") for header in headers]
