"""``madhur train``, ``evaluate``, ``models`` and ``promote``."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

import typer
from bson import ObjectId
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from src.config.settings import Settings
from src.models.errors import OperatorError
from src.services import jobs
from src.services.artifacts.releases import list_releases
from src.services.artifacts.releases import promote as promote_release
from src.services.catalogue.reading import read_catalogue
from src.services.database import open_database
from src.services.recommender.evaluation import Scores
from src.services.recommender.fit import Parameters
from src.services.recommender.tuning import Tuned
from src.services.training import MIN_CASES, TrainingReport, choose, measure, read_events
from src.services.training import train as train_model

_console = Console(highlight=False)
_BAR = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())


def train(
    force: Annotated[bool, typer.Option("--force", help="Publish whatever the gate says.")] = False,
    tune: Annotated[bool, typer.Option("--tune", help="Also try other settings of the item model.")] = False,
    budget: Annotated[float, typer.Option(min=1, help="Seconds that --tune may take.")] = 300.0,
    job: Annotated[str | None, typer.Option(hidden=True, help="The job this process works on.")] = None,
) -> None:
    """Train on everything stored and make the model live."""
    settings = Settings()

    async def run() -> None:
        async with open_database(settings):
            job_id = ObjectId(job) if job else (await jobs.claim_training(None)).id
            assert job_id is not None
            try:
                async with jobs.heartbeat(job_id):
                    report = await train_with_progress(
                        settings, force=force, job_id=job_id, tune_seconds=budget if tune else 0
                    )
            except BaseException as error:
                await jobs.finish(job_id, error=str(error) or type(error).__name__)
                raise
            await jobs.finish(job_id, result={"version": report.version, "verdict": report.verdict})

    asyncio.run(run())


async def train_with_progress(
    settings: Settings, *, force: bool, job_id: ObjectId | None = None, tune_seconds: float = 0.0
) -> TrainingReport:
    """Train, showing a bar, and print what came of it."""
    loop = asyncio.get_running_loop()
    reports: set[asyncio.Future[None]] = set()
    with Progress(*_BAR, console=_console, transient=True) as progress:
        task = progress.add_task("train", total=1.0)

        def show(step: str, share: float) -> None:
            progress.update(task, description=f"train: {step}", completed=share)
            if job_id is not None:
                loop.call_soon_threadsafe(tell_job, step, share)

        def tell_job(step: str, share: float) -> None:
            assert job_id is not None
            if not reports:  # the one before is on its way; the next will say more
                told = asyncio.ensure_future(jobs.report(job_id, step, share))
                reports.add(told)
                told.add_done_callback(reports.discard)

        report = await train_model(
            settings, datetime.now(UTC), force=force, tune_seconds=tune_seconds, on_progress=show
        )
        await asyncio.gather(*reports)
    _console.print(
        f"Trained on {report.n_songs:,} songs and {report.n_interactions:,} interactions "
        f"of {report.n_listeners:,} listeners."
    )
    _print_choice(report.tuned)
    if report.metrics:
        _console.print(_table(report.metrics, report.n_cases))
    _console.print(report.verdict)
    if report.version:
        _console.print(f"Model [bold]{report.version}[/] is live.")
    return report


def evaluate() -> None:
    """Measure every strategy on the last fifth of each listener's songs, by full ranking."""
    settings = Settings()

    async def run() -> None:
        async with open_database(settings):
            songs, _ = await read_catalogue()
            events, _, _ = await read_events(songs, datetime.now(UTC))
            with Progress(*_BAR, console=_console, transient=True) as progress:
                task = progress.add_task("evaluate", total=1.0)
                tuned = await asyncio.to_thread(
                    choose,
                    songs.columns,
                    events,
                    Parameters(),
                    0.0,
                    lambda step, share: progress.update(task, description=step, completed=share / 2),
                )
                metrics, n_cases = await asyncio.to_thread(
                    measure,
                    songs.columns,
                    events,
                    tuned.parameters,
                    lambda share: progress.update(task, description="evaluate", completed=0.5 + share / 2),
                )
            if not metrics:
                raise OperatorError(
                    f"only {n_cases} listeners have five songs or more, {MIN_CASES} are needed: "
                    "import more interactions"
                )
            _print_choice(tuned)
            _console.print(_table(metrics, n_cases))
            base = metrics["popularity"]
            for name, scores in metrics.items():
                if name not in ("popularity", "random") and scores.ndcg_high < base.ndcg_low:
                    _console.print(f"{name} does not help here: it ranks below popularity.")

    asyncio.run(run())


def _print_choice(tuned: Tuned) -> None:
    """What validation chose and what it was chosen from."""
    if not tuned.validation:
        _console.print(f"Item model: {tuned.parameters.item_model}; too few listeners to choose by validation.")
        return
    tried = ", ".join(f"{name} {value:.4f}" for name, value in tuned.validation.items())
    _console.print(f"Item model: {tuned.parameters.item_model}. Validation nDCG@20: {tried}.")
    for n in (0, 5, 50):
        weights = sorted(tuned.parameters.blend.weights(n).items(), key=lambda pair: -pair[1])
        _console.print(f"Blend at {n} songs of history: " + ", ".join(f"{name} {w:.2f}" for name, w in weights))


def _table(metrics: dict[str, Scores], n_cases: int) -> Table:
    title = f"Held-out listening of {n_cases:,} listeners, full ranking, at 20 (nDCG with its 95% interval)"
    table = Table(title=title, box=SIMPLE, padding=(0, 1, 0, 0), title_justify="left")
    table.add_column("strategy")
    for name in ("Recall", "nDCG", "interval", "MAP", "cover", "Gini", "novel", "divers"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, s in sorted(metrics.items(), key=lambda pair: -pair[1].ndcg):
        table.add_row(
            name,
            f"{s.recall:.3f}",
            f"{s.ndcg:.3f}",
            f"{s.ndcg_low:.3f}-{s.ndcg_high:.3f}",
            f"{s.map:.3f}",
            f"{s.coverage:.1%}",
            f"{s.gini:.2f}",
            f"{s.novelty:.2f}",
            f"{s.diversity:.2f}",
        )
    return table


def models() -> None:
    """List the models that are kept."""

    async def run() -> None:
        async with open_database(Settings()):
            releases = await list_releases()
        table = Table(box=SIMPLE, padding=(0, 1, 0, 0))
        table.add_column("version", no_wrap=True)
        for name in ("live", "songs", "listeners", "interactions", "nDCG@20", "popularity's"):
            table.add_column(name)
        for release in releases:
            ndcg = [
                f"{release.metrics[s]['ndcg']:.4f}" if s in release.metrics else "-" for s in ("hybrid", "popularity")
            ]
            table.add_row(
                release.version,
                "live" if release.live else "",
                f"{release.n_songs:,}",
                f"{release.n_listeners:,}",
                f"{release.n_interactions:,}",
                *ndcg,
            )
        _console.print(table if releases else "No model yet: run `madhur train`.")

    asyncio.run(run())


def promote(version: Annotated[str, typer.Argument(help="One of `madhur models`.")]) -> None:
    """Make a kept model live again; serving processes follow within seconds."""

    async def run() -> None:
        async with open_database(Settings()):
            before = await promote_release(version)
        _console.print(f"Model {version} is live; before it was {before}.")

    asyncio.run(run())
