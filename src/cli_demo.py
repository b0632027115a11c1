"""``madhur demo``: the generated catalogue, and an account to try it with."""

import asyncio
import secrets
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from src.cli_models import train_with_progress
from src.config.settings import Settings
from src.models.errors import OperatorError
from src.models.songs import Song
from src.models.users import Role, User
from src.services.accounts import create_user
from src.services.artifacts.releases import live_version
from src.services.database import open_database
from src.services.demo.load import load_demo

_console = Console(highlight=False)


def demo() -> None:
    """Load a generated catalogue of 3,000 songs and 400 listeners, and train on it."""
    asyncio.run(_load_and_train())


async def _load_and_train() -> None:
    settings = Settings()
    async with open_database(settings):
        if await Song.find_one() is not None and await Song.find_one({"tags": "demo"}) is None:
            raise OperatorError(
                "the database holds a catalogue already; load the demo into another one: set MADHUR_DATA_DIR "
                "(embedded) or MADHUR_MONGODB_DATABASE"
            )
        await _load()
        await train_with_progress(settings, force=False)
        await _show_log_in(settings)


async def prepare_demo(settings: Settings) -> None:
    """Before serving: load the demo into an empty database, train where there is no model, name the log-in."""
    async with open_database(settings):
        if await Song.find_one() is None:
            await _load()
        if await live_version() is None:
            await train_with_progress(settings, force=False)
        await _show_log_in(settings)


async def _load() -> None:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=_console) as progress:
        tasks: dict[str, int] = {}

        def show(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(f"demo: {step}", total=total)
            progress.update(tasks[step], completed=done)  # type: ignore[arg-type]

        summary = await load_demo(datetime.now(UTC), show)
    _console.print(
        f"Demo loaded: {summary.songs:,} songs, {summary.listeners:,} listeners, "
        f"{summary.interactions:,} interactions. All of it is generated: no such artists, songs or listeners exist."
    )


async def _show_log_in(settings: Settings) -> None:
    """An administrator `demo` with a password of this installation only, kept beside its data."""
    path = settings.data_dir / "demo-password"
    if await User.find_one(User.username_key == "demo") is None:
        password = "-".join(secrets.token_hex(2) for _ in range(4))
        await create_user("demo", password, role=Role.ADMIN)
        path.touch(mode=0o600)
        path.write_text(password + "\n")
    if path.exists():
        _console.print(f"Log in as [bold]demo[/] with password [bold]{path.read_text().strip()}[/] (kept in {path}).")
