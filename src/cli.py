"""The ``madhur`` command: serve, demo, import, train, evaluate, promote, users, worker."""

import asyncio
import sys
from typing import Annotated

import typer
import uvicorn
from pydantic import ValidationError
from rich.console import Console

from src import cli_import, cli_models, cli_users, cli_worker
from src.cli_demo import demo, prepare_demo
from src.config.settings import Settings
from src.models.errors import MadhurError, OperatorError

app = typer.Typer(
    name="madhur",
    help="Self-hosted music recommendations.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(cli_import.app, name="import", help="Bring in songs and what listeners did.")
app.add_typer(cli_users.app, name="users", help="Create accounts.")
app.command()(demo)
app.command()(cli_models.train)
app.command()(cli_models.evaluate)
app.command()(cli_models.models)
app.command()(cli_models.promote)
app.command()(cli_worker.worker)

_errors = Console(stderr=True, highlight=False)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default MADHUR_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; default MADHUR_PORT.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Fill an empty database with the demo first.")] = False,
) -> None:
    """Serve the API."""
    settings = Settings()
    if demo:
        asyncio.run(prepare_demo(settings))
    host, port = host or settings.host, settings.port if port is None else port
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    console = Console(highlight=False)
    console.print(
        f"Madhur plays at [bold]http://{shown}:{port}/[/]; its API is at [bold]http://{shown}:{port}/docs[/]."
    )
    console.print("Make an account there, or log in. Ctrl-C stops.")
    # MADHUR_TRUSTED_PROXIES decides about forwarded headers, not the server, which would trust this machine.
    uvicorn.run(
        "src.main:create_app",
        factory=True,
        host=host,
        port=port,
        log_config=None,
        server_header=False,
        proxy_headers=False,
    )


def main() -> None:
    """Run the command; a mistake of the operator is one line and exit code 2."""
    try:
        app(standalone_mode=True)
    except OperatorError as error:
        _errors.print(f"[red]error:[/] {error}", soft_wrap=True)
        sys.exit(2)
    except MadhurError as error:
        _errors.print(f"[red]error:[/] {error.detail}", soft_wrap=True)
        sys.exit(2)
    except ValidationError as error:
        for fault in error.errors():
            name = "MADHUR_" + str(fault["loc"][0]).upper() if fault["loc"] else "settings"
            _errors.print(f"[red]error:[/] {name}: {fault['msg'].removeprefix('Value error, ')}", soft_wrap=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
